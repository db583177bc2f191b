/** One-time links. Taking a link deletes it, so only one caller gets it. */
import type { LinkRow, LinkStore } from '../../../core/stores/links.ts';
import { findable, type Sql, type Statement, statement } from '../sql.ts';
import { links } from '../tables.ts';

const find = statement('find_link', `${links.select} where key = ?`);
const take = statement('take_link', `delete from links where key = ? returning ${links.list}`);

export function createLinkStore(sql: Sql): LinkStore {
  const { knex } = sql;

  async function read(how: Statement, key: string): Promise<LinkRow | undefined> {
    if (!findable(key)) return undefined;
    const [row] = await sql.rows(how, [key]);
    return row && links.read(row);
  }

  return {
    async insert(link) {
      await sql.run(() => knex('links').insert(links.values(link)));
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
