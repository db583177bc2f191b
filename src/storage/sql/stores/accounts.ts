/** Accounts. The database enforces unique usernames and addresses, also between processes. */
import type { Knex } from 'knex';
import type {
  Account,
  AccountEdit,
  AccountStore,
  EditedAccount,
  NewAccount,
  PasswordChange,
} from '../../../core/stores/accounts.ts';
import type { NewIdentity } from '../../../core/stores/identities.ts';
import { takenColumn } from '../failures.ts';
import { findable, page, type Sql, statement } from '../sql.ts';
import { accounts, identities } from '../tables.ts';
import { importAccounts, newAccount } from './account-import.ts';
import { noteChange } from './changes.ts';
import { ownerChanged, removeOwned } from './clients.ts';
import { accountsSeen } from './last-seen.ts';
import type { Outbox } from './outbox.ts';

const bySubject = statement('account_by_subject', `${accounts.select} where subject = ?`);
const byId = statement('account_by_id', `${accounts.select} where id = ?`);
const byUsernameKey = statement('account_by_username', `${accounts.select} where username_key = ?`);
const byEmailKey = statement('account_by_email', `${accounts.select} where email_key = ?`);

function taken(error: unknown): { outcome: 'taken'; field: 'username' | 'email' } {
  const column = takenColumn(error, ['username_key', 'email_key'] as const);
  if (column === undefined) throw error;
  return { outcome: 'taken', field: column === 'username_key' ? 'username' : 'email' };
}

async function replaceHash(trx: Knex, subject: string, { from, to }: PasswordChange, now: number) {
  const [changed] = await trx('accounts')
    .where({ subject, password_hash: from })
    .update(accounts.values({ passwordHash: to, updatedAt: now }))
    .returning(accounts.names());
  if (changed === undefined) return undefined;
  await noteChange(trx, 'account', subject);
  return accounts.readNamed(changed);
}

/** Locks the account's row for `work`. Returns undefined, and writes nothing, if there is no such account. */
export async function ofAccount<T>(
  sql: Sql,
  subject: string,
  work: (trx: Knex, account: { passwordHash: string | null }) => Promise<T>,
): Promise<T | undefined> {
  if (!findable(subject)) return undefined;
  return sql.transaction(async (trx) => {
    const account = await trx('accounts').where({ subject }).forUpdate().first('password_hash as passwordHash');
    return account === undefined ? undefined : work(trx, account);
  });
}

export function createAccountStore(sql: Sql, outbox: Outbox): AccountStore {
  const { knex } = sql;

  async function find(by: typeof bySubject, value: string | number) {
    if (!findable(value)) return undefined;
    const [row] = await sql.rows(by, [value]);
    return row && accounts.read(row);
  }

  async function insert(db: Knex, account: NewAccount): Promise<{ outcome: 'created'; account: Account }> {
    const [made] = await db('accounts').insert(newAccount(account)).returning(accounts.names());
    return { outcome: 'created', account: accounts.readNamed(made) };
  }

  return {
    async insert(account: NewAccount, identity?: NewIdentity) {
      try {
        if (identity === undefined) return await sql.run(() => insert(knex, account));
        return await sql.transaction(async (trx) => {
          const made = await insert(trx, account);
          await trx('identities').insert(identities.values({ ...identity, subject: account.subject }));
          return made;
        });
      } catch (error) {
        const known = takenColumn(error, ['provider_subject'] as const);
        return known === undefined ? taken(error) : { outcome: 'taken', field: 'username' };
      }
    },

    async insertInvited(account, linkKey) {
      if (!findable(linkKey)) return { outcome: 'gone' };
      try {
        return await sql.transaction(async (trx) => {
          // The link goes first: a concurrent call waits here and finds it gone.
          if ((await trx('links').where({ key: linkKey }).delete()) === 0) return { outcome: 'gone' };
          return insert(trx, account);
        });
      } catch (error) {
        return taken(error);
      }
    },

    insertAll: (imported, options = {}) => importAccounts(sql, imported, options.dryRun === true),

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
            .update(accounts.values({ ...patch, updatedAt: now }))
            .returning(accounts.names());
          if (changed === undefined) return undefined;
          if (patch.disabledAt !== undefined) await ownerChanged(trx, subject);
          await noteChange(trx, 'account', subject);
          return accounts.readNamed(changed);
        });
      } catch (error) {
        return taken(error);
      }
    },

    async edit<Stop>(
      subject: string,
      now: number,
      decide: (account: Account) => AccountEdit<Stop>,
      { demotes = false }: { readonly demotes?: boolean } = {},
    ): Promise<EditedAccount<Stop>> {
      if (!findable(subject)) return { outcome: 'not-found' };
      try {
        return await sql.transaction(async (trx): Promise<EditedAccount<Stop>> => {
          // Before the account's own row, because administrators are always locked in one order.
          const last = demotes && (await isLastAdmin(trx, subject));
          const held = await trx('accounts').where({ subject }).forUpdate().first(accounts.names());
          if (held === undefined) return { outcome: 'not-found' };
          const before = accounts.readNamed(held);
          const decided = decide(before);
          if ('stop' in decided) return { outcome: 'stopped', stop: decided.stop };
          if (last && decided.patch.admin === false) return { outcome: 'last-admin' };
          const [changed] = await trx('accounts')
            .where({ subject })
            .update(accounts.values({ ...decided.patch, updatedAt: now }))
            .returning(accounts.names());
          await noteChange(trx, 'account', subject);
          return { outcome: 'changed', before, account: accounts.readNamed(changed) };
        });
      } catch (error) {
        return taken(error);
      }
    },

    async replacePasswordHash(subject, change, now) {
      if (!findable(subject)) return undefined;
      return sql.transaction((trx) => replaceHash(trx, subject, change, now));
    },

    async resetPasswordHash(subject, change, keepIdentities, now) {
      if (!findable(subject)) return undefined;
      return sql.transaction(async (trx) => {
        // The account's row goes first: a concurrent link waits here and finds a changed password.
        if ((await replaceHash(trx, subject, change, now)) === undefined) return undefined;
        const kept = new Set(keepIdentities);
        const all: { id: string; provider: string }[] = await trx('identities')
          .where({ subject })
          .select('id', 'provider');
        const unlinked = all.filter(({ id }) => !kept.has(id));
        const ids = unlinked.map(({ id }) => id);
        await trx('identities').where({ subject }).whereIn('id', ids).delete();
        return { unlinked: unlinked.map(({ id, provider }) => ({ id, provider })) };
      });
    },

    async releaseEmail(key, { username, usernameKey }, now) {
      if (!findable(key)) return undefined;
      return sql.transaction(async (trx) => {
        const named = (column: string, name: string) =>
          trx.raw('case when username_key = ? then ? else ?? end', [key, name, column]);
        const [released] = await trx('accounts')
          .where({ email_key: key, verified: false, admin: false })
          .update({
            email: null,
            email_key: null,
            updated_at: now,
            username: named('username', username),
            username_key: named('username_key', usernameKey),
          })
          .returning(['subject', 'username_key']);
        if (released === undefined) return undefined;
        const subject = String(released.subject);
        await noteChange(trx, 'account', subject);
        return { subject, renamed: released.username_key === usernameKey };
      });
    },

    touch: (marks) =>
      accountsSeen.mark(
        sql,
        marks.map(({ subject, at }) => ({ key: [subject], at })),
      ),

    async delete(subject) {
      if (!findable(subject)) return 'not-found';
      return outbox.transaction(async (trx, ending) => {
        if (await isLastAdmin(trx, subject)) return 'last-admin';
        // The account goes first: a row written for it at this moment is unusable without it.
        const gone = await trx('accounts').where({ subject }).delete();
        for (const table of [
          'factors',
          'passkeys',
          'identities',
          'devices',
          'group_members',
          'grants',
          'tokens',
          'consents',
          'links',
        ]) {
          await trx(table).where({ subject }).delete();
        }
        await ending.endSessions('subject = ?', [subject]);
        if (gone === 0) return 'not-found';
        // A client must not outlive its owner.
        await removeOwned(trx, subject);
        await noteChange(trx, 'account', subject);
        return 'removed';
      });
    },

    async count() {
      const [row] = await sql.run(() => knex('accounts').count({ n: '*' }));
      return Number(row?.n);
    },

    async list(after, limit) {
      const rows = await sql.run(() =>
        knex('accounts').select(accounts.names()).where('id', '>', after).orderBy('id').limit(page(limit)),
      );
      return rows.map(accounts.readNamed);
    },
  };
}

/**
 * True if the account is the last enabled administrator. Locks two administrators in the order of their ids: of two
 * concurrent removals the second sees the first, and they cannot deadlock.
 */
async function isLastAdmin(trx: Knex, subject: string): Promise<boolean> {
  const account = await trx('accounts').where({ subject }).first('admin');
  if (!account?.admin) return false;
  const admins: string[] = await trx('accounts')
    .where({ admin: true, disabled_at: null })
    .orderBy('id')
    .limit(2)
    .forUpdate()
    .pluck('subject');
  return admins.every((admin) => admin === subject);
}
