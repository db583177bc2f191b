/** The audit trail: append-only. */
import type { Knex } from 'knex';
import type { AuditEvent, AuditFilter, AuditStore } from '../../../core/stores/audit.ts';
import { findable, keepable, page, type Sql } from '../sql.ts';
import { audit } from '../tables.ts';

/** Well below the limit of values per statement: 32,766 in SQLite, 65,535 in Postgres. */
const rowsPerStatement = 500;

export function createAuditStore(sql: Sql): AuditStore {
  const { knex } = sql;
  return {
    async append(events) {
      if (events.length === 0) return;
      const rows = events.map((event) => audit.values(keepableEvent(event)));
      if (rows.length <= rowsPerStatement) {
        await sql.run(() => knex('audit').insert(rows));
        return;
      }
      await sql.transaction(async (trx) => {
        for (let at = 0; at < rows.length; at += rowsPerStatement) {
          await trx('audit').insert(rows.slice(at, at + rowsPerStatement));
        }
      });
    },

    async list({ before, ...filter }, limit) {
      if (!isFindable(filter)) return [];
      const rows = await sql.run(() => {
        const query = matching(knex, filter).orderBy('id', 'desc').limit(page(limit));
        return before === undefined ? query : query.where('id', '<', before);
      });
      return rows.map(audit.readNamed);
    },

    async walk(filter, after, limit) {
      if (!isFindable(filter)) return [];
      const rows = await sql.run(() => matching(knex, filter).where('id', '>', after).orderBy('id').limit(page(limit)));
      return rows.map(audit.readNamed);
    },
  };
}

const filterColumns = {
  subject: 'subject',
  event: 'event',
  clientId: 'client_id',
  address: 'address',
  requestId: 'request_id',
} as const;
const filterNames = Object.keys(filterColumns) as (keyof typeof filterColumns)[];

const isFindable = (filter: AuditFilter): boolean => filterNames.every((name) => findable(filter[name] ?? ''));

/** Each filter column has an index that ends with the id, so a page is read in order without sorting. */
function matching(knex: Knex, filter: AuditFilter): Knex.QueryBuilder {
  const query = knex('audit');
  for (const name of filterNames) {
    const value = filter[name];
    if (value !== undefined) query.where(filterColumns[name], value);
  }
  if (filter.sinceMs !== undefined) query.where('at_ms', '>=', filter.sinceMs);
  if (filter.untilMs !== undefined) query.where('at_ms', '<', filter.untilMs);
  return query;
}

/** An event as it can be stored; the engine's units write such rows too. */
export function keepableEvent(event: AuditEvent): AuditEvent {
  return {
    ...event,
    subject: keepable(event.subject),
    clientId: keepable(event.clientId),
    address: keepable(event.address),
    requestId: keepable(event.requestId),
  };
}
