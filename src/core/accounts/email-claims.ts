/**
 * An e-mail address belongs to the account that has proved it. Another account may have it unproved, and API surfaces
 * may accept it as a username (`NAMES_WITH_AT`). When a user proves the address, that account loses it as address and
 * as username, so claiming an address first does not keep its owner from it. The account continues under a random
 * username, and its sessions end, because their tokens contain the address.
 */
import { nowSeconds } from '../../base/clock.ts';
import { randomToken } from '../../base/secrets.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import { emailKey, usernameKey } from '../kernel/names.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Account, AccountPatch } from '../stores/accounts.ts';
import type { Stores } from '../stores/stores.ts';

/** An attacker may claim the address again each time it becomes free. Each try is one more race that they must win. */
export const claimTries = 5;

/** For an address that the user has just proved. All throw `Unavailable`. */
export interface EmailClaims {
  /** An account has proved the address. */
  isProved(email: string): Promise<boolean>;
  /** Takes the address from an account that has it unproved. */
  free(email: string, caller: Caller | undefined): Promise<void>;
  /** Gives the address to the account. Returns undefined if another account has proved it. */
  claim(account: Account, email: string, caller: Caller): Promise<Account | undefined>;
}

export function createEmailClaims(deps: {
  stores: Pick<Stores, 'accounts'>;
  sessions: Pick<Sessions, 'endAll'>;
  audit: Audit;
}): EmailClaims {
  const { sessions, audit } = deps;
  const store = deps.stores.accounts;
  const written = createCallerRecord(audit);

  async function free(email: string, caller: Caller | undefined): Promise<void> {
    const key = emailKey(email);
    if (key === undefined) return;
    const name = `user-${randomToken(9)}`;
    const released = await store.releaseEmail(
      key,
      { username: name, usernameKey: usernameKey(name) ?? name },
      nowSeconds(),
    );
    if (!released?.renamed) return;
    const { subject } = released;
    await sessions.endAll(subject);
    await written('account.renamed', subject, caller);
  }

  return {
    async isProved(email) {
      const key = emailKey(email);
      return key !== undefined && (await store.byVerifiedEmailKey(key)) !== undefined;
    },

    free,

    async claim(account, email, caller) {
      const key = emailKey(email);
      if (key === undefined) return undefined;
      // If the username is the old address, it becomes the new one: the old address may get another owner one day.
      const called = account.emailKey !== null && account.usernameKey === account.emailKey && account.emailKey !== key;
      const patch: AccountPatch = { email, emailKey: key, verified: true };
      const whole = called ? { ...patch, username: email, usernameKey: key } : patch;
      for (let tries = 0; tries < claimTries; tries += 1) {
        // If the account has the address already, there is nothing to free.
        if (account.emailKey !== key) await free(email, caller);
        const updated = await store.update(account.subject, whole, nowSeconds());
        if (updated === undefined || 'subject' in updated) return updated;
      }
      return undefined;
    },
  };
}
