/** The audit trail: appended to, read by an admin, never changed. */
import type { AuditEvent, AuditStore } from '../../core/stores/audit.ts';
import type { Sql } from './sql.ts';
import { findable, keepable, page } from './values.ts';

/** A statement takes a limited number of values: SQLite 32,766, Postgres 65,535. */
const rowsPerStatement = 500;

export function createAuditStore(sql: Sql): AuditStore {
  const { knex } = sql;
  return {
    async append(events) {
      if (events.length === 0) return;
      const rows = events.map(auditRow);
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

    async list({ subject, event, before }, limit) {
      if (!findable(subject ?? '') || !findable(event ?? '')) return [];
      const rows = await sql.run(() => {
        const query = knex('audit').orderBy('id', 'desc').limit(page(limit));
        if (subject !== undefined) query.where({ subject });
        if (event !== undefined) query.where({ event });
        if (before !== undefined) query.where('id', '<', before);
        return query;
      });
      return rows.map((row) => ({
        id: row.id,
        atMs: row.at_ms,
        event: row.event,
        subject: row.subject,
        clientId: row.client_id,
        address: row.address,
        requestId: row.request_id,
        detail: JSON.parse(row.detail),
      }));
    },
  };
}

/** Also of records that go along with a unit of the engine's. Members in the order of `auditColumns`. */
export function auditRow(event: AuditEvent) {
  return {
    at_ms: event.atMs,
    event: event.event,
    subject: keepable(event.subject),
    client_id: keepable(event.clientId),
    address: keepable(event.address),
    request_id: keepable(event.requestId),
    detail: JSON.stringify(event.detail),
  };
}

export const auditColumns = ['at_ms', 'event', 'subject', 'client_id', 'address', 'request_id', 'detail'] as const;
