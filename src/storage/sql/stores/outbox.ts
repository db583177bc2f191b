/**
 * The outbox: sessions end, and deliveries are written, in one transaction. Without a client that has a back-channel
 * logout URI this costs no statement: the one that ends a session also returns the clients that must hear of it.
 */
import type { Knex } from 'knex';
import { logoutNotice } from '../../../core/deliveries/logout-notice.ts';
import type { EndedPart, NewDelivery } from '../../../core/stores/deliveries.ts';
import type { Sql } from '../sql.ts';
import { deliveries } from '../tables.ts';
import { noteChange } from './changes.ts';

interface EndedSession {
  readonly subject: string | null;
  /** The client of a session without a user. */
  readonly clientId: string | null;
}

/** What ends within one transaction. Every statement that ends sessions goes through here. */
interface Ending {
  /** `where`: a condition over the table, with `?` for each of the values. */
  endSessions(where: string, values: readonly string[]): Promise<EndedSession[]>;
  /** Deletes the user's grants for a client: its part of each session ends. Returns the number of grants. */
  endGrants(subject: string, clientId: string): Promise<number>;
}

export interface Outbox {
  /** A transaction that may end sessions. Wakes the sender after its commit. */
  transaction<T>(work: (trx: Knex.Transaction, ending: Ending) => Promise<T>): Promise<T>;
  /** Call it after a commit that wrote deliveries in another way. */
  written(): void;
  onWritten(listener: () => void): () => void;
}

/** Metadata is stored by `JSON.stringify`, so a quote within a value is escaped and does not match. */
export const wantsLogout = `clients.metadata like '%"backchannel_logout_uri":"%'`;

/** For `returning`: the clients of a deleted session that must hear of it, as JSON pairs of client id and `sid`. */
const partsOf = {
  sqlite: `(select json_group_array(json_array(part.key, (select s.value from json_each(sessions.sids) s where s.key = part.key)))
    from json_each(sessions.grants) part join clients on clients.id = part.key where ${wantsLogout}) as parts`,
  postgres: `(select json_agg(json_build_array(part.key, sessions.sids::json ->> part.key))::text
    from json_each_text(sessions.grants::json) part (key) join clients on clients.id = part.key where ${wantsLogout}) as parts`,
};

type Part = readonly [clientId: string, sid: string | null];

/** The row of a new delivery. */
export const newDelivery = (delivery: NewDelivery) => ({
  ...delivery,
  state: 'waiting' as const,
  version: 1,
  attempts: 0,
});

/** Within an upsert: the delivery that waits has another day, and is sent once more if it is on its way. */
const merged = { version: 'deliveries.version + 1', give_up_at: 'excluded.give_up_at' };
export const mergeDelivery = `on conflict (merge_key) do update set ${Object.entries(merged)
  .map(([column, value]) => `${column} = ${value}`)
  .join(', ')}`;

/** Knex builds no `delete … returning` for SQLite. */
async function rowsOf<T>(trx: Knex.Transaction, text: string, values: readonly string[]): Promise<readonly T[]> {
  const answer: readonly T[] | { readonly rows: readonly T[] } = await trx.raw(text, values);
  return 'rows' in answer ? answer.rows : answer;
}

/** Well below the limit of values per statement of both databases. */
const rowsAtOnce = 100;

async function write(trx: Knex.Transaction, parts: readonly EndedPart[]): Promise<number> {
  const byKey = new Map(parts.map(logoutNotice).map((notice) => [notice.mergeKey, notice]));
  // In the order of keys, so that concurrent transactions cannot deadlock.
  const keys = [...byKey.keys()].toSorted();
  const rows = keys.flatMap((key) => byKey.get(key) ?? []).map((notice) => deliveries.values(newDelivery(notice)));
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    await trx('deliveries')
      .insert(rows.slice(at, at + rowsAtOnce))
      .onConflict('merge_key')
      .merge({ version: trx.raw(merged.version), give_up_at: trx.raw(merged.give_up_at) });
  }
  return rows.length;
}

export function createOutbox(sql: Sql): Outbox {
  const listeners = new Set<() => void>();
  const written = () => {
    for (const listener of listeners) listener();
  };

  function endingOf(trx: Knex.Transaction, wrote: (count: number) => void): Ending {
    return {
      async endSessions(where, values) {
        const ended = await rowsOf<{ subject: string | null; client_id: string | null; parts: string | null }>(
          trx,
          `delete from sessions where ${where} returning subject, client_id, ${partsOf[sql.dialect]}`,
          values,
        );
        const parts = ended.flatMap(({ subject, parts: all }) =>
          subject === null || all === null
            ? []
            : (JSON.parse(all) as Part[]).map(([clientId, sid]) => ({ subject, clientId, sid })),
        );
        if (parts.length > 0) wrote(await write(trx, parts));
        return ended.map(({ subject, client_id: clientId }) => ({ subject, clientId }));
      },

      async endGrants(subject, clientId) {
        const gone = await rowsOf<{ wanted: unknown }>(
          trx,
          `delete from grants where subject = ? and client_id = ?
           returning exists (select 1 from clients where clients.id = grants.client_id and ${wantsLogout}) as wanted`,
          [subject, clientId],
        );
        if (!gone[0]?.wanted) return gone.length;
        const rows: { grants: string; sids: string }[] = await trx('sessions')
          .where({ subject })
          .select('grants', 'sids');
        const parts = rows
          .filter(({ grants }) => Object.hasOwn(JSON.parse(grants), clientId))
          .map(({ sids }) => ({
            subject,
            clientId,
            sid: new Map(Object.entries<string>(JSON.parse(sids))).get(clientId) ?? null,
          }));
        if (parts.length > 0) wrote(await write(trx, parts));
        return gone.length;
      },
    };
  }

  return {
    async transaction(work) {
      let count = 0;
      const result = await sql.transaction(async (trx) => {
        count = 0;
        const done = await work(
          trx,
          endingOf(trx, (more) => {
            count += more;
          }),
        );
        // Last, because a noted change blocks other writers. Other processes send if this one cannot.
        if (count > 0) await noteChange(trx, 'delivery', String(count));
        return done;
      });
      if (count > 0) written();
      return result;
    },
    written,
    onWritten(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
