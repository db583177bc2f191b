/** One-time links. Taking one is deleting it, so only one taker gets it. */
import type { LinkRow, LinkStore } from '../../../core/stores/links.ts';
import { type Row, type Sql, type Statement, statement } from '../sql.ts';
import { findable } from '../values.ts';

const columns = 'key, purpose, subject, detail, expires_at';
const find = statement('find_link', `select ${columns} from links where key = ?`);
const take = statement('take_link', `delete from links where key = ? returning ${columns}`);

function toLink(row: Row): LinkRow {
  return {
    key: row[0] as string,
    purpose: row[1] as string,
    subject: row[2] as string | null,
    detail: JSON.parse(row[3] as string),
    expiresAt: row[4] as number,
  };
}

export function createLinkStore(sql: Sql): LinkStore {
  const { knex } = sql;

  async function read(how: Statement, key: string): Promise<LinkRow | undefined> {
    if (!findable(key)) return undefined;
    const [row] = await sql.rows(how, [key]);
    return row === undefined ? undefined : toLink(row);
  }

  return {
    async insert(link) {
      const { key, purpose, subject, detail, expiresAt } = link;
      const row = { key, purpose, subject, detail: JSON.stringify(detail), expires_at: expiresAt };
      await sql.run(() => knex('links').insert(row));
    },

    find: (key) => read(find, key),
    take: (key) => read(take, key),

    async removeOf(subject) {
      if (findable(subject)) await sql.run(() => knex('links').where({ subject }).delete());
    },

    async removeAll(purpose) {
      await sql.run(() => knex('links').where({ purpose }).delete());
    },
  };
}
