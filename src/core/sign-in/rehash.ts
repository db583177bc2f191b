/** Replaces a hash with outdated parameters at sign-in, the only time the password is known. */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';

/** Returns the account with a hash of current parameters. If that fails, the next sign-in tries again. */
export async function rehashed(
  { accounts, hasher, log }: { accounts: AccountStore; hasher: PasswordHasher; log: Logger },
  account: Account,
  { from, password }: { from: string; password: string },
): Promise<Account> {
  try {
    const to = await hasher.hash(password, { standsAlone: hasher.standsAlone(from) });
    // Replaces the hash only if it is still `from`, so that a password changed since then stays.
    const changed = await accounts.replacePasswordHash(account.subject, { from, to }, nowSeconds());
    if (changed !== undefined) return changed;
    // Perhaps a concurrent sign-in has rehashed the same password.
    const now = await accounts.bySubject(account.subject);
    const same = now?.disabledAt === null && (await hasher.verify(now.passwordHash, password));
    return same ? now : account;
  } catch (err) {
    log.warn({ err, subject: account.subject }, 'a password could not be rehashed; the next sign-in tries again');
    return account;
  }
}
