/** Consents, one row per user and client. */
import type { ConsentStore } from '../../../core/stores/consents.ts';
import { findable, type Sql, statement } from '../sql.ts';
import { consents } from '../tables.ts';
import { consentsUsed } from './last-seen.ts';

const find = statement('find_consent', `${consents.select} where subject = ? and client_id = ?`);

export function createConsentStore(sql: Sql): ConsentStore {
  const { knex } = sql;
  return {
    async find(subject, clientId) {
      if (!findable(subject) || !findable(clientId)) return undefined;
      const [row] = await sql.rows(find, [subject, clientId]);
      return row && consents.read(row);
    },

    async put({ subject, clientId, scopes, claims, resources, snapshot = null, updatedAt }) {
      const row = consents.values({ subject, clientId, scopes, claims, resources, snapshot, updatedAt });
      await sql.run(() =>
        knex('consents')
          .insert({ ...row, ...consents.values({ createdAt: updatedAt }) })
          .onConflict(['subject', 'client_id'])
          .merge(Object.keys(row)),
      );
    },

    async remove(subject, clientId) {
      if (!findable(subject) || !findable(clientId)) return false;
      return (await sql.run(() => knex('consents').where({ subject, client_id: clientId }).delete())) === 1;
    },

    async list(subject) {
      if (!findable(subject)) return [];
      const rows = await sql.run(() => knex('consents').where({ subject }).orderBy('client_id'));
      return rows.map(consents.readNamed);
    },

    touch: (marks) =>
      consentsUsed.mark(
        sql,
        marks.map(({ subject, clientId, at }) => ({ key: [subject, clientId], at })),
      ),
  };
}
