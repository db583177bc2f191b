/** The account behind a name, and its hash kept up to date: what a sign-in with a password needs of the store. */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';

export function createPasswordAccounts(parts: { accounts: AccountStore; hasher: PasswordHasher; log: Logger }) {
  const { accounts, hasher, log } = parts;

  return {
    async find(key: string | undefined): Promise<Account | undefined> {
      if (key === undefined) return undefined;
      // A username wins over an e-mail address; core/accounts sees to it that the two never belong to two people.
      return (await accounts.byUsernameKey(key)) ?? (key.includes('@') ? accounts.byVerifiedEmailKey(key) : undefined);
    },

    /** The account with a hash of today's parameters. Where that cannot be had the next sign-in tries again. */
    async rehashed(account: Account, password: string): Promise<Account> {
      if (account.passwordHash === null || !hasher.needsRehash(account.passwordHash)) return account;
      try {
        const hash = {
          from: account.passwordHash,
          to: await hasher.hash(password, { standsAlone: hasher.standsAlone(account.passwordHash) }),
        };
        // The password may have been changed since it was read: the old one must not come back.
        const changed = await accounts.replacePasswordHash(account.subject, hash, nowSeconds());
        if (changed !== undefined) return changed;
        // Or another sign-in has replaced the hash, by one of this same password.
        const now = await accounts.bySubject(account.subject);
        const same = now?.disabledAt === null && (await hasher.verify(now.passwordHash, password));
        return same ? now : account;
      } catch (err) {
        log.warn({ err, subject: account.subject }, 'a password could not be rehashed; the next sign-in tries again');
        return account;
      }
    },
  };
}
