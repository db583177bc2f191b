/** Accounts. Names and addresses are unique by the database itself, so two processes cannot both win. */
import type { Knex } from 'knex';
import type {
  AccountPatch,
  AccountStore,
  ImportedAccount,
  InsertedOrTaken,
  NewAccount,
  NewIdentity,
} from '../../core/stores.ts';
import { noteChange } from './changes.ts';
import { deleteClient } from './clients.ts';
import { takenColumn } from './failures.ts';
import { identityColumns } from './identities.ts';
import { accountsSeen } from './last-seen.ts';
import { accountColumns, inOrder, toAccount } from './rows.ts';
import { type Sql, statement } from './sql.ts';
import { findable, page } from './values.ts';

const select = `select ${accountColumns.join(', ')} from accounts`;
const bySubject = statement('account_by_subject', `${select} where subject = ?`);
const byId = statement('account_by_id', `${select} where id = ?`);
const byUsernameKey = statement('account_by_username', `${select} where username_key = ?`);
const byEmailKey = statement('account_by_email', `${select} where email_key = ?`);

const columnOf: Readonly<Record<keyof AccountPatch, string>> = {
  username: 'username',
  usernameKey: 'username_key',
  firstName: 'first_name',
  lastName: 'last_name',
  email: 'email',
  emailKey: 'email_key',
  verified: 'verified',
  twoFactor: 'two_factor',
  admin: 'admin',
  passwordHash: 'password_hash',
  disabledAt: 'disabled_at',
  lastSeenAt: 'last_seen_at',
  locale: 'locale',
};

/** The members of the patch that are there, under the names of their columns. */
function columns(patch: AccountPatch): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  for (const [member, column] of Object.entries(columnOf)) {
    const value: unknown = Reflect.get(patch, member);
    if (value !== undefined) named[column] = value;
  }
  return named;
}

function taken(error: unknown): { outcome: 'taken'; field: 'username' | 'email' } {
  const column = takenColumn(error, ['username_key', 'email_key'] as const);
  if (column === undefined) throw error;
  return { outcome: 'taken', field: column === 'username_key' ? 'username' : 'email' };
}

export function createAccountStore(sql: Sql): AccountStore {
  const { knex } = sql;

  async function find(by: typeof bySubject, value: string | number) {
    if (!findable(value)) return undefined;
    const [row] = await sql.rows(by, [value]);
    return row === undefined ? undefined : toAccount(row);
  }

  return {
    async insert(account: NewAccount, identity?: NewIdentity) {
      const row = {
        ...columns(account),
        subject: account.subject,
        created_at: account.createdAt,
        updated_at: account.createdAt,
      };
      const insert = (db: Knex) =>
        db('accounts')
          .insert(row)
          .returning([...accountColumns]);
      try {
        const [made] =
          identity === undefined
            ? await sql.run(() => insert(knex))
            : await sql.transaction(async (trx) => {
                const rows = await insert(trx);
                await trx('identities').insert(identityColumns(account.subject, identity));
                return rows;
              });
        const created = toAccount(inOrder(accountColumns, made));
        if (created === undefined) throw new Error('the database returned no account');
        return { outcome: 'created', account: created };
      } catch (error) {
        const known = takenColumn(error, ['provider_subject'] as const);
        return known === undefined ? taken(error) : { outcome: 'taken', field: 'username' };
      }
    },

    insertAll: (accounts, options = {}) => insertAll(sql, accounts, options.dryRun === true),

    bySubject: (subject) => find(bySubject, subject),
    byId: (id) => find(byId, id),
    byUsernameKey: (key) => find(byUsernameKey, key),

    async byVerifiedEmailKey(key) {
      const account = await find(byEmailKey, key);
      return account?.verified ? account : undefined;
    },

    async update(subject, patch, now) {
      if (!findable(subject)) return undefined;
      try {
        return await sql.transaction(async (trx) => {
          const [changed] = await trx('accounts')
            .where({ subject })
            .update({ ...columns(patch), updated_at: now })
            .returning([...accountColumns]);
          if (changed === undefined) return undefined;
          await noteChange(trx, 'account', subject);
          return toAccount(inOrder(accountColumns, changed));
        });
      } catch (error) {
        return taken(error);
      }
    },

    async replacePasswordHash(subject, { from, to }, now) {
      if (!findable(subject)) return undefined;
      return sql.transaction(async (trx) => {
        const [changed] = await trx('accounts')
          .where({ subject, password_hash: from })
          .update({ password_hash: to, updated_at: now })
          .returning([...accountColumns]);
        if (changed === undefined) return undefined;
        await noteChange(trx, 'account', subject);
        return toAccount(inOrder(accountColumns, changed));
      });
    },

    async releaseEmail(key, now) {
      if (!findable(key)) return false;
      return sql.transaction(async (trx) => {
        const [released] = await trx('accounts')
          .where({ email_key: key, verified: false })
          .whereNot({ username_key: key })
          .update({ email: null, email_key: null, updated_at: now })
          .returning('subject');
        if (released === undefined) return false;
        await noteChange(trx, 'account', String(released.subject));
        return true;
      });
    },

    touch: (marks) =>
      accountsSeen.mark(
        sql,
        marks.map(({ subject, at }) => [subject, at]),
      ),

    async delete(subject) {
      if (!findable(subject)) return false;
      return sql.transaction(async (trx) => {
        // The account first: what is being written for it at this moment is unusable without it.
        const gone = await trx('accounts').where({ subject }).delete();
        for (const table of [
          'factors',
          'passkeys',
          'identities',
          'devices',
          'sessions',
          'grants',
          'tokens',
          'consents',
          'links',
        ]) {
          await trx(table).where({ subject }).delete();
        }
        if (gone === 0) return false;
        // Applications that are this person's own have nobody left to answer for them.
        for (const id of await trx('clients').where({ owner: subject }).orderBy('id').pluck('id'))
          await deleteClient(trx, id);
        await noteChange(trx, 'account', subject);
        return true;
      });
    },

    async count() {
      const [row] = await sql.run(() => knex('accounts').count({ n: '*' }));
      return Number(row?.n);
    },

    async list(after, limit) {
      const rows = await sql.run(() =>
        knex('accounts').select(accountColumns).where('id', '>', after).orderBy('id').limit(page(limit)),
      );
      return rows.map((row) => toAccount(inOrder(accountColumns, row))).filter((account) => account !== undefined);
    },
  };
}

/** Thrown out of a transaction that is to leave nothing behind. */
class Unkept extends Error {
  readonly answers: readonly InsertedOrTaken[];
  constructor(answers: readonly InsertedOrTaken[]) {
    super('This was a dry run.');
    this.answers = answers;
  }
}

async function insertAll(
  sql: Sql,
  accounts: readonly ImportedAccount[],
  dryRun: boolean,
): Promise<readonly InsertedOrTaken[]> {
  if (accounts.length === 0) return [];
  const rows = accounts.map((account) => ({
    ...columns(account),
    subject: account.subject,
    created_at: account.createdAt,
    updated_at: account.createdAt,
  }));
  try {
    return await sql.transaction(async (trx) => {
      const made: { subject: string }[] = await trx('accounts').insert(rows).onConflict().ignore().returning('subject');
      const subjects = new Set(made.map(({ subject }) => subject));
      const left = accounts.filter(({ subject }) => !subjects.has(subject)).map(({ usernameKey }) => usernameKey);
      const taken = new Set(
        left.length === 0 ? [] : await trx('accounts').whereIn('username_key', left).pluck('username_key'),
      );
      const answers = accounts.map(({ subject, usernameKey }): InsertedOrTaken => {
        if (subjects.has(subject)) return { outcome: 'created' };
        return { outcome: 'taken', field: taken.has(usernameKey) ? 'username' : 'email' };
      });
      if (dryRun) throw new Unkept(answers);
      return answers;
    });
  } catch (error) {
    if (error instanceof Unkept) return error.answers;
    throw error;
  }
}
