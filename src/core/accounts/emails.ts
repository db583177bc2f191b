/**
 * Changes or proves the e-mail address of an account, by a mailed link. The account gets the address only when the link
 * is used. So claiming an address first does not keep its owner from it, and a wrong address never gets a mail that
 * could open the account.
 *
 * If another account has the address, only its owner learns this, by mail. Every request gets the same response, and
 * the look-ups follow the response.
 *
 * The link alone is not enough, because a mistyped address is another person's mailbox. The page also requires a
 * session or the account's password.
 */

import type { Factors } from '../factors/factors.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import type { Links } from '../kernel/links.ts';
import { emailKey, emailProblem, type NameProblem } from '../kernel/names.ts';
import { factsOf, strangersFacts } from '../mail/letter-facts.ts';
import type { MailLimits } from '../mail/mail-limits.ts';
import type { Letter } from '../mail/mailer.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account } from '../stores/accounts.ts';
import type { Stores } from '../stores/stores.ts';
import type { EmailClaims } from './email-claims.ts';

type AskedOutcome =
  /** Also if no mail will be sent. */
  | { readonly outcome: 'asked' }
  | { readonly outcome: 'invalid'; readonly reason: NameProblem }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

type ConfirmOutcome =
  | { readonly outcome: 'confirmed'; readonly account: Account }
  /** Another account has proved the address since. */
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'gone' };

interface AskOptions {
  /** The caller is signed in as this user. */
  readonly signedIn?: boolean;
}

export interface PendingEmail {
  readonly account: Account;
  /** As the user typed it. */
  readonly email: string;
}

export interface Emails {
  /** Mails a link to this address. Works for the account's own unproved address, and repeatedly. */
  requestChange(subject: string, email: string, caller: Caller, options?: AskOptions): Promise<AskedOutcome>;
  /** Returns what the link would confirm, or undefined if it is not valid. Does not consume the link. */
  look(token: string): Promise<PendingEmail | undefined>;
  /** The caller has checked that the user can use the account. */
  confirm(token: string, caller: Caller): Promise<ConfirmOutcome>;
}

export function createEmails(deps: {
  stores: Pick<Stores, 'accounts'>;
  links: Links;
  mailLimits: MailLimits;
  mails: Mails;
  claims: Pick<EmailClaims, 'claim'>;
  factors: Pick<Factors, 'endChallenges'>;
  audit: Audit;
  config: { readonly mail: { readonly emailLinkTtl: number } };
}): Emails {
  const { links, mailLimits: limits, mails, claims, factors, audit } = deps;
  const store = deps.stores.accounts;
  const seconds = deps.config.mail.emailLinkTtl;
  const written = createCallerRecord(audit);

  /** Returns the mail to send, or undefined if none is due. */
  async function letterFor(
    subject: string,
    email: string,
    caller: Caller,
    signedIn: boolean,
  ): Promise<Letter | undefined> {
    const key = emailKey(email);
    const account = await store.bySubject(subject);
    if (key === undefined || account === undefined || account.disabledAt !== null) return undefined;
    const owner = await store.byVerifiedEmailKey(key);
    if (owner?.subject === subject) return undefined;
    if (!(await limits.mayConfirm(email, signedIn ? undefined : subject)).allowed) return undefined;
    // The same record in both cases, because users can read their own audit events.
    audit.note('email.requested', { subject, caller });
    if (owner) {
      const { email: to, locale } = owner;
      return {
        kind: 'address-known',
        to: to ?? email,
        locale: locale ?? caller.locale ?? 'en',
        subject: owner.subject,
        path: '/forgot',
        facts: strangersFacts(owner, caller),
      };
    }
    const detail = { email, before: account.emailKey };
    const { token } = await links.make('confirm-email', { subject, detail, seconds });
    return {
      kind: 'confirm-email',
      to: email,
      locale: account.locale ?? caller.locale ?? 'en',
      subject,
      path: `/verify-email?token=${token}`,
      seconds,
    };
  }

  /** Returns undefined if the account has changed since the link was made. */
  async function pending(link: Awaited<ReturnType<Links['look']>>): Promise<PendingEmail | undefined> {
    const { email, before } = link?.detail ?? {};
    if (!link?.subject || typeof email !== 'string') return undefined;
    const account = await store.bySubject(link.subject);
    // Confirming one address ends the links to others.
    const holds = account !== undefined && account.disabledAt === null && account.emailKey === (before ?? null);
    return holds ? { account, email } : undefined;
  }

  return {
    async requestChange(subject, email, caller, { signedIn = false } = {}) {
      const reason = emailProblem(email);
      if (reason !== undefined) return { outcome: 'invalid', reason };
      const may = await limits.mayAsk(caller.address);
      if (!may.allowed) return { outcome: 'throttled', retryAfter: may.retryAfter };
      // Checked before the response and for any address, so that no user waits for a mail that is never sent.
      const mine = signedIn ? await limits.mayChange(subject) : may;
      if (!mine.allowed) return { outcome: 'throttled', retryAfter: mine.retryAfter };
      mails.later(() => letterFor(subject, email, caller, signedIn));
      return { outcome: 'asked' };
    },

    look: async (token) => pending(await links.look('confirm-email', token)),

    async confirm(token, caller) {
      const confirmed = await links.spend<ConfirmOutcome>('confirm-email', token, async (link) => {
        const asked = await pending(link);
        if (!asked) return { done: true, result: { outcome: 'gone' } };
        const { account: before, email } = asked;
        const account = await claims.claim(before, email, caller);
        if (!account) return { done: true, result: { outcome: 'taken' } };
        const changed = before.email !== null && before.emailKey !== account.emailKey;
        // Warns the old address, in case another person has taken over the account.
        if (changed && before.verified && before.email !== null) {
          mails.send({
            kind: 'email-changed',
            to: before.email,
            locale: before.locale ?? caller.locale ?? 'en',
            subject: account.subject,
            path: '/',
            facts: factsOf(account, caller),
          });
        }
        await written(changed ? 'account.email_changed' : 'account.email_confirmed', account.subject, caller);
        // Links and codes were sent to the old address. They end even if the address comes back later.
        if (changed) await Promise.all([links.endAll(account.subject), factors.endChallenges(account.subject)]);
        return { done: true, result: { outcome: 'confirmed', account } };
      });
      return confirmed ?? { outcome: 'gone' };
    },
  };
}
