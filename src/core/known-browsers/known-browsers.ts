/**
 * Browsers in which a user has signed in, or has set a password by a link. A cookie holds one value; its hash is stored
 * once for each account. The value opens nothing: the password is still required. A known browser has its own counters
 * for wrong passwords and requested mails, so that others cannot lock the user out (security.md B8). The pages offer
 * the accounts that are remembered in the browser, and a sign-in from an unknown browser causes a mail.
 *
 * A program (API surface) has no cookie; it is known by its name and network. Unknown accounts cost the same look-up
 * (B6). A new password forgets all other browsers. Each new account changes the value, so that a copy of the old one is
 * useless; it derives from the sign-in, so that a form sent twice gives one value.
 */
import { createHmac } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { createLru } from '../../base/lru.ts';
import { deriveKey, digest, randomToken } from '../../base/secrets.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { programOf } from '../kernel/program.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import { factsOf } from '../mail/letter-facts.ts';
import type { Letter } from '../mail/mailer.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { EngineStore } from '../stores/engine.ts';
import type { KnownBrowserRow, KnownBrowserStore } from '../stores/known-browsers.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';

export interface Arrival {
  readonly subject: string;
  /** Id of the sign-in. A second arrival with the same id, on any node, is a form that was sent twice. */
  readonly id: string;
  /** The untrusted value of the cookie. */
  readonly browser: string | undefined;
  /** The user was signed in here already, or learns of the sign-in in another way. */
  readonly again: boolean;
  /** The user wants to be remembered here. */
  readonly keep: boolean;
  readonly caller: Caller;
  /** Language of the mail, if the user has not chosen one. */
  readonly locale: string;
}

/** The new value of the browser's cookie. */
export interface BrowserValue {
  readonly value: string;
  /** The browser remembers an account. Otherwise the cookie ends when the browser closes. */
  readonly lasting: boolean;
}

interface KnownAccount {
  /** Of this pair of browser and account; valid only in this browser. */
  readonly id: string;
  readonly account: Account;
}

/** All throw `Unavailable` if storage is not available. */
export interface KnownBrowsers {
  /**
   * Returns the id of this browser for this account, or undefined if it is not known. An unknown account costs the
   * same.
   */
  known(browser: string | undefined, subject: string | undefined): Promise<string | undefined>;
  /** Call after a sign-in. Returns undefined if the cookie stays as it is. */
  arrived(arrival: Arrival): Promise<BrowserValue | undefined>;
  /** Call after a sign-in through a program. Does not wait. */
  programArrived(subject: string, caller: Caller): void;
  /** Call after the user has used a mailed link. `id`: the link's. */
  met(subject: string, browser: string | undefined, id: string): Promise<BrowserValue | undefined>;
  /** The accounts that are remembered in this browser, last used first. */
  accounts(browser: string | undefined): Promise<KnownAccount[]>;
  /** Returns false if this browser has no such account. */
  forget(browser: string | undefined, id: string, caller: Caller): Promise<boolean>;
  /** Forgets all browsers of the account except this one. */
  forgetOthers(subject: string, browser: string | undefined): Promise<void>;
}

const most = { ofAccount: 20, ofBrowser: 5 };
/** Seconds without a sign-in. Browsers keep no cookie for longer. */
export const rememberedSeconds = 400 * 86_400;
/** The same, for a browser that is known but not remembered. */
const quietSeconds = 30 * 86_400;
/** Mails per account, however many sign-ins there are. */
const mailsAnHour = 5;
/** Seconds. After this time a program from the same network causes a new mail. */
const placeSeconds = 90 * 86_400;
/** Seconds for which this process skips a place that it has already checked. */
const placeLookSeconds = 86_400;
/** Seconds. The longest that a sign-in can take. */
const arrivalSeconds = 86_400;

/** A reported sign-in. Only the first of any number of calls on all nodes stores it. */
interface Mark {
  readonly id: string;
  readonly seconds: number;
}

export function createKnownBrowsers(deps: {
  stores: {
    readonly knownBrowsers: KnownBrowserStore;
    readonly accounts: Pick<AccountStore, 'bySubject'>;
    readonly engine: Pick<EngineStore, 'insertOnce'>;
  };
  mails: Pick<Mails, 'later' | 'work'>;
  throttle: Throttle;
  audit: Audit;
  secrets: { readonly secretKey: string };
  config: { readonly mail: { readonly newDevice: boolean } };
}): KnownBrowsers {
  const { mails, throttle, audit } = deps;
  const { knownBrowsers: store, accounts, engine } = deps.stores;
  const valueKey = deriveKey(deps.secrets.secretKey, 'devices');
  const tells = mails.work && deps.config.mail.newDevice;

  const placesSeen = createLru<number>(10_000);

  async function find(browser: string | undefined, subject: string): Promise<KnownBrowserRow | undefined> {
    return looksRight(browser) ? store.find(digest(browser), subject, nowSeconds()) : undefined;
  }

  /**
   * A form that is sent many times at once is written once: the writes would wait for each other at the account's row.
   */
  const underWay = new Map<string, Promise<BrowserValue | undefined>>();

  /** Makes the browser known for the account, and offers the account there if `shown`. */
  function keepHere(
    { subject, browser, id }: Pick<Arrival, 'subject' | 'browser' | 'id'>,
    shown: boolean,
    before: KnownBrowserRow | undefined,
  ): Promise<BrowserValue | undefined> {
    const former = looksRight(browser) ? browser : undefined;
    const isNew = before === undefined || (shown && !before.shown);
    const value = former === undefined || isNew ? valueFor(former, subject, id) : former;
    const key = JSON.stringify([value, subject, shown]);
    const kept = underWay.get(key) ?? write(value, { former, subject, shown, before });
    underWay.set(key, kept);
    return kept.finally(() => underWay.delete(key));
  }

  async function write(
    value: string,
    of: { former: string | undefined; subject: string; shown: boolean; before: KnownBrowserRow | undefined },
  ): Promise<BrowserValue | undefined> {
    const { former, subject, shown, before } = of;
    const now = nowSeconds();
    const row = {
      id: before?.id ?? randomToken(12),
      browser: digest(value),
      subject,
      shown,
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + (shown ? rememberedSeconds : quietSeconds),
    };
    if (!(await store.put(row, most, former && digest(former)))) return undefined;
    return { value, lasting: shown || (await store.ofBrowser(row.browser, now)).length > 0 };
  }

  /** Only the server's key can produce the value, and it differs for every sign-in. */
  function valueFor(former: string | undefined, subject: string, id: string): string {
    return createHmac('sha256', valueKey)
      .update(JSON.stringify([former ?? '', subject, id]))
      .digest('base64url');
  }

  /** Returns true to one of any number of calls with the same mark. */
  function isFirst({ id, seconds }: Mark, at: number): Promise<boolean> {
    const row = {
      key: digest(`arrival ${id}`),
      kind: 'Arrival',
      payload: '{}',
      grantId: null,
      clientId: null,
      subject: null,
      sessionUid: null,
      expiresAt: at + seconds,
    };
    return engine.insertOnce(row, at);
  }

  async function letterFor(
    { subject, caller, locale: theirs }: Pick<Arrival, 'subject' | 'caller' | 'locale'>,
    mark: Mark,
    at: number,
  ): Promise<Letter | undefined> {
    const account = await accounts.bySubject(subject);
    if (!account?.verified || account.email === null || account.disabledAt !== null) return undefined;
    if (!(await isFirst(mark, at))) return undefined;
    const may = await throttle.attempt([{ key: `new-sign-in:${subject}`, limit: mailsAnHour }], 3600);
    if (!may.allowed) return undefined;
    audit.note('device.reported', { subject, ...by(caller) });
    return {
      kind: 'new-sign-in',
      to: account.email,
      locale: account.locale ?? theirs,
      subject,
      path: '/account/sessions',
      facts: factsOf(account, caller, at),
    };
  }

  return {
    async known(browser, subject = 'unknown') {
      return (await find(browser, subject))?.id;
    },

    async arrived(arrival) {
      const { subject, browser, again, keep, caller } = arrival;
      const before = await find(browser, subject);
      if (!before?.shown && !again && tells) {
        const at = nowSeconds();
        mails.later(() => letterFor(arrival, { id: arrival.id, seconds: arrivalSeconds }, at));
      }
      // A remembered account stays so until the user forgets it.
      if (!keep && before?.shown) return undefined;
      const kept = await keepHere(arrival, keep, before);
      if (kept && keep && !before?.shown) audit.note('device.remembered', { subject, ...by(caller) });
      return kept;
    },

    programArrived(subject, caller) {
      if (!tells) return;
      const at = nowSeconds();
      const { program = '', system = '' } = programOf(caller.userAgent);
      const id = `place ${JSON.stringify([subject, addressNetwork(caller.address), program, system])}`;
      const key = digest(id);
      if (at < (placesSeen.get(key) ?? 0) + placeLookSeconds) return;
      mails.later(async () => {
        const letter = await letterFor({ subject, caller, locale: 'en' }, { id, seconds: placeSeconds }, at);
        placesSeen.set(key, at);
        return letter;
      });
    },

    async met(subject, browser, id) {
      const before = await find(browser, subject);
      return before?.shown ? undefined : keepHere({ subject, browser, id }, false, before);
    },

    async accounts(browser) {
      if (!looksRight(browser)) return [];
      const rows = await store.ofBrowser(digest(browser), nowSeconds());
      const found = await Promise.all(rows.map(({ subject }) => accounts.bySubject(subject)));
      return rows.flatMap(({ id }, i) => {
        const account = found[i];
        return account ? [{ id, account }] : [];
      });
    },

    async forget(browser, id, caller) {
      const subject = looksRight(browser) ? await store.remove(digest(browser), id) : undefined;
      if (subject === undefined) return false;
      audit.note('device.forgotten', { subject, ...by(caller) });
      return true;
    },

    async forgetOthers(subject, browser) {
      await store.removeAll(subject, looksRight(browser) ? digest(browser) : undefined);
    },
  };
}

function looksRight(browser: string | undefined): browser is string {
  return browser !== undefined && /^[A-Za-z0-9_-]{43}$/.test(browser);
}

function by(caller: Caller): AuditFields {
  const { via, userAgent } = caller;
  return { caller, detail: { via, ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 256) }) } };
}
