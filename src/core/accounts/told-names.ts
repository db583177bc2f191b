/**
 * Which names and addresses of an account others see: clients, services behind the gateway, other users' pages. A name
 * that reads as an e-mail address seems to be the user's own, so others see it only if it is proved.
 */
import { displayName, emailKey, readsAsAddress } from '../kernel/names.ts';
import type { Account } from '../stores/accounts.ts';

type Named = Pick<Account, 'username' | 'usernameKey' | 'email' | 'emailKey' | 'verified' | 'firstName' | 'lastName'>;

/** Returns true if the name does not read as an e-mail address, or is the account's proved address. */
export function isTold(name: string, { verified, emailKey: key }: Pick<Named, 'verified' | 'emailKey'>): boolean {
  return !readsAsAddress(name) || (verified && key !== null && emailKey(name) === key);
}

/** Returns undefined if the username reads as an address that the account has not proved. */
export function toldUsername(account: Pick<Named, 'username' | 'verified' | 'emailKey'>): string | undefined {
  return isTold(account.username, account) ? account.username : undefined;
}

/** Returns the display name or the username, or undefined if others may see neither. */
export function toldName(account: Named): string | undefined {
  return [displayName(account), account.username].find((name) => isTold(name, account));
}

/** Returns undefined if there is no address, or if it is only an unproved username. */
export function toldEmail({ email, emailKey: key, usernameKey, verified }: Named): string | undefined {
  return email === null || (!verified && key === usernameKey) ? undefined : email;
}
