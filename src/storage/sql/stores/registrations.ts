/** Registrations of clients, the initial access tokens for them, and the deletion of clients that have expired. */
import type { Knex } from 'knex';
import type { ExpiryTimes, InitialToken, RegistrationStore } from '../../../core/stores/registrations.ts';
import { findable, page, type Sql, statement } from '../sql.ts';
import { clients, initialTokens, registrations } from '../tables.ts';
import { noteChange, noteChanges } from './changes.ts';
import { removeClients } from './clients.ts';
import { registrationsUsed } from './last-seen.ts';

const find = statement('find_registration', `${registrations.select} where client_id = ?`);
const findToken = statement('find_initial_token', `${initialTokens.select} where hash = ?`);

/** For the test that an index serves each statement. */
export const registrationStatements = [find, findToken];

/** Locks the token until the commit. Returns false if it is gone, used up or expired. */
async function usable(trx: Knex.Transaction, id: string, now: number): Promise<boolean> {
  const row = await trx('initial_tokens').where({ id }).forUpdate().first(initialTokens.names());
  if (row === undefined) return false;
  const { usesMax, uses, expiresAt }: InitialToken = initialTokens.readNamed(row);
  return (usesMax === null || uses < usesMax) && (expiresAt === null || now < expiresAt);
}

/** Every write of a client waits for this row, so the count that follows is exact until the commit. */
async function countExactly(trx: Knex.Transaction): Promise<number> {
  await trx('change_counter').where({ id: 1 }).forUpdate().first('seq');
  return countOf(trx);
}

async function countOf(knex: Knex): Promise<number> {
  const [row] = await knex('registrations').count({ n: '*' });
  return Number(row?.n);
}

/** Unreviewed clients for which no consent was used lately. Postgres locks them until the commit. */
function expired(
  { dialect }: Pick<Sql, 'dialect'>,
  trx: Knex.Transaction,
  idleBefore: number,
  limit: number,
): Knex.QueryBuilder {
  const used = trx('consents')
    .select(trx.raw('1'))
    .where('consents.client_id', trx.ref('registrations.client_id'))
    .whereRaw('coalesce(consents.last_used_at, consents.updated_at) >= ?', [idleBefore]);
  const query = trx('registrations')
    .join('clients', 'clients.id', 'registrations.client_id')
    .whereNull('clients.reviewed_at')
    .whereNotExists(used)
    .limit(limit);
  // On SQLite, the transaction holds the write lock already.
  return dialect === 'postgres' ? query.forUpdate(['registrations', 'clients']).skipLocked() : query;
}

async function expiredIds(sql: Sql, trx: Knex.Transaction, times: ExpiryTimes, limit: number): Promise<string[]> {
  const { unusedBefore, idleBefore } = times;
  const unused: string[] = await expired(sql, trx, idleBefore, limit)
    .whereNull('registrations.last_used_at')
    .where('registrations.created_at', '<', unusedBefore)
    .pluck('registrations.client_id');
  if (unused.length >= limit) return unused;
  const idle: string[] = await expired(sql, trx, idleBefore, limit - unused.length)
    .where('registrations.last_used_at', '<', idleBefore)
    .pluck('registrations.client_id');
  return [...unused, ...idle];
}

export function createRegistrationStore(sql: Sql): RegistrationStore {
  const { knex } = sql;
  return {
    insert: (client, registration, most) =>
      sql.transaction(async (trx) => {
        const { initialToken, createdAt } = registration;
        if (initialToken !== null && !(await usable(trx, initialToken, createdAt))) return 'spent';
        if ((await countExactly(trx)) >= most) return 'full';
        const made = await trx('clients').insert(clients.values(client)).onConflict('id').ignore().returning('id');
        if (made.length === 0) return 'taken';
        await trx('registrations').insert(registrations.values(registration));
        if (initialToken !== null)
          await trx('initial_tokens')
            .where({ id: initialToken })
            .increment('uses', 1)
            .update({ last_used_at: createdAt });
        await noteChange(trx, 'client', client.id);
        return 'inserted';
      }),

    async find(clientId) {
      if (!findable(clientId)) return undefined;
      const [row] = await sql.rows(find, [clientId]);
      return row && registrations.read(row);
    },

    touch: (marks) =>
      registrationsUsed.mark(
        sql,
        marks.map(({ clientId, at }) => ({ key: [clientId], at })),
      ),

    count: () => sql.run(() => countOf(knex)),

    expire: (times, limit) =>
      sql.transaction(async (trx) => {
        const ids = await expiredIds(sql, trx, times, page(limit));
        if (ids.length === 0) return [];
        await removeClients(trx, ids);
        await noteChanges(trx, 'client', ids);
        return ids;
      }),

    async insertToken(token) {
      await sql.run(() => knex('initial_tokens').insert(initialTokens.values(token)));
    },

    async findToken(hash) {
      const [row] = await sql.rows(findToken, [hash]);
      return row && initialTokens.read(row);
    },

    async listTokens(limit) {
      const rows = await sql.run(() =>
        knex('initial_tokens')
          .select(initialTokens.names())
          .orderBy([{ column: 'created_at', order: 'desc' }, { column: 'id' }])
          .limit(page(limit)),
      );
      return rows.map(initialTokens.readNamed);
    },

    async removeToken(id) {
      if (!findable(id)) return false;
      return (await sql.run(() => knex('initial_tokens').where({ id }).delete())) > 0;
    },
  };
}
