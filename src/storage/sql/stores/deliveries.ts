/** The outbox as its sender and its operator see it. `outbox.ts` writes to it. */
import type { Knex } from 'knex';
import type { DeliveryStore, WaitingClient } from '../../../core/stores/deliveries.ts';
import { findable, page, type Sql, statement } from '../sql.ts';
import { selection } from '../table.ts';
import { deliveries } from '../tables.ts';
import { noteChange } from './changes.ts';
import { createLeaseStore } from './leases.ts';
import type { Outbox } from './outbox.ts';

const leasePrefix = 'deliver ';

const waiting = selection(
  (row): WaitingClient => ({
    clientId: row.sql('c.id'),
    dueMs: row.sql(`(select min(due_ms) from deliveries where state = 'waiting' and client_id = c.id)`),
    claimedUntilMs: row.sql(`coalesce((select until_ms from leases where name = '${leasePrefix}' || c.id), 0)`),
  }),
);

/** Walks from client to client along the index, because `distinct` would read every waiting delivery. */
const waitingClients = statement(
  'waiting_clients',
  `with recursive c (id) as (
     select min(client_id) from deliveries where state = 'waiting'
     union all
     select (select min(d.client_id) from deliveries d where d.state = 'waiting' and d.client_id > c.id)
     from c where c.id is not null
   )
   select ${waiting.list} from c where c.id is not null`,
);

const due = statement(
  'due_deliveries',
  `${deliveries.select} where state = 'waiting' and client_id = ? and due_ms <= ? order by due_ms, id limit ?`,
);

const settle = statement(
  'settle_delivery',
  `update deliveries set state = ?, merge_key = null, attempts = attempts + 1, last_outcome = ?, last_at = ?, settled_at = ?
   where id = ? and version = ? returning 1`,
);

const postpone = statement(
  'postpone_delivery',
  `update deliveries set due_ms = ?, attempts = attempts + 1, last_outcome = ?, last_at = ?
   where id = ? and version = ? returning 1`,
);

/** Names a rest among the holders of claims. */
const resting = 'rest';

const rest = statement(
  'rest_client',
  `update leases set holder = '${resting}', until_ms = ? where name = ? and holder = ?`,
);

const total = selection((row) => ({ count: row.sql<number>('count(*)') }));
const countWaiting = statement('count_waiting', `select ${total.list} from deliveries where state = 'waiting'`);

/** For the test that an index serves each statement. */
export const deliveryStatements = [due, settle, postpone, rest];

const leaseOf = (clientId: string) => leasePrefix + clientId;

export function createDeliveryStore(sql: Sql, outbox: Pick<Outbox, 'onWritten'>): DeliveryStore {
  const { knex } = sql;
  const leases = createLeaseStore(sql);

  return {
    onWritten: outbox.onWritten,

    async waitingClients() {
      const all = (await sql.rows(waitingClients, [])).map(waiting.read);
      const ready = ({ dueMs, claimedUntilMs }: WaitingClient) => Math.max(dueMs, claimedUntilMs);
      return all.toSorted((a, b) => ready(a) - ready(b)).slice(0, 1000);
    },

    claim: (clientId, holder, untilMs, nowMs) => leases.acquire(leaseOf(clientId), holder, untilMs, nowMs),
    release: (clientId, holder) => leases.release(leaseOf(clientId), holder),
    async rest(clientId, holder, untilMs) {
      await sql.rows(rest, [untilMs, leaseOf(clientId), holder]);
    },

    async due(clientId, nowMs, limit) {
      return (await sql.rows(due, [clientId, nowMs, page(limit)])).map(deliveries.read);
    },

    async attempted({ id, version }, { lastOutcome, lastAt, next }) {
      const stored = await (typeof next === 'string'
        ? sql.rows(settle, [next, lastOutcome, lastAt, lastAt, id, version])
        : sql.rows(postpone, [next.dueMs, lastOutcome, lastAt, id, version]));
      return stored.length === 1 ? 'stored' : 'merged';
    },

    async list({ clientId, state, before }, limit) {
      if (!findable(clientId ?? '')) return [];
      const rows = await sql.run(() => {
        const query: Knex.QueryBuilder = knex('deliveries')
          .select(deliveries.names())
          .orderBy('id', 'desc')
          .limit(page(limit));
        if (clientId !== undefined) query.where({ client_id: clientId });
        if (state !== undefined) query.where({ state });
        if (before !== undefined) query.where('id', '<', before);
        return query;
      });
      return rows.map(deliveries.readNamed);
    },

    async retry(which, nowMs, giveUpAt) {
      if (!findable('id' in which ? which.id : which.clientId)) return 0;
      const where = 'id' in which ? { id: which.id } : { client_id: which.clientId };
      return sql.transaction(async (trx) => {
        const again: { client_id: string }[] = await trx('deliveries')
          .where(where)
          .whereIn('state', ['waiting', 'failed'])
          .update({ state: 'waiting', due_ms: nowMs, give_up_at: giveUpAt, attempts: 0, settled_at: null })
          .increment('version', 1)
          .returning('client_id');
        if (again.length === 0) return 0;
        const names = [...new Set(again.map((row) => leaseOf(row.client_id)))];
        await trx('leases').whereIn('name', names).where({ holder: resting }).delete();
        await noteChange(trx, 'delivery', String(again.length));
        return again.length;
      });
    },

    async countWaiting() {
      const [row] = await sql.rows(countWaiting, []);
      return row === undefined ? 0 : total.read(row).count;
    },

    async giveUp(before, now, limit) {
      const old = knex('deliveries').select('id').where({ state: 'waiting' }).where('give_up_at', '<', before);
      const given: { client_id: string }[] = await sql.run(() =>
        knex('deliveries')
          .whereIn('id', old.clone().limit(limit))
          .update({
            ...{ state: 'failed', merge_key: null, settled_at: now },
            last_outcome: knex.raw(`'given up' || coalesce('; before: ' || last_outcome, '')`),
          })
          .returning('client_id'),
      );
      const counts = new Map<string, number>();
      for (const { client_id: clientId } of given) counts.set(clientId, (counts.get(clientId) ?? 0) + 1);
      return Array.from(counts, ([clientId, count]) => ({ clientId, count }));
    },

    prune: (before, limit) =>
      sql.run(() =>
        knex('deliveries')
          .whereIn('id', knex('deliveries').select('id').where('settled_at', '<', before).limit(limit))
          .delete(),
      ),
  };
}
