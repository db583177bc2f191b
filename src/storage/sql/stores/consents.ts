/** What people have allowed applications, one row per person and client. */
import type { ConsentStore } from '../../../core/stores/consents.ts';
import { type Sql, statement } from '../sql.ts';
import { consents } from '../tables.ts';
import { findable } from '../values.ts';

const find = statement('find_consent', `${consents.select} where subject = ? and client_id = ?`);

/** One statement for many, as for last-seen times (last-seen.ts). */
export const consentsUsed = {
  sqlite: statement(
    'touch_consents',
    `update consents set last_used_at = m.at
     from (select value ->> 0 subject, value ->> 1 client, value ->> 2 at from json_each(?)) m
     where consents.subject = m.subject and consents.client_id = m.client and coalesce(last_used_at, 0) < m.at`,
  ),
  postgres: statement(
    'touch_consents',
    `with m as (
       select c.subject, c.client_id, q.at from unnest(?::text[], ?::text[], ?::bigint[]) q (subject, client, at)
       join consents c on c.subject = q.subject and c.client_id = q.client
       where c.subject = any (?::text[]) and coalesce(c.last_used_at, 0) < q.at
       order by c.subject, c.client_id for no key update of c
     )
     update consents c set last_used_at = m.at from m where c.subject = m.subject and c.client_id = m.client_id`,
  ),
};

export function createConsentStore(sql: Sql): ConsentStore {
  const { knex } = sql;
  return {
    async find(subject, clientId) {
      if (!findable(subject) || !findable(clientId)) return undefined;
      const [row] = await sql.rows(find, [subject, clientId]);
      return row && consents.read(row);
    },

    async put({ subject, clientId, scopes, claims, resources, updatedAt }) {
      const row = consents.values({ subject, clientId, scopes, claims, resources, updatedAt });
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

    async touch(marks) {
      if (marks.length === 0) return;
      if (sql.dialect === 'sqlite') {
        await sql.rows(consentsUsed.sqlite, [
          JSON.stringify(marks.map(({ subject, clientId, at }) => [subject, clientId, at])),
        ]);
        return;
      }
      const subjects = marks.map(({ subject }) => subject);
      await sql.rows(consentsUsed.postgres, [
        subjects,
        marks.map(({ clientId }) => clientId),
        marks.map(({ at }) => at),
        subjects,
      ]);
    },
  };
}
