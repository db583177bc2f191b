/** Clients. Each write notes its change in the same transaction, so that no process can miss it. */
import type { Knex } from 'knex';
import type { ClientRecord, ClientStore } from '../../core/stores/clients.ts';
import { noteChange } from './changes.ts';
import { clientColumns, inOrder, toClient } from './rows.ts';
import { type Sql, statement } from './sql.ts';
import { findable, page } from './values.ts';

const find = statement('find_client', `select ${clientColumns.join(', ')} from clients where id = ?`);

function changeable(client: ClientRecord) {
  return {
    metadata: JSON.stringify(client.metadata),
    secrets: JSON.stringify(client.secrets),
    tokens: JSON.stringify(client.tokens),
    owner: client.owner,
    disabled_at: client.disabledAt,
    version: client.version,
    updated_at: client.updatedAt,
  };
}

/** With all that hangs on it; false where there is none. */
export async function deleteClient(trx: Knex.Transaction, id: string): Promise<boolean> {
  const gone = await trx('clients').where({ id }).delete();
  for (const table of ['grants', 'tokens', 'consents', 'sessions']) await trx(table).where({ client_id: id }).delete();
  if (gone === 0) return false;
  await noteChange(trx, 'client', id);
  return true;
}

export function createClientStore(sql: Sql): ClientStore {
  const { knex } = sql;
  return {
    insert: (client) =>
      sql.transaction(async (trx) => {
        const { id, origin, createdAt } = client;
        const made = await trx('clients')
          .insert({ id, origin, created_at: createdAt, ...changeable(client) })
          .onConflict('id')
          .ignore()
          .returning('id');
        if (made.length === 0) return false;
        await noteChange(trx, 'client', id);
        return true;
      }),

    async find(id) {
      if (!findable(id)) return undefined;
      const [row] = await sql.rows(find, [id]);
      return row === undefined ? undefined : toClient(row);
    },

    update: (client) =>
      sql.transaction(async (trx) => {
        const { id, version } = client;
        const changed = await trx('clients')
          .where({ id, version: version - 1 })
          .update(changeable(client));
        if (changed === 0) return false;
        await noteChange(trx, 'client', id);
        return true;
      }),

    async delete(id) {
      if (!findable(id)) return false;
      return sql.transaction((trx) => deleteClient(trx, id));
    },

    async list(after, limit) {
      const rows = await sql.run(() =>
        knex('clients').select(clientColumns).where('id', '>', after).orderBy('id').limit(page(limit)),
      );
      return rows.map((row) => toClient(inOrder(clientColumns, row)));
    },

    async listOwned(owner, after, limit) {
      if (!findable(owner) || !findable(after)) return [];
      const rows = await sql.run(() =>
        knex('clients').select(clientColumns).where({ owner }).where('id', '>', after).orderBy('id').limit(page(limit)),
      );
      return rows.map((row) => toClient(inOrder(clientColumns, row)));
    },

    async count() {
      const [row] = await sql.run(() => knex('clients').count({ n: '*' }));
      return Number(row?.n);
    },
  };
}
