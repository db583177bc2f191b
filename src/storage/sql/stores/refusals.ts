/** Refusal records: written in batches, trimmed by network and scope, so that one source cannot displace what others left. */
import type { Knex } from 'knex';
import type { RefusalRow, RefusalStore } from '../../../core/stores/refusals.ts';
import { type Row, type Sql, type Statement, statement } from '../sql.ts';
import { findable, page } from '../values.ts';

const columns = [
  'reference',
  'at_ms',
  'last_ms',
  'times',
  'endpoint',
  'client_id',
  'scope',
  'address',
  'network',
  'failed_check',
  'status',
  'error',
  'expected',
  'received',
  'nearest',
  'advice',
] as const;

const find = statement('find_refusal', `select ${columns.join(', ')} from refusals where reference = ?`);
const countOfScope = statement('count_refusals_of_scope', 'select count(*) from refusals where scope = ?');
const countOfAll = statement('count_refusals', 'select count(*) from refusals');
const largestNetwork = statement(
  'largest_network_of_refusals',
  'select network, count(*) from refusals where scope = ? group by network order by 2 desc, 1 limit 1',
);
const largestScope = statement(
  'largest_scope_of_refusals',
  'select scope, count(*) from refusals group by scope order by 2 desc, 1 limit 1',
);

export function createRefusalStore(sql: Sql): RefusalStore {
  const { knex } = sql;

  /** The network of a scope, or the scope, that has most rows. Postgres counts in text. */
  async function largest(
    how: Statement,
    values: readonly string[],
  ): Promise<{ value: string; count: number } | undefined> {
    const [row] = await sql.rows(how, values);
    return row && { value: String(row[0]), count: Number(row[1]) };
  }

  async function count(how: Statement, values: readonly string[]): Promise<number> {
    const [row] = await sql.rows(how, values);
    return Number(row?.[0]);
  }

  /** The oldest `many` of a network within a scope. */
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
      const network = await largest(largestNetwork, [scope]);
      if (network === undefined) break;
      // Down to the next largest network at the soonest, by at least one.
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
        const scope = await largest(largestScope, []);
        if (scope === undefined) break;
        const gone = await trim(scope.value, Math.max(0, scope.count - Math.min(excess, Math.ceil(scope.count / 2))));
        if (gone === 0) break;
        removed += gone;
        excess -= gone;
      }
      return removed;
    },

    async write(rows, repeats) {
      if (repeats.length === 0) {
        await sql.run(() => knex('refusals').insert(rows.map(toRow)).onConflict('reference').ignore());
        return;
      }
      await sql.transaction(async (trx) => {
        if (rows.length > 0) await trx('refusals').insert(rows.map(toRow)).onConflict('reference').ignore();
        for (const { reference, times, lastMs } of repeats) {
          await trx('refusals').where({ reference }).increment('times', times).update({ last_ms: lastMs });
        }
      });
    },

    async find(reference) {
      if (!findable(reference)) return undefined;
      const [row] = await sql.rows(find, [reference]);
      return row === undefined ? undefined : fromRow(row);
    },

    async list({ clientId, beforeMs }, limit) {
      if (!findable(clientId ?? '')) return [];
      const rows = await sql.run(() => {
        const query: Knex.QueryBuilder = knex('refusals').select(columns).orderBy('last_ms', 'desc').limit(page(limit));
        if (clientId !== undefined) query.where({ client_id: clientId });
        if (beforeMs !== undefined) query.where('last_ms', '<', beforeMs);
        return query;
      });
      return rows.map((row: Record<string, unknown>) => fromRow(columns.map((column) => row[column])));
    },

    prune: (beforeMs, limit) =>
      sql.run(() =>
        knex('refusals')
          .whereIn('reference', knex('refusals').select('reference').where('last_ms', '<', beforeMs).limit(limit))
          .delete(),
      ),
  };
}

function toRow(row: RefusalRow): Record<(typeof columns)[number], string | number | null> {
  return {
    reference: row.reference,
    at_ms: row.atMs,
    last_ms: row.lastMs,
    times: row.times,
    endpoint: row.endpoint,
    client_id: row.clientId,
    scope: row.scope,
    address: row.address,
    network: row.network,
    failed_check: row.check,
    status: row.status,
    error: row.error,
    expected: row.expected,
    received: row.received,
    nearest: row.nearest,
    advice: row.advice,
  };
}

function fromRow(row: Row): RefusalRow {
  const text = (at: number) => row[at] as string;
  const textOrNull = (at: number) => row[at] as string | null;
  const number = (at: number) => row[at] as number;
  return {
    reference: text(0),
    atMs: number(1),
    lastMs: number(2),
    times: number(3),
    endpoint: text(4),
    clientId: textOrNull(5),
    scope: text(6),
    address: textOrNull(7),
    network: text(8),
    check: text(9),
    status: number(10),
    error: text(11),
    expected: textOrNull(12),
    received: textOrNull(13),
    nearest: textOrNull(14),
    advice: text(15),
  };
}
