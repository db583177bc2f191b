/**
 * An address belongs to the account whose person has proved it. An account may name one that is not proved, and API surfaces
 * may take one for a username (`NAMES_WITH_AT`); the person who proves it gets it from that account, its name included, so
 * naming an address first keeps no one from it. The account goes on under a name that says nothing, and its sessions end:
 * their tokens name the address as its own.
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

/** Whoever wants to keep an owner out may name the address anew the moment it is free, over and over. They would have to be lucky this often. */
export const claimTries = 5;

/** For an address whose owner has just proved it. All throw `Unavailable`. */
export interface EmailClaims {
  /** Somebody has proved it. */
  isProved(email: string): Promise<boolean>;
  /** Takes it from whoever only said so. */
  free(email: string, caller: Caller | undefined): Promise<void>;
  /** Gives it to an account; undefined where another has proved it too. */
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
      // Who is called by an address is called by the new one from now on: the old one may be somebody else's one day.
      const called = account.emailKey !== null && account.usernameKey === account.emailKey && account.emailKey !== key;
      const patch: AccountPatch = { email, emailKey: key, verified: true };
      const whole = called ? { ...patch, username: email, usernameKey: key } : patch;
      for (let tries = 0; tries < claimTries; tries += 1) {
        // Its own name is changed with the address.
        if (account.emailKey !== key) await free(email, caller);
        const updated = await store.update(account.subject, whole, nowSeconds());
        if (updated === undefined || 'subject' in updated) return updated;
      }
      return undefined;
    },
  };
}
