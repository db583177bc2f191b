/**
 * Browsers in which people have signed in, or set a password by a link. A browser is known by one value in a cookie, whose hash is
 * stored once for each account. What that is good for:
 *
 * - Nobody is kept out for good: a browser that is known for an account has a counter of its own for wrong passwords, and for the
 *   mails that it asks for, so that a stranger who uses up the account's keeps only strangers out (security.md B8). It opens
 *   nothing: the password is still asked for, and no more of them can be tried here than anywhere else.
 * - Where the person has chosen to be remembered, the pages offer the account to choose from, and only here.
 * - A sign-in from a browser in which they have not is told to the person by mail.
 *
 * A program that takes the password (an API surface) has no cookie: it is known by its name and the network that it comes from, for a
 * season, so that one that signs in every hour is told of once, and a thief's first sign-in is told of too.
 *
 * A value says nothing by itself: forged or made for another account it is as good as none, and looking it up takes the same
 * whether or not there is such an account (B6). All are forgotten when the password is set, but the browser that set it.
 *
 * With each account that comes to a browser its value is another one: whoever copied the one before has nothing of those who use
 * that browser later. The new one is made from the sign-in, so that a form which is sent twice brings the browser one value.
 */
import { createHmac } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { createLru } from '../../base/lru.ts';
import { deriveKey, digest, randomToken } from '../../base/secrets.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { programOf } from '../kernel/program.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import type { Letter } from '../mail/mailer.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { EngineStore } from '../stores/engine.ts';
import type { KnownBrowserRow, KnownBrowserStore } from '../stores/known-browsers.ts';
import type { Throttle } from '../stores/throttle.ts';

export interface Arrival {
  readonly subject: string;
  /** Of the sign-in: one that comes twice, on whatever node, is a form that was sent twice. */
  readonly id: string;
  /** What the browser's cookie says; anybody can send anything. */
  readonly browser: string | undefined;
  /** They were signed in here already and have only proved it once more, or are told of it in another way. */
  readonly again: boolean;
  /** The person wants to be remembered here. */
  readonly keep: boolean;
  readonly caller: Caller;
  /** For the mail, where the person has not chosen one. */
  readonly locale: string;
}

/** What a browser is to say from now on. */
export interface BrowserValue {
  readonly value: string;
  /** Some account is remembered there; otherwise the cookie goes with the browser. */
  readonly lasting: boolean;
}

interface KnownAccount {
  /** Of this browser and account: good for nothing anywhere else. */
  readonly id: string;
  readonly account: Account;
}

/** All throw `Unavailable` where storage cannot answer. */
export interface KnownBrowsers {
  /** The id of this browser for this account; undefined where it is not known for it. Also asked for an account that there is not. */
  known(browser: string | undefined, subject: string | undefined): Promise<string | undefined>;
  /** Somebody has signed in. Undefined: the browser's cookie stays as it is. */
  arrived(arrival: Arrival): Promise<BrowserValue | undefined>;
  /** A person has signed in through a program. Nothing waits for what comes of it. */
  programArrived(subject: string, caller: Caller): void;
  /** Somebody has shown in another way whose account it is, once: by the link of this `id`. */
  met(subject: string, browser: string | undefined, id: string): Promise<BrowserValue | undefined>;
  /** Those that are remembered in this browser, last used first. */
  accounts(browser: string | undefined): Promise<KnownAccount[]>;
  /** False where this browser has no such account. */
  forget(browser: string | undefined, id: string, caller: Caller): Promise<boolean>;
  /** All of an account's but this browser. */
  forgetOthers(subject: string, browser: string | undefined): Promise<void>;
}

const most = { ofAccount: 20, ofBrowser: 5 };
/** Seconds without a sign-in; browsers keep no cookie for longer. */
export const rememberedSeconds = 400 * 86_400;
/** The same, of a browser that is known and remembers nobody. */
const quietSeconds = 30 * 86_400;
/** No account's owner is sent more of these within an hour, however often somebody signs in. */
const mailsAnHour = 5;
/** A program from the same network is told of anew after this. */
const placeSeconds = 90 * 86_400;
/** For so long this process goes by what it has found itself. */
const placeLookSeconds = 86_400;
/** As long as a sign-in can be under way. */
const arrivalSeconds = 86_400;

/** What has been told of: the first of any number of calls on all nodes stores it. */
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

  /** Of a form that is sent many times at once one is written: they would wait for each other at the account's row. */
  const underWay = new Map<string, Promise<BrowserValue | undefined>>();

  /** The account is known here from now on, and shown if it is to be. */
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

  /** Nobody without the key can tell it, and it is another for every sign-in. */
  function valueFor(former: string | undefined, subject: string, id: string): string {
    return createHmac('sha256', valueKey)
      .update(JSON.stringify([former ?? '', subject, id]))
      .digest('base64url');
  }

  /** Of any number of calls for one sign-in one gets true. */
  function isFirst({ id, seconds }: Mark, at: number): Promise<boolean> {
    const mark = { key: digest(`arrival ${id}`), kind: 'Arrival', payload: '{}', expiresAt: at + seconds };
    return engine.insertOnce({ ...mark, grantId: null, clientId: null, subject: null, sessionUid: null }, at);
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
    const locale = account.locale ?? theirs;
    const { program, system } = programOf(caller.userAgent);
    audit.note('device.reported', { subject, ...by(caller) });
    return {
      kind: 'new-sign-in',
      to: account.email,
      locale,
      subject,
      path: '/account/sessions',
      values: {
        username: account.username,
        time: timeOf(at, locale),
        program: [program, system].filter(Boolean).join(', ') || '—',
        address: caller.address ?? '',
      },
    };
  }

  return {
    async known(browser, subject = 'nobody') {
      return (await find(browser, subject))?.id;
    },

    async arrived(arrival) {
      const { subject, browser, again, keep, caller } = arrival;
      const before = await find(browser, subject);
      if (!before?.shown && !again && tells) {
        const at = nowSeconds();
        mails.later(() => letterFor(arrival, { id: arrival.id, seconds: arrivalSeconds }, at));
      }
      // Remembered once, an account is until it is forgotten.
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

function timeOf(seconds: number, locale: string): string {
  const form = { dateStyle: 'long', timeStyle: 'long', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(locale, form).format(seconds * 1000);
}
