/** One-time links. Taking one is deleting it, so only one taker gets it. */
import type { LinkRow, LinkStore } from '../../core/stores.ts';
import type { Sql } from './sql.ts';
import { findable } from './values.ts';

type Stored = { key: string; purpose: string; subject: string | null; detail: string; expires_at: number };

function toLink(row: Stored): LinkRow {
  return {
    key: row.key,
    purpose: row.purpose,
    subject: row.subject,
    detail: JSON.parse(row.detail),
    expiresAt: row.expires_at,
  };
}

export function createLinkStore(sql: Sql): LinkStore {
  const { knex } = sql;
  return {
    async insert(link) {
      const { key, purpose, subject, detail, expiresAt } = link;
      const row: Stored = { key, purpose, subject, detail: JSON.stringify(detail), expires_at: expiresAt };
      await sql.run(() => knex('links').insert(row));
    },

    async find(key) {
      if (!findable(key)) return undefined;
      const row: Stored | undefined = await sql.run(() => knex('links').where({ key }).first());
      return row === undefined ? undefined : toLink(row);
    },

    async take(key) {
      if (!findable(key)) return undefined;
      const rows: Stored[] = await sql.run(() => knex('links').where({ key }).delete().returning('*'));
      return rows[0] === undefined ? undefined : toLink(rows[0]);
    },

    async removeAll(purpose) {
      await sql.run(() => knex('links').where({ purpose }).delete());
    },
  };
}
