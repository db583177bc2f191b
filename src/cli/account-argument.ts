/** Which account a command is about. */
import type { Account } from '../core/stores.ts';
import { type Arg, type CommandCore, type Outcome, refused } from './command.ts';

export const accountArg: Arg = { name: '<account>', sentence: 'Its username, its subject, or `id:` and its number.' };

/** The subject first: nobody chooses it, so nobody can take another's name for it. No username holds a colon. */
export async function findAccount(core: CommandCore, named: string): Promise<Account | undefined> {
  const number = /^id:(\d{1,15})$/.exec(named)?.[1];
  if (number !== undefined) return core.accounts.findById(Number(number));
  return (await core.accounts.findBySubject(named)) ?? (await core.accounts.findByUsername(named));
}

export const noAccount = (named: string): Outcome =>
  refused('not_found', `There is no account ${named}. See: accounts list`);
