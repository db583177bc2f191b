/**
 * An operator's changes of an account, by the rules that hold for its person. Only what is named changes, and it is
 * decided on the account as it is at that moment, so that two changes at once lose nothing of each other.
 *
 * What hangs on it ends as it does when the person makes the same change: with another address its links and mailed
 * codes (and the address that was proved gets a word of it), with another username its sessions, whose tokens name the
 * old one.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Factors } from '../factors/factors.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import type { Links } from '../kernel/links.ts';
import { emailKey, readsAsAddress, usernameKey } from '../kernel/names.ts';
import type { Mails } from '../mail/mails.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Account, AccountEdit, AccountStore, EditedAccount } from '../stores/accounts.ts';
import { type FormProblem, formProblem } from './account-form.ts';
import { changedMembers, movingPatch } from './account-patch.ts';
import { type AttributeForm, changedAttributes, type InvalidAttribute, readAttributes } from './attributes.ts';
import { claimTries, type EmailClaims } from './email-claims.ts';
import { isTold } from './told-names.ts';

/** What is left out stays. */
export interface AccountChange {
  readonly username?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  /** Empty: none. A new address is unproved unless `verified` says otherwise. */
  readonly email?: string | undefined;
  readonly verified?: boolean | undefined;
  readonly attributes?: AttributeForm | undefined;
  readonly phoneVerified?: boolean | undefined;
  readonly admin?: boolean | undefined;
}

export type UpdateOutcome =
  /** `changed`: members of the account; empty where all of it was so already. */
  | { readonly outcome: 'changed'; readonly account: Account; readonly changed: readonly string[] }
  /** `last-admin`: no one would be left to administer this server, so nothing was changed. */
  | { readonly outcome: 'not-found' | 'last-admin' }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }
  | Extract<FormProblem, { outcome: 'invalid' }>
  | InvalidAttribute
  /** There is no address or number that could be known to be theirs. */
  | { readonly outcome: 'nothing-to-verify'; readonly field: 'email' | 'phone' };

/** All throw `Unavailable`; a change is on record when it resolves. */
interface AccountEdits {
  update(subject: string, change: AccountChange, caller?: Caller): Promise<UpdateOutcome>;
}

export function createAccountEdits(deps: {
  stores: { readonly accounts: Pick<AccountStore, 'edit'> };
  sessions: Pick<Sessions, 'endAll'>;
  changes: Pick<ChangeLog, 'changed'>;
  claims: Pick<EmailClaims, 'free' | 'isProved'>;
  links: Pick<Links, 'endAll'>;
  factors: Pick<Factors, 'endChallenges'>;
  mails: Pick<Mails, 'send'>;
  audit: Audit;
}): AccountEdits {
  const { sessions, changes, claims, links, factors, mails, audit } = deps;
  const store = deps.stores.accounts;

  const written = createCallerRecord(audit);

  /** An address that is known to be theirs goes from an account that only named it. */
  async function edited(
    subject: string,
    change: AccountChange,
    caller: Caller | undefined,
  ): Promise<EditedAccount<UpdateOutcome>> {
    const { email } = change;
    const claimed = email !== undefined && email !== '' && change.verified === true ? email : undefined;
    for (let tries = 1; ; tries += 1) {
      const decide = (account: Account) => decided(account, change);
      const outcome = await store.edit(subject, nowSeconds(), decide, { demotes: change.admin === false });
      const held = outcome.outcome === 'taken' && claimed !== undefined && tries < claimTries;
      if (!held || (await claims.isProved(claimed))) return outcome;
      await claims.free(claimed, caller);
    }
  }

  async function addressChanged(before: Account, account: Account, caller: Caller | undefined): Promise<void> {
    const { subject, username } = account;
    if (before.verified && before.email !== null) {
      const locale = before.locale ?? caller?.locale ?? 'en';
      mails.send({ kind: 'email-changed', to: before.email, locale, subject, path: '/', values: { username } });
    }
    await Promise.all([links.endAll(subject), factors.endChallenges(subject)]);
  }

  return {
    async update(subject, change, caller) {
      const outcome = await edited(subject, change, caller);
      if (outcome.outcome === 'stopped') return outcome.stop;
      if (outcome.outcome !== 'changed') return outcome;
      const { before, account } = outcome;
      if (before.emailKey !== account.emailKey && before.emailKey !== null)
        await addressChanged(before, account, caller);
      // After the change, as with a password: a session that begins in between begins under the new name.
      if (before.usernameKey !== account.usernameKey) await sessions.endAll(subject);
      await changes.changed();
      const changed = changedMembers(before, account);
      if (changed.length > 0) await written('account.updated', subject, caller, { changed: [...changed] });
      if (before.admin === account.admin) return { outcome: 'changed', account, changed };
      await written(account.admin ? 'account.promoted' : 'account.demoted', subject, caller);
      return { outcome: 'changed', account, changed: [...changed, 'admin'] };
    },
  };
}

function decided(account: Account, change: AccountChange): AccountEdit<UpdateOutcome> {
  const read = readAttributes(change.attributes ?? {});
  if (read.outcome === 'invalid') return { stop: read };
  const attributes = changedAttributes(account, read.change);
  const { phone = account.phone } = attributes;
  if (change.phoneVerified === true && phone === null)
    return { stop: { outcome: 'nothing-to-verify', field: 'phone' } };

  const email = change.email === undefined ? account.email : change.email || null;
  if (change.verified === true && email === null) return { stop: { outcome: 'nothing-to-verify', field: 'email' } };
  const key = email === null ? null : (emailKey(email) ?? null);
  const verified = email !== null && (change.verified ?? (key === account.emailKey && account.verified));
  // As in core/accounts/email-claims: who is called by their address is called by the new one.
  const called = account.emailKey !== null && account.usernameKey === account.emailKey && key !== account.emailKey;
  const username = change.username ?? (called ? (email ?? account.username) : account.username);

  // A name that was there before these rules stays. One that was proved must not be left without its proof.
  const { firstName, lastName } = change;
  const proved = readsAsAddress(account.username) && isTold(account.username, account);
  const asked = username !== account.username || proved ? username : 'unchanged';
  const form = { username: asked, firstName: firstName ?? '', lastName: lastName ?? '', verified };
  const problem = formProblem(form, email ?? undefined);
  if (problem !== undefined) return { stop: problem };

  const patch = movingPatch(account, {
    ...{ firstName, lastName, email, emailKey: key, verified, admin: change.admin },
    ...{ username, usernameKey: usernameKey(username) },
    ...attributes,
    ...(change.phoneVerified !== undefined && { phoneVerified: change.phoneVerified }),
  });
  return patch === undefined ? { stop: { outcome: 'changed', account, changed: [] } } : { patch };
}
