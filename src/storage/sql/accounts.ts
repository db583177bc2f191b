/** Accounts. Names and addresses are unique by the database itself, so two processes cannot both win. */
import type { AccountPatch, AccountStore, NewAccount } from '../../core/stores.ts';
import { takenColumn } from './failures.ts';
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
    async insert(account: NewAccount) {
      const row = {
        ...columns(account),
        subject: account.subject,
        created_at: account.createdAt,
        updated_at: account.createdAt,
      };
      try {
        const [made] = await sql.run(() =>
          knex('accounts')
            .insert(row)
            .returning([...accountColumns]),
        );
        const created = toAccount(inOrder(accountColumns, made));
        if (created === undefined) throw new Error('the database returned no account');
        return { outcome: 'created', account: created };
      } catch (error) {
        return taken(error);
      }
    },

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
        const [changed] = await sql.run(() =>
          knex('accounts')
            .where({ subject })
            .update({ ...columns(patch), updated_at: now })
            .returning([...accountColumns]),
        );
        return changed === undefined ? undefined : toAccount(inOrder(accountColumns, changed));
      } catch (error) {
        return taken(error);
      }
    },

    async delete(subject) {
      if (!findable(subject)) return false;
      return sql.transaction(async (trx) => {
        // The account first: what is being written for it at this moment is unusable without it.
        const gone = await trx('accounts').where({ subject }).delete();
        for (const table of ['sessions', 'grants', 'tokens', 'consents', 'links']) {
          await trx(table).where({ subject }).delete();
        }
        return gone === 1;
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
