/**
 * What others are told of a person's names: applications, the services behind the gateway, other people's pages. A username
 * that reads as an e-mail address says "this is their address" to everyone who reads it, so it is told only if it is proved.
 */
import { displayName, emailKey, readsAsAddress } from './names.ts';
import type { Account } from './stores/accounts.ts';

type Named = Pick<Account, 'username' | 'usernameKey' | 'email' | 'emailKey' | 'verified' | 'firstName' | 'lastName'>;

/** Returns undefined if the name reads as an address that this account has not proved. */
export function toldUsername({ username, verified, emailKey: key }: Pick<Named, 'username' | 'verified' | 'emailKey'>) {
  const told = !readsAsAddress(username) || (verified && key !== null && emailKey(username) === key);
  return told ? username : undefined;
}

/** What the person is called; undefined if they gave no names and their username is not told. */
export function toldName(account: Named): string | undefined {
  const name = displayName(account);
  return name === account.username ? toldUsername(account) : name;
}

/** Returns undefined if there is none, or if all that speaks for it is the account's own choice of a username. */
export function toldEmail({ email, emailKey: key, usernameKey, verified }: Named): string | undefined {
  return email === null || (!verified && key === usernameKey) ? undefined : email;
}
