/**
 * Clients in Redis: one hash per client, sealed. A value that was altered, moved to another key or written by another
 * program does not open, and counts as a miss.
 *
 * A write takes effect only if the cache still has the `token` that `state` last read (scripts.ts). Otherwise a slow
 * process could restore a client that was removed while the process read the database.
 *
 * After a failed write, nothing is marked as applied until `state` is read again. After a reconnection, nothing is read
 * or written until then either: a restarted Redis may have lost removals.
 */
import { randomToken, seal, unseal } from '../../base/secrets.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { ClientCache } from '../../core/stores/volatile/client-cache.ts';
import type { Connection } from './connection.ts';
import { markApplied, putClient, raiseGeneration, removeClients } from './scripts.ts';

/** A client in use is cached again at its next look-up. */
const lifetimeMs = 3_600_000;

export function createClientCache(connection: Connection, prefix: string, sealKey: Buffer): ClientCache {
  const about = `${prefix}clients`;
  const keyOf = (generation: number, id: string): string => `${prefix}client:${generation}:${id}`;
  /** What `state` last read, or what this process wrote since. */
  let seen: { generation: number; token: string } | undefined;
  connection.onLoss(() => {
    seen = undefined;
  });

  return {
    async state() {
      seen = undefined;
      const fields = await connection.ask(async (redis) => {
        try {
          return await redis.hmget(about, 'generation', 'applied', 'token');
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('WRONGTYPE')) throw error;
          await redis.del(about);
          return [];
        }
      });
      if (fields === undefined) return undefined;
      const generation = wholeNumber(fields[0]);
      const appliedSeq = wholeNumber(fields[1]);
      if (generation === undefined || appliedSeq === undefined) {
        // Not a value of this program. Starts over; an empty state is trusted only if the change log is empty too.
        await connection.ask((redis) => redis.del(about));
        return undefined;
      }
      seen = { generation, token: fields[2] ?? '' };
      return { generation, appliedSeq };
    },

    async get(generation, id) {
      if (!seen) return undefined;
      const key = keyOf(generation, id);
      const fields = await connection.ask(async (redis) => {
        try {
          return await redis.hmget(key, 's');
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('WRONGTYPE')) throw error;
          return [''];
        }
      });
      const sealed = fields?.[0];
      if (sealed === undefined || sealed === null) return undefined;
      const opened = unseal(sealKey, sealed, key);
      // This program sealed the value under this key, so it is a client with this id.
      if (opened !== undefined) {
        const client = JSON.parse(opened) as ClientRecord;
        return isWhole(client) ? client : undefined;
      }
      await connection.ask((redis) => redis.del(key));
      return undefined;
    },

    async put(generation, client) {
      if (!seen) return;
      const key = keyOf(generation, client.id);
      const sealed = seal(sealKey, JSON.stringify(client), key);
      await connection.run(putClient, [about, key], [generation, seen.token, client.version, sealed, lifetimeMs]);
    },

    async remove(generation, ids) {
      const token = randomToken(16);
      seen = undefined;
      const keys = ids.map((id) => keyOf(generation, id));
      if ((await connection.run(removeClients, [about, ...keys], [token])) === 1) seen = { generation, token };
    },

    async markApplied(seq) {
      if (seen) await connection.run(markApplied, [about], [seq, seen.generation, seen.token]);
    },

    async raiseGeneration(generation, appliedSeq) {
      seen = undefined;
      await connection.run(raiseGeneration, [about], [generation, appliedSeq, randomToken(16)]);
    },
  };
}

/** False: an earlier version wrote the record, without tokens, review time or the owner's state. */
function isWhole({ tokens, reviewedAt, ownDisabledAt }: Partial<ClientRecord>): boolean {
  return tokens !== undefined && reviewedAt !== undefined && ownDisabledAt !== undefined;
}

/** Returns undefined for values that this program never writes. */
function wholeNumber(field: string | null | undefined): number | undefined {
  if (field === null || field === undefined) return 0;
  return /^\d{1,15}$/.test(field) ? Number(field) : undefined;
}
