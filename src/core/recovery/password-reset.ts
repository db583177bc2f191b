/**
 * Password reset by a mailed link. Every request gets the same response after the same time; the account is looked up
 * after the response. Mails go only to the proved address, as stored: a claimed address may be another person's, and
 * two spellings that compare as equal may be two mailboxes.
 *
 * Others can request links for an account, so mails are limited, but the limits never lock its user out. A known
 * browser has its own counter. Elsewhere the last link of an hour works until the next one may be sent. Using a link
 * makes the browser known, so that failures by others do not throttle it.
 *
 * A link is bound to the password and address at its creation, so a new password ends all earlier links.
 */
import { digest, sameSecret } from '../../base/secrets.ts';
import type { Accounts, SetPasswordOutcome } from '../accounts/accounts.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import type { Links } from '../kernel/links.ts';
import { usernameKey } from '../kernel/names.ts';
import type { BrowserValue, KnownBrowsers } from '../known-browsers/known-browsers.ts';
import { strangersFacts } from '../mail/letter-facts.ts';
import type { MailLimits } from '../mail/mail-limits.ts';
import type { Letter } from '../mail/mailer.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account } from '../stores/accounts.ts';
import type { LinkRow } from '../stores/links.ts';
import type { Stores } from '../stores/stores.ts';

interface ResetLink {
  /** Path and query on this server. */
  readonly path: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Lifetime of the link. */
  readonly seconds: number;
}

type ResetOutcome =
  /** `account` has the new password. `browser`: its new cookie value. */
  | { readonly outcome: 'changed'; readonly account: Account; readonly browser?: BrowserValue | undefined }
  | Extract<SetPasswordOutcome, { outcome: 'weak-password' }>
  /** The link is unknown, used or expired, or the account has changed since. */
  | { readonly outcome: 'gone' };

interface PasswordReset {
  /**
   * `typed`: a username or an e-mail address. `query`: added to the link, so that its page can lead back to the client.
   */
  request(
    typed: string,
    caller: Caller,
    query?: Readonly<Record<string, string>>,
  ): Promise<{ outcome: 'asked' } | { outcome: 'throttled'; retryAfter: number }>;
  /** For an admin to hand over. Works without a proved address, too. */
  makeLink(account: Account, caller: Caller): Promise<ResetLink>;
  /** Returns the mail with this link, or undefined if the account has no proved address. */
  letter(account: Account, link: ResetLink, caller: Caller): Letter | undefined;
  /** Returns the account whose password the link sets. Does not consume the link. */
  look(token: string): Promise<Account | undefined>;
  /**
   * Sets the password, ends all sessions and tokens, and unlinks the upstream identities that are not in
   * `keepIdentities`. If the password is refused, the link stays valid.
   */
  complete(token: string, password: string, keepIdentities: readonly string[], caller: Caller): Promise<ResetOutcome>;
}

export function createPasswordReset(deps: {
  stores: Pick<Stores, 'accounts'>;
  accounts: Pick<Accounts, 'setPassword'>;
  links: Links;
  mailLimits: Pick<MailLimits, 'mayAsk' | 'mayMailReset'>;
  knownBrowsers: Pick<KnownBrowsers, 'known' | 'met'>;
  mails: Mails;
  audit: Audit;
  config: { readonly mail: { readonly resetLinkTtl: number } };
}): PasswordReset {
  const { accounts, links, mailLimits: limits, knownBrowsers, mails, audit } = deps;
  const store = deps.stores.accounts;
  const linkSeconds = deps.config.mail.resetLinkTtl;
  const written = createCallerRecord(audit);

  const find = async (typed: string): Promise<Account | undefined> => {
    const key = usernameKey(typed);
    if (key === undefined) return undefined;
    return (await store.byUsernameKey(key)) ?? (key.includes('@') ? store.byVerifiedEmailKey(key) : undefined);
  };

  async function make(
    account: Account,
    query: Readonly<Record<string, string>> = {},
    seconds: number = linkSeconds,
  ): Promise<ResetLink> {
    const { subject } = account;
    const link = { subject, detail: { stamp: stamp(account) }, seconds };
    const { token, expiresAt } = await links.make('reset-password', link);
    return { path: `/reset?${new URLSearchParams({ token, ...query })}`, expiresAt, seconds };
  }

  const letter: PasswordReset['letter'] = (account, { path, seconds }, caller) => {
    const { email: to, verified, subject } = account;
    if (to === null || !verified) return undefined;
    const locale = account.locale ?? caller.locale ?? 'en';
    return { kind: 'reset-password', to, locale, subject, path, seconds, facts: strangersFacts(account, caller) };
  };

  async function holder(link: LinkRow | undefined): Promise<Account | undefined> {
    const account = link?.subject ? await store.bySubject(link.subject) : undefined;
    const made = link?.detail.stamp;
    const holds = account?.disabledAt === null && typeof made === 'string' && sameSecret(made, stamp(account));
    return holds ? account : undefined;
  }

  return {
    async request(typed, caller, query) {
      const may = await limits.mayAsk(caller.address);
      if (!may.allowed) return { outcome: 'throttled', retryAfter: may.retryAfter };
      mails.later(async () => {
        const account = await find(typed.trim());
        if (!account || account.disabledAt !== null) return undefined;
        const { subject, verified, email } = account;
        const { browser } = caller;
        const knownBrowser = browser === undefined ? undefined : await knownBrowsers.known(browser, subject);
        const proved = verified && email !== null;
        const may = proved ? await limits.mayMailReset(stamp(account), knownBrowser) : ({ allowed: false } as const);
        audit.note('reset.requested', { subject, caller, detail: { mailed: may.allowed } });
        if (!may.allowed) return undefined;
        const link = await make(account, query, Math.max(linkSeconds, may.seconds));
        return letter(account, link, caller);
      });
      return { outcome: 'asked' };
    },

    async makeLink(account, caller) {
      const link = await make(account);
      await written('reset.link_made', account.subject, caller);
      return link;
    },

    letter,

    look: async (token) => holder(await links.look('reset-password', token)),

    async complete(token, password, keepIdentities, caller) {
      const set = await links.spend<ResetOutcome>('reset-password', token, async (link) => {
        const account = await holder(link);
        if (!account) return { done: true, result: { outcome: 'gone' } };
        let passwordHash = account.passwordHash;
        const outcome = await accounts.setPassword(account.subject, password, {
          endSessions: true,
          keepIdentities,
          over: account.passwordHash,
          caller,
          stored: (hash) => {
            passwordHash = hash;
          },
        });
        switch (outcome.outcome) {
          case 'changed':
            return { done: true, result: { outcome: 'changed', account: { ...account, passwordHash } } };
          case 'weak-password':
            return { done: false, result: outcome };
          case 'not-found':
            return { done: true, result: { outcome: 'gone' } };
        }
      });
      if (set?.outcome !== 'changed') return set ?? { outcome: 'gone' };
      // A failure here does not fail the reset.
      const browser = await knownBrowsers.met(set.account.subject, caller.browser, token).catch(() => undefined);
      return { ...set, browser };
    },
  };
}

/** Reveals nothing about the password, because the stored hash is salted. */
function stamp({ passwordHash, emailKey }: Account): string {
  return digest(`${passwordHash ?? ''} ${emailKey ?? ''}`);
}
