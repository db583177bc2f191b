/** Accounts of another system, a batch in one transaction. */
import type { ImportedAccount, InsertedOrTaken } from '../../../core/stores/accounts.ts';
import type { Sql } from '../sql.ts';
import { newAccountColumns } from './account-columns.ts';

/** Thrown out of a transaction that is to leave nothing behind. */
class Unkept extends Error {
  readonly answers: readonly InsertedOrTaken[];
  constructor(answers: readonly InsertedOrTaken[]) {
    super('This was a dry run.');
    this.answers = answers;
  }
}

export async function importAccounts(
  sql: Sql,
  accounts: readonly ImportedAccount[],
  dryRun: boolean,
): Promise<readonly InsertedOrTaken[]> {
  if (accounts.length === 0) return [];
  const rows = accounts.map(newAccountColumns);
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
