/** Clients. Each write notes its change in the same transaction, so every process sees it. */
import type { Knex } from 'knex';
import type { ClientRecord, ClientStore } from '../../../core/stores/clients.ts';
import { findable, page, type Sql, statement } from '../sql.ts';
import { clients } from '../tables.ts';
import { noteChange, noteChanges } from './changes.ts';

const select = `${clients.select} left join accounts on accounts.subject = clients.owner`;
const find = statement('find_client', `${select} where clients.id = ?`);
const list = statement('list_clients', `${select} where clients.id > ? order by clients.id limit ?`);
const listOwned = statement(
  'list_owned_clients',
  `${select} where clients.owner = ? and clients.id > ? order by clients.id limit ?`,
);

/** For the test that an index serves each statement. */
export const clientStatements = [find, list, listOwned];

function changeable(client: ClientRecord): Record<string, unknown> {
  const { id, origin, createdAt, ...rest } = client;
  return clients.values(rest);
}

/** Their rows have the client's id in `client_id`. */
const dependent = ['registrations', 'grants', 'tokens', 'consents', 'sessions'];

/** What people allowed to a client. */
const given = ['consents', 'grants', 'tokens'];

/** Deletes the clients and all rows that depend on them. Returns how many there were. The caller notes the changes. */
export async function removeClients(trx: Knex.Transaction, ids: readonly string[]): Promise<number> {
  const gone = await trx('clients').whereIn('id', ids).delete();
  for (const table of dependent) await trx(table).whereIn('client_id', ids).delete();
  return gone;
}

/** Removes the clients of a deleted account. Notes the changes last, because a noted change blocks other writers. */
export async function removeOwned(trx: Knex.Transaction, owner: string): Promise<void> {
  const owned: string[] = await trx('clients').where({ owner }).orderBy('id').pluck('id');
  await removeClients(trx, owned);
  await noteChanges(trx, 'client', owned);
}

/** A client's state depends on its owner, so a change of the account outdates every cached copy. */
export async function ownerChanged(trx: Knex.Transaction, owner: string): Promise<void> {
  const owned: { id: string }[] = await trx('clients').where({ owner }).increment('version', 1).returning('id');
  await noteChanges(
    trx,
    'client',
    owned.map(({ id }) => id),
  );
}

/** Locks the owner's account until the commit: it cannot be disabled or deleted while the client is created. */
async function ownerLives(trx: Knex.Transaction, owner: string | null): Promise<boolean> {
  if (owner === null) return true;
  if (!findable(owner)) return false;
  return (await trx('accounts').where({ subject: owner, disabled_at: null }).forShare().first('id')) !== undefined;
}

export function createClientStore(sql: Sql): ClientStore {
  const { knex } = sql;
  return {
    insert: (client) =>
      sql.transaction(async (trx) => {
        const { id, owner } = client;
        if (!(await ownerLives(trx, owner))) return false;
        const made = await trx('clients').insert(clients.values(client)).onConflict('id').ignore().returning('id');
        if (made.length === 0) return false;
        await noteChange(trx, 'client', id);
        return true;
      }),

    async find(id) {
      if (!findable(id)) return undefined;
      const [row] = await sql.rows(find, [id]);
      return row && clients.read(row);
    },

    update: (client, { endConsents = false } = {}) =>
      sql.transaction(async (trx) => {
        const { id, version } = client;
        const changed = await trx('clients')
          .where({ id, version: version - 1 })
          .update(changeable(client));
        if (changed === 0) return false;
        if (endConsents) for (const table of given) await trx(table).where({ client_id: id }).delete();
        await noteChange(trx, 'client', id);
        return true;
      }),

    async delete(id) {
      if (!findable(id)) return false;
      return sql.transaction(async (trx) => {
        if ((await removeClients(trx, [id])) === 0) return false;
        await noteChange(trx, 'client', id);
        return true;
      });
    },

    async list(after, limit) {
      if (after !== '' && !findable(after)) return [];
      return (await sql.rows(list, [after, page(limit)])).map(clients.read);
    },

    async listOwned(owner, after, limit) {
      if (!findable(owner) || !findable(after)) return [];
      return (await sql.rows(listOwned, [owner, after, page(limit)])).map(clients.read);
    },

    async count() {
      const [row] = await sql.run(() => knex('clients').count({ n: '*' }));
      return Number(row?.n);
    },
  };
}
