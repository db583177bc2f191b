/**
 * What others are told of a person's names: applications, the services behind the gateway, other people's pages. A name that
 * reads as an e-mail address says "this is their address" to everyone who reads it, so it is told only if it is proved.
 */
import { displayName, emailKey, readsAsAddress } from '../kernel/names.ts';
import type { Account } from '../stores/accounts.ts';

type Named = Pick<Account, 'username' | 'usernameKey' | 'email' | 'emailKey' | 'verified' | 'firstName' | 'lastName'>;

/** Whether a name of this account is told: it does not read as an address, or as the one that is proved. */
export function isTold(name: string, { verified, emailKey: key }: Pick<Named, 'verified' | 'emailKey'>): boolean {
  return !readsAsAddress(name) || (verified && key !== null && emailKey(name) === key);
}

/** Returns undefined if the name reads as an address that this account has not proved. */
export function toldUsername(account: Pick<Named, 'username' | 'verified' | 'emailKey'>): string | undefined {
  return isTold(account.username, account) ? account.username : undefined;
}

/** What the person is called; undefined if neither the names they gave nor their username are told. */
export function toldName(account: Named): string | undefined {
  return [displayName(account), account.username].find((name) => isTold(name, account));
}

/** Returns undefined if there is none, or if all that speaks for it is the account's own choice of a username. */
export function toldEmail({ email, emailKey: key, usernameKey, verified }: Named): string | undefined {
  return email === null || (!verified && key === usernameKey) ? undefined : email;
}
