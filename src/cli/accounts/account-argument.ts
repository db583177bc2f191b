/** Finds the account that a command names. */
import type { Account } from '../../core/stores/accounts.ts';
import { type Arg, type Call, type CommandCore, type Outcome, refused } from '../command.ts';

export const accountArg: Arg = { name: '<account>', sentence: 'Its username, its subject, or `id:` and its number.' };

/**
 * The subject first: no one chooses it, so no username can take another account's place. Usernames contain no colon.
 */
export async function findAccount(core: CommandCore, named: string): Promise<Account | undefined> {
  const number = /^id:(\d{1,15})$/.exec(named)?.[1];
  if (number !== undefined) return core.accounts.findById(Number(number));
  return (await core.accounts.findBySubject(named)) ?? (await core.accounts.findByUsername(named));
}

export const noAccount = ({ args: [named = ''] }: Call): Outcome =>
  refused('not_found', `There is no account ${named}. See: accounts list`);

/** Finds the account that the first argument names and calls `act` with it. */
export async function withAccount(
  call: Call,
  act: (account: Account, core: CommandCore) => Promise<Outcome>,
): Promise<Outcome> {
  const [named = ''] = call.args;
  const core = await call.core();
  const account = await findAccount(core, named);
  return account ? act(account, core) : noAccount(call);
}
