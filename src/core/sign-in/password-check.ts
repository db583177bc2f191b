/** Whose name and password these are: the half of a sign-in that everybody goes through (core/sign-in has the order, and why). */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { usernameKey } from '../kernel/names.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { passwordLimit } from '../passwords/password-rules.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import { auditFields, type FailedSignIns, type Origin, type Refused } from './failed-sign-ins.ts';
import type { Attempt, SignInAttempts, Throttled } from './sign-in-attempts.ts';

export type PasswordRequest = Origin & {
  /** As typed: a username or a verified e-mail address. */
  readonly username: string;
  readonly password: string;
};

const usernameMax = 1024;

export function createPasswordCheck(parts: {
  accounts: AccountStore;
  hasher: PasswordHasher;
  attempts: SignInAttempts;
  failures: Pick<FailedSignIns, 'refused' | 'tooLong'>;
  log: Logger;
}) {
  const { accounts, hasher, attempts, failures, log } = parts;

  const find = async (key: string | undefined): Promise<Account | undefined> => {
    if (key === undefined) return undefined;
    // A username wins over somebody's e-mail address; core/accounts sees to it that the two never belong to two people.
    return (await accounts.byUsernameKey(key)) ?? (key.includes('@') ? accounts.byVerifiedEmailKey(key) : undefined);
  };

  /** The account with a hash of today's parameters. Where that cannot be had the next sign-in tries again. */
  const rehashed = async (account: Account, password: string): Promise<Account> => {
    if (account.passwordHash === null || !hasher.needsRehash(account.passwordHash)) return account;
    try {
      const hash = {
        from: account.passwordHash,
        to: await hasher.hash(password, { standsAlone: hasher.standsAlone(account.passwordHash) }),
      };
      // The password may have been changed meanwhile: the old one must not come back.
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
  };

  /** With the right password `next` is called, still within the attempt: what it cannot look at does not count either. */
  return async <T>(
    request: PasswordRequest,
    next: (account: Account, attempt: Attempt) => Promise<T>,
  ): Promise<T | Refused | Throttled> => {
    const { username, password } = request;
    if (username.length > usernameMax || password.length > 4 * passwordLimit) {
      // Whether there is such an account is not asked, so nothing may be said of it beyond what the name itself tells.
      return failures.tooLong(username.length > usernameMax ? 'unknown' : 'wrong');
    }
    const typed = username.trim();
    const key = usernameKey(typed);
    const found = await find(key);
    const person = { ...auditFields(request), subject: found?.subject };
    const attempt = { keys: await attempts.ofAccount(found?.subject, key ?? typed, request), person };

    return attempts.counted<T | Refused | Throttled>(attempt, async () => {
      const right = await hasher.verify(found?.passwordHash ?? null, password);
      if (found === undefined) return failures.refused('unknown', person);
      if (!right) return failures.refused('wrong', person);
      if (found.disabledAt !== null) return failures.refused('disabled', person);
      return next(await rehashed(found, password), attempt);
    });
  };
}
