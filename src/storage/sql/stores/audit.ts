/** The audit trail: appended to, read by an admin, never changed. */
import type { Knex } from 'knex';
import type { AuditEvent, AuditFilter, AuditStore } from '../../../core/stores/audit.ts';
import { findable, keepable, page, type Sql } from '../sql.ts';
import { audit } from '../tables.ts';

/** A statement takes a limited number of values: SQLite 32,766, Postgres 65,535. */
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

/** Each of the columns has an index that ends with the id, so that a page is read in order without sorting. */
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

/** A row to insert; also of records that go along with a unit of the engine's. */
export function keepableEvent(event: AuditEvent): AuditEvent {
  return {
    ...event,
    subject: keepable(event.subject),
    clientId: keepable(event.clientId),
    address: keepable(event.address),
    requestId: keepable(event.requestId),
  };
}
