/**
 * Changes of an account by an operator, under the rules for the user's own changes. Each change is decided on the
 * locked row, so that concurrent changes are not lost.
 *
 * The effects match the user's own change. A new address ends the account's links and mailed codes, and the old address
 * gets a mail if it was proved. A new username ends the sessions, because their tokens contain the old one.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Factors } from '../factors/factors.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import type { Links } from '../kernel/links.ts';
import { emailKey, readsAsAddress, usernameKey } from '../kernel/names.ts';
import { factsOf } from '../mail/letter-facts.ts';
import type { Mails } from '../mail/mails.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Account, AccountEdit, AccountStore, EditedAccount } from '../stores/accounts.ts';
import { type FormProblem, formProblem } from './account-form.ts';
import { changedMembers, movingPatch } from './account-patch.ts';
import { type AttributeForm, changedAttributes, type InvalidAttribute, readAttributes } from './attributes.ts';
import { claimTries, type EmailClaims } from './email-claims.ts';
import { isTold } from './told-names.ts';

/** Members that are left out stay. */
export interface AccountChange {
  readonly username?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  /** Empty: removes the address. A new address is unproved unless `verified` is true. */
  readonly email?: string | undefined;
  readonly verified?: boolean | undefined;
  readonly attributes?: AttributeForm | undefined;
  readonly phoneVerified?: boolean | undefined;
  readonly admin?: boolean | undefined;
}

export type UpdateOutcome =
  /** `changed`: names of the changed members; empty if nothing changed. */
  | { readonly outcome: 'changed'; readonly account: Account; readonly changed: readonly string[] }
  /** `last-admin`: no admin would be left, so nothing was changed. */
  | { readonly outcome: 'not-found' | 'last-admin' }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }
  | Extract<FormProblem, { outcome: 'invalid' }>
  | InvalidAttribute
  /** The account has no such address or number. */
  | { readonly outcome: 'nothing-to-verify'; readonly field: 'email' | 'phone' };

/** Throws `Unavailable`. Resolves after the audit record is written. */
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

  /** If the operator marks the address as proved, an account that has it unproved loses it. */
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
    const { subject } = account;
    if (before.verified && before.email !== null) {
      const locale = before.locale ?? caller?.locale ?? 'en';
      mails.send({
        kind: 'email-changed',
        to: before.email,
        locale,
        subject,
        path: '/',
        facts: factsOf(account, caller),
      });
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
      // After the change, so that no session under the old name begins afterwards.
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
  // As in email-claims.ts: if the username is the old address, it becomes the new one.
  const called = account.emailKey !== null && account.usernameKey === account.emailKey && key !== account.emailKey;
  const username = change.username ?? (called ? (email ?? account.username) : account.username);

  // An unchanged username may be older than the rules, so it is not checked. But if it is a proved address, it must
  // stay proved.
  const { firstName, lastName } = change;
  const proved = readsAsAddress(account.username) && isTold(account.username, account);
  const asked = username !== account.username || proved ? username : 'unchanged';
  const form = { username: asked, firstName: firstName ?? '', lastName: lastName ?? '', verified };
  const problem = formProblem(form, email ?? undefined);
  if (problem !== undefined) return { stop: problem };

  const patch = movingPatch(account, {
    firstName,
    lastName,
    email,
    emailKey: key,
    verified,
    admin: change.admin,
    username,
    usernameKey: usernameKey(username),
    ...attributes,
    ...(change.phoneVerified !== undefined && { phoneVerified: change.phoneVerified }),
  });
  return patch === undefined ? { stop: { outcome: 'changed', account, changed: [] } } : { patch };
}
