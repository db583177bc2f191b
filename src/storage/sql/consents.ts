/** What people have allowed applications, one row per person and client. */
import type { ConsentRow, ConsentStore } from '../../core/stores.ts';
import { inOrder } from './rows.ts';
import { type Row, type Sql, statement } from './sql.ts';
import { findable } from './values.ts';

const columns = ['subject', 'client_id', 'scopes', 'claims', 'resources', 'updated_at'] as const;
const find = statement(
  'find_consent',
  `select ${columns.join(', ')} from consents where subject = ? and client_id = ?`,
);

function toConsent(row: Row): ConsentRow {
  return {
    subject: row[0] as string,
    clientId: row[1] as string,
    scopes: JSON.parse(row[2] as string),
    claims: JSON.parse(row[3] as string),
    resources: JSON.parse(row[4] as string),
    updatedAt: row[5] as number,
  };
}

export function createConsentStore(sql: Sql): ConsentStore {
  const { knex } = sql;
  return {
    async find(subject, clientId) {
      if (!findable(subject) || !findable(clientId)) return undefined;
      const [row] = await sql.rows(find, [subject, clientId]);
      return row === undefined ? undefined : toConsent(row);
    },

    async put(consent) {
      const row = {
        subject: consent.subject,
        client_id: consent.clientId,
        scopes: JSON.stringify(consent.scopes),
        claims: JSON.stringify(consent.claims),
        resources: JSON.stringify(consent.resources),
        updated_at: consent.updatedAt,
      };
      await sql.run(() => knex('consents').insert(row).onConflict(['subject', 'client_id']).merge());
    },

    async remove(subject, clientId) {
      if (!findable(subject) || !findable(clientId)) return false;
      return (await sql.run(() => knex('consents').where({ subject, client_id: clientId }).delete())) === 1;
    },

    async list(subject) {
      if (!findable(subject)) return [];
      const rows = await sql.run(() => knex('consents').where({ subject }).orderBy('client_id'));
      return rows.map((row) => toConsent(inOrder(columns, row)));
    },
  };
}
