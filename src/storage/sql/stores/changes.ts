/**
 * The change log. Each writer takes its numbers from one row and locks it until the commit, so numbers become visible
 * in order and without gaps. A sequence does not guarantee this.
 */
import type { Knex } from 'knex';
import { nowSeconds } from '../../../base/clock.ts';
import type { ChangeKind, ChangeStore } from '../../../core/stores/changes.ts';
import { type Sql, statement } from '../sql.ts';

const latest = statement('latest_change', 'select seq from change_counter where id = 1');

/** Notes a change in the transaction that makes it. Call it last, because every other writer waits until the commit. */
export function noteChange(trx: Knex, kind: ChangeKind, id: string): Promise<number> {
  return noteChanges(trx, kind, [id]);
}

/** Notes several changes in order. Returns the last number. */
export async function noteChanges(trx: Knex, kind: ChangeKind, ids: readonly string[]): Promise<number> {
  const [counter] = await trx('change_counter').where({ id: 1 }).increment('seq', ids.length).returning('seq');
  const last = Number(counter.seq);
  const first = last - ids.length + 1;
  const rows = ids.map((entity, n) => ({ seq: first + n, kind, entity, noted_at: nowSeconds() }));
  for (let at = 0; at < rows.length; at += rowsAtOnce) await trx('changes').insert(rows.slice(at, at + rowsAtOnce));
  return last;
}

/** Below the limit of values per statement of both databases. */
const rowsAtOnce = 100;

export function createChangeStore(sql: Sql): ChangeStore {
  const { knex } = sql;
  const newest = async () => (await sql.rows(latest, []))[0]?.[0] as number;
  return {
    latest: newest,

    async since(seq) {
      const known = await newest();
      const rows = await sql.run(() =>
        knex('changes').select('seq', 'kind', 'entity').where('seq', '>', seq).orderBy('seq').limit(1000),
      );
      const reaches = rows.length === 0 ? seq === known : rows[0].seq === seq + 1;
      return reaches ? rows.map((row) => ({ seq: row.seq, kind: row.kind, id: row.entity })) : undefined;
    },

    note: (kind, id) => sql.transaction((trx) => noteChange(trx, kind, id)),

    async prune(before) {
      // Deletes by number: the clocks of the processes differ, and the log must not get gaps.
      await sql.run(() => {
        const last = knex('changes').max('seq').where('noted_at', '<', before);
        return knex('changes').where('seq', '<=', last).delete();
      });
    },
  };
}
