/** Refusal records: written in batches, trimmed by network and scope, so no source displaces those of others. */
import type { Knex } from 'knex';
import type { RefusalStore } from '../../../core/stores/refusals.ts';
import { findable, page, type Sql, type Statement, statement } from '../sql.ts';
import { selection } from '../table.ts';
import { refusals } from '../tables.ts';

const find = statement('find_refusal', `${refusals.select} where reference = ?`);

const total = selection((row) => ({ count: row.sql<number>('count(*)') }));
const countOfScope = statement('count_refusals_of_scope', `select ${total.list} from refusals where scope = ?`);
const countOfAll = statement('count_refusals', `select ${total.list} from refusals`);

const per = (column: 'network' | 'scope') =>
  selection((row) => ({ value: row.sql<string>(column), count: row.sql<number>('count(*)') }));
const [perNetwork, perScope] = [per('network'), per('scope')];
const largestNetwork = statement(
  'largest_network_of_refusals',
  `select ${perNetwork.list} from refusals where scope = ? group by network order by count(*) desc, network limit 1`,
);
const largestScope = statement(
  'largest_scope_of_refusals',
  `select ${perScope.list} from refusals group by scope order by count(*) desc, scope limit 1`,
);

export function createRefusalStore(sql: Sql): RefusalStore {
  const { knex } = sql;

  async function count(how: Statement, values: readonly string[]): Promise<number> {
    const [row] = await sql.rows(how, values);
    return row === undefined ? 0 : total.read(row).count;
  }

  /** Removes the oldest `many` records of a network within a scope. */
  function removeOldest(scope: string, network: string, many: number): Promise<number> {
    return sql.run(() =>
      knex('refusals')
        .whereIn(
          'reference',
          knex('refusals').select('reference').where({ scope, network }).orderBy('last_ms').limit(many),
        )
        .delete(),
    );
  }

  async function trim(scope: string, most: number): Promise<number> {
    let removed = 0;
    for (let excess = (await count(countOfScope, [scope])) - most; excess > 0; ) {
      const [row] = await sql.rows(largestNetwork, [scope]);
      if (row === undefined) break;
      const network = perNetwork.read(row);
      // At most half of the largest network and at least one record, so the networks shrink evenly.
      const gone = await removeOldest(
        scope,
        network.value,
        Math.min(excess, Math.max(1, Math.ceil(network.count / 2))),
      );
      if (gone === 0) break;
      removed += gone;
      excess -= gone;
    }
    return removed;
  }

  return {
    trim,

    async trimAll(most) {
      let removed = 0;
      for (let excess = (await count(countOfAll, [])) - most; excess > 0; ) {
        const [row] = await sql.rows(largestScope, []);
        if (row === undefined) break;
        const scope = perScope.read(row);
        const gone = await trim(scope.value, Math.max(0, scope.count - Math.min(excess, Math.ceil(scope.count / 2))));
        if (gone === 0) break;
        removed += gone;
        excess -= gone;
      }
      return removed;
    },

    async write(rows, repeats) {
      if (repeats.length === 0) {
        await sql.run(() => knex('refusals').insert(rows.map(refusals.values)).onConflict('reference').ignore());
        return;
      }
      await sql.transaction(async (trx) => {
        if (rows.length > 0) await trx('refusals').insert(rows.map(refusals.values)).onConflict('reference').ignore();
        for (const { reference, times, lastMs } of repeats) {
          await trx('refusals').where({ reference }).increment('times', times).update({ last_ms: lastMs });
        }
      });
    },

    async find(reference) {
      if (!findable(reference)) return undefined;
      const [row] = await sql.rows(find, [reference]);
      return row && refusals.read(row);
    },

    async list({ clientId, beforeMs }, limit) {
      if (!findable(clientId ?? '')) return [];
      const rows = await sql.run(() => {
        const query: Knex.QueryBuilder = knex('refusals')
          .select(refusals.names())
          .orderBy('last_ms', 'desc')
          .limit(page(limit));
        if (clientId !== undefined) query.where({ client_id: clientId });
        if (beforeMs !== undefined) query.where('last_ms', '<', beforeMs);
        return query;
      });
      return rows.map(refusals.readNamed);
    },

    prune: (beforeMs, limit) =>
      sql.run(() =>
        knex('refusals')
          .whereIn('reference', knex('refusals').select('reference').where('last_ms', '<', beforeMs).limit(limit))
          .delete(),
      ),
  };
}
