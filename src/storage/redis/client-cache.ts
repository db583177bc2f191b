/**
 * Clients in Redis, one hash each, sealed: what was altered, moved to another key or written by somebody else does not open
 * and is a miss.
 *
 * Every write holds only if the cache is still as `state` last found it, which `token` tells (see scripts.ts). Otherwise a
 * slow process could put back what has been removed while it was reading the database, and everybody would believe it.
 * After a write that failed nothing is marked as applied until `state` has been asked again, and after a reconnection nothing
 * is read or written either: a Redis that comes back may have forgotten removals.
 */
import { randomToken, seal, unseal } from '../../base/secrets.ts';
import type { ClientCache } from '../../core/stores/client-cache.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { Connection } from './connection.ts';
import { markApplied, putClient, raiseGeneration, removeClients } from './scripts.ts';

/** Nothing here is needed for longer: a client in use is put again at its next look-up. */
const lifetimeMs = 3_600_000;

export function createClientCache(connection: Connection, prefix: string, sealKey: Buffer): ClientCache {
  const about = `${prefix}clients`;
  const keyOf = (generation: number, id: string): string => `${prefix}client:${generation}:${id}`;
  /** As `state` found it, or as this process has itself left it since. */
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
        // Not ours any more: start from nothing, which is believed only where the change log is empty too.
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
      // Sealed by this program under this very key, so it is a client of this id.
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

/** False: written by an earlier version, which did not know of tokens, of reviews or of its owner's account. */
function isWhole({ tokens, reviewedAt, ownDisabledAt }: Partial<ClientRecord>): boolean {
  return tokens !== undefined && reviewedAt !== undefined && ownDisabledAt !== undefined;
}

/** Undefined for what this program never wrote. */
function wholeNumber(field: string | null | undefined): number | undefined {
  if (field === null || field === undefined) return 0;
  return /^\d{1,15}$/.test(field) ? Number(field) : undefined;
}
