/** Registrations of clients, the initial access tokens for them, and the deletion of clients that have expired. */
import type { Knex } from 'knex';
import type { ExpiryTimes, RegistrationStore } from '../../../core/stores/registrations.ts';
import { findable, page, type Sql, statement } from '../sql.ts';
import { clients, initialTokens, registrations } from '../tables.ts';
import { noteChange, noteChanges } from './changes.ts';
import { removeClients } from './clients.ts';
import { registrationsUsed } from './last-seen.ts';

const find = statement('find_registration', `${registrations.select} where client_id = ?`);
const findToken = statement('find_initial_token', `${initialTokens.select} where hash = ?`);

/** For the test that an index serves each statement. */
export const registrationStatements = [find, findToken];

/** Takes back the transaction. */
class Refused extends Error {
  readonly outcome: 'full' | 'spent';

  constructor(outcome: 'full' | 'spent') {
    super(outcome);
    this.outcome = outcome;
  }
}

/**
 * So near the highest number, the count is repeated under the lock of the change counter, which makes it exact. More
 * than there are connections: each holds one transaction.
 */
const nearby = 1000;

/** Counts a use of the token, if it has one left. */
async function useToken(trx: Knex.Transaction, id: string, now: number): Promise<void> {
  const used = await trx('initial_tokens')
    .where({ id })
    .where((left) => left.whereNull('uses_max').orWhere('uses', '<', trx.ref('uses_max')))
    .where((lasting) => lasting.whereNull('expires_at').orWhere('expires_at', '>', now))
    .increment('uses', 1)
    .update({ last_used_at: now });
  if (used === 0) throw new Refused('spent');
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
    async insert(client, registration, most) {
      const { initialToken, createdAt } = registration;
      try {
        return await sql.transaction(async (trx) => {
          const before = await countOf(trx);
          if (before >= most) return 'full';
          const made = await trx('clients').insert(clients.values(client)).onConflict('id').ignore().returning('id');
          if (made.length === 0) return 'taken';
          await trx('registrations').insert(registrations.values(registration));
          // Last, because other writers wait for these rows until the commit.
          if (initialToken !== null) await useToken(trx, initialToken, createdAt);
          await noteChange(trx, 'client', client.id);
          if (before >= most - nearby && (await countOf(trx)) > most) throw new Refused('full');
          return 'inserted';
        });
      } catch (error) {
        if (error instanceof Refused) return error.outcome;
        throw error;
      }
    },

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
