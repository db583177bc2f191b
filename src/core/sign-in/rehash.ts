/** A hash of former parameters is replaced at the next sign-in, the only time the password is known. */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';

/** Returns the account with a hash of today's parameters. If that fails, the next sign-in tries again. */
export async function rehashed(
  { accounts, hasher, log }: { accounts: AccountStore; hasher: PasswordHasher; log: Logger },
  account: Account,
  { from, password }: { from: string; password: string },
): Promise<Account> {
  try {
    const to = await hasher.hash(password, { standsAlone: hasher.standsAlone(from) });
    // The password may have been changed since it was read: the old one must not come back.
    const changed = await accounts.replacePasswordHash(account.subject, { from, to }, nowSeconds());
    if (changed !== undefined) return changed;
    // Or another sign-in has replaced the hash, by one of this same password.
    const now = await accounts.bySubject(account.subject);
    const same = now?.disabledAt === null && (await hasher.verify(now.passwordHash, password));
    return same ? now : account;
  } catch (err) {
    log.warn({ err, subject: account.subject }, 'a password could not be rehashed; the next sign-in tries again');
    return account;
  }
}
