/** Imports accounts from another system, one batch per transaction. */
import type { ImportedAccount, InsertedOrTaken, NewAccount } from '../../../core/stores/accounts.ts';
import type { Sql } from '../sql.ts';
import { accounts } from '../tables.ts';

/** Defaults of a new account: null or false. Rows of one insert must have the same columns. */
const unset = Object.fromEntries(
  accounts.columns
    .filter(({ kind, nullable }) => nullable || kind === 'boolean')
    .map(({ name, nullable }) => [name, nullable ? null : false]),
);

export const newAccount = (account: NewAccount): Record<string, unknown> => ({
  ...unset,
  ...accounts.values({ ...account, updatedAt: account.createdAt }),
});

/** Thrown to roll back the transaction of a dry run. */
class Unkept extends Error {
  readonly answers: readonly InsertedOrTaken[];
  constructor(answers: readonly InsertedOrTaken[]) {
    super('This was a dry run.');
    this.answers = answers;
  }
}

export async function importAccounts(
  sql: Sql,
  imported: readonly ImportedAccount[],
  dryRun: boolean,
): Promise<readonly InsertedOrTaken[]> {
  if (imported.length === 0) return [];
  const rows = imported.map(newAccount);
  try {
    return await sql.transaction(async (trx) => {
      const made: { subject: string }[] = await trx('accounts').insert(rows).onConflict().ignore().returning('subject');
      const subjects = new Set(made.map(({ subject }) => subject));
      const left = imported.filter(({ subject }) => !subjects.has(subject)).map(({ usernameKey }) => usernameKey);
      const taken = new Set(
        left.length === 0 ? [] : await trx('accounts').whereIn('username_key', left).pluck('username_key'),
      );
      const answers = imported.map(({ subject, usernameKey }): InsertedOrTaken => {
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
