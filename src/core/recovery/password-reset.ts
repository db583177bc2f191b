/**
 * A forgotten password: a link to the account's proved address, with which a new one is set. What somebody typed is answered the
 * same way in the same time whoever it names; whether there is anybody is looked up after the answer.
 *
 * Only a proved address is written to: one that was merely claimed may be a stranger's, or a trap for its owner (who would go on
 * in an account that somebody else prepared). The mail goes to the address as stored, never to what was typed: two addresses
 * that are compared as one may be two mailboxes.
 *
 * Anybody can ask for links in somebody's name, so there is an end to them; the person is kept out by none of it. In a browser that
 * is known for the account mails count for that browser, and elsewhere the last mail of an hour has a link that is good until
 * there may be another. Whoever uses a link makes their browser known, so that guesses at the password do not stop them either.
 *
 * A link is bound to the password and address of the moment it was made. So a new password, however it came about, ends all
 * earlier links.
 */
import { digest, sameSecret } from '../../base/secrets.ts';
import type { Accounts, SetPasswordOutcome } from '../accounts/accounts.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import type { Links } from '../kernel/links.ts';
import { usernameKey } from '../kernel/names.ts';
import type { BrowserValue, KnownBrowsers } from '../known-browsers/known-browsers.ts';
import type { MailLimits } from '../mail/mail-limits.ts';
import type { Letter } from '../mail/mailer.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account } from '../stores/accounts.ts';
import type { LinkRow } from '../stores/links.ts';
import type { Stores } from '../stores/stores.ts';

interface ResetLink {
  /** On this server, with its query. */
  readonly path: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** For which it is good. */
  readonly seconds: number;
}

type ResetOutcome =
  /** `account`: with the new password. `browser`: what it is known by from now on. */
  | { readonly outcome: 'changed'; readonly account: Account; readonly browser?: BrowserValue | undefined }
  | Extract<SetPasswordOutcome, { outcome: 'weak-password' }>
  /** The link is unknown, used or over, or the account is not what it was. */
  | { readonly outcome: 'gone' };

interface PasswordReset {
  /** `typed`: a username or an e-mail address. `query`: added to the link, for the page to lead back to where one came from. */
  request(
    typed: string,
    caller: Caller,
    query?: Readonly<Record<string, string>>,
  ): Promise<{ outcome: 'asked' } | { outcome: 'throttled'; retryAfter: number }>;
  /** For an admin to hand over: also for an account without a proved address. */
  makeLink(account: Account, caller: Caller): Promise<ResetLink>;
  /** The letter that carries such a link, where the account has a proved address. */
  letter(account: Account, link: ResetLink, locale: string): Letter | undefined;
  /** Whose password a link would set. Uses nothing up. */
  look(token: string): Promise<Account | undefined>;
  /**
   * Sets it, and ends all sessions and tokens, and of the accounts elsewhere that sign in here all but those of these ids. A password
   * that is refused leaves the link as it was.
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

  const letter: PasswordReset['letter'] = (
    { email, verified, username, subject, locale: theirs },
    { path, seconds },
    locale,
  ) =>
    email === null || !verified
      ? undefined
      : {
          ...{ kind: 'reset-password', to: email, locale: theirs ?? locale, subject, path },
          ...{ seconds, values: { username } },
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
        return letter(account, await make(account, query, Math.max(linkSeconds, may.seconds)), caller.locale ?? 'en');
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
      // Good to have: the password is set either way.
      const browser = await knownBrowsers.met(set.account.subject, caller.browser, token).catch(() => undefined);
      return { ...set, browser };
    },
  };
}

/** Says nothing about the password: the stored hash is salted. */
function stamp({ passwordHash, emailKey }: Account): string {
  return digest(`${passwordHash ?? ''} ${emailKey ?? ''}`);
}
