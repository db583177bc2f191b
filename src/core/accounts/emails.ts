/**
 * The e-mail address of an account: changed, or proved for the first time, by a link that is mailed to it. Until then the account
 * does not have it. So nobody keeps an address from its owner by naming it first, and what an account has been given by mistake
 * or malice never gets a mail that could open the account.
 *
 * Whether an address is somebody's already is told to its owner, by mail, and to nobody else: asking has one answer, and the
 * look-ups come after it.
 *
 * The link alone is not enough: an address with a typing mistake is somebody else's mailbox. Whoever confirms is also signed in,
 * or gives the account's password; that is asked by the page.
 */

import type { Factors } from '../factors/factors.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import type { Links } from '../kernel/links.ts';
import { emailKey, emailProblem, type NameProblem } from '../kernel/names.ts';
import type { MailLimits } from '../mail/mail-limits.ts';
import type { Letter } from '../mail/mailer.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account } from '../stores/accounts.ts';
import type { Stores } from '../stores/stores.ts';
import type { EmailClaims } from './email-claims.ts';

type AskedOutcome =
  /** Also where no mail will come of it. */
  | { readonly outcome: 'asked' }
  | { readonly outcome: 'invalid'; readonly reason: NameProblem }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

type ConfirmOutcome =
  | { readonly outcome: 'confirmed'; readonly account: Account }
  /** Somebody else has proved it meanwhile. */
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'gone' };

interface AskOptions {
  /** The caller is signed in as the person whom it is about. */
  readonly signedIn?: boolean;
}

export interface PendingEmail {
  readonly account: Account;
  /** As it was typed. */
  readonly email: string;
}

export interface Emails {
  /** Mails a link to this address. Also for an address that the account has but has not proved, and to have the mail once more. */
  requestChange(subject: string, email: string, caller: Caller, options?: AskOptions): Promise<AskedOutcome>;
  /** What a link would confirm; undefined where it is no good (any more). Uses nothing up. */
  look(token: string): Promise<PendingEmail | undefined>;
  /** The caller has made sure that whoever asks can use the account. */
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

  /** The letter for what was asked, if there is to be one. */
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
    // The same record either way: a person may read their own trail.
    audit.note('email.requested', { subject, caller });
    if (owner) {
      const { subject, email: to, locale } = owner;
      return {
        kind: 'address-known',
        to: to ?? email,
        locale: locale ?? caller.locale ?? 'en',
        subject,
        path: '/forgot',
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

  /** What a link's row still stands for. */
  async function pending(link: Awaited<ReturnType<Links['look']>>): Promise<PendingEmail | undefined> {
    const { email, before } = link?.detail ?? {};
    if (!link?.subject || typeof email !== 'string') return undefined;
    const account = await store.bySubject(link.subject);
    // Confirming one address ends the links to others: the latest choice stands.
    const holds = account !== undefined && account.disabledAt === null && account.emailKey === (before ?? null);
    return holds ? { account, email } : undefined;
  }

  return {
    async requestChange(subject, email, caller, { signedIn = false } = {}) {
      const reason = emailProblem(email);
      if (reason !== undefined) return { outcome: 'invalid', reason };
      const may = await limits.mayAsk(caller.address);
      if (!may.allowed) return { outcome: 'throttled', retryAfter: may.retryAfter };
      // Before the answer, and whatever address it is: they are not to wait for a mail that will not come.
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
        // To the address that was: whoever took the account over must not be able to do it without a word.
        if (changed && before.verified && before.email !== null) {
          const { subject, username } = account;
          const letter = {
            kind: 'email-changed',
            to: before.email,
            locale: before.locale ?? caller.locale ?? 'en',
            subject,
          } as const;
          mails.send({ ...letter, path: '/', values: { username } });
        }
        await written(changed ? 'account.email_changed' : 'account.email_confirmed', account.subject, caller);
        // All of it names the address that was, and is no good from the change on: not even where the address comes back one day.
        if (changed) await Promise.all([links.endAll(account.subject), factors.endChallenges(account.subject)]);
        return { done: true, result: { outcome: 'confirmed', account } };
      });
      return confirmed ?? { outcome: 'gone' };
    },
  };
}
