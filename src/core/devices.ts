/**
 * Browsers in which people have chosen to be remembered. A browser is known by one random value in a cookie, whose hash is stored
 * once for each account that was signed in there. What that is good for:
 *
 * - Nobody is kept out for good: a browser that is known for an account has a counter of its own for wrong passwords, so that a
 *   stranger who uses up the account's keeps only strangers out (security.md B8). It opens nothing: the password is still asked
 *   for, and no more of them can be tried here than anywhere else.
 * - The pages offer the accounts of this browser to choose from, and only here.
 * - A sign-in from any other browser is told to the person by mail.
 *
 * A value says nothing by itself: forged or made for another account it is as good as none, and looking it up takes the same
 * whether or not there is such an account (B6). All are forgotten when the password is set, but the browser that set it.
 */
import { nowSeconds } from '../base/clock.ts';
import { digest, randomToken } from '../base/secrets.ts';
import type { Audit, AuditFields } from './audit.ts';
import type { Letter } from './mailer.ts';
import type { Mails } from './mails.ts';
import { programOf } from './program.ts';
import type { Caller } from './sessions.ts';
import type { Account, AccountStore } from './stores/accounts.ts';
import type { DeviceRow, DeviceStore } from './stores/devices.ts';
import type { EngineStore } from './stores/engine.ts';
import type { Throttle } from './stores/throttle.ts';

export interface Arrival {
  readonly subject: string;
  /** Of the sign-in: one that comes twice, on whatever node, is a form that was sent twice. */
  readonly id: string;
  /** What the browser's cookie says; anybody can send anything. */
  readonly browser: string | undefined;
  /** They were signed in here already and have only proved it once more. */
  readonly again: boolean;
  /** The person wants to be remembered here. */
  readonly keep: boolean;
  readonly caller: Caller;
  /** For the mail, where the person has not chosen one. */
  readonly locale: string;
}

export interface KnownAccount {
  /** Of this browser and account: good for nothing anywhere else. */
  readonly id: string;
  readonly account: Account;
}

/** All throw `Unavailable` where storage cannot answer. */
export interface Devices {
  /** The id of this browser for this account; undefined where it is not known for it. Also asked for an account that there is not. */
  known(browser: string | undefined, subject: string | undefined): Promise<string | undefined>;
  /** Somebody has signed in. What the browser is to remember from now on, if anything. */
  arrived(arrival: Arrival): Promise<string | undefined>;
  /** Those of this browser, last used first. */
  accounts(browser: string | undefined): Promise<KnownAccount[]>;
  /** False where this browser has no such account. */
  forget(browser: string | undefined, id: string, caller: Caller): Promise<boolean>;
  /** All of an account's but this browser. */
  forgetOthers(subject: string, browser: string | undefined): Promise<void>;
}

const most = { ofAccount: 20, ofBrowser: 5 };
/** Seconds without a sign-in; browsers keep no cookie for longer. */
export const rememberedSeconds = 400 * 86_400;
/** No account's owner is sent more of these within an hour, however often somebody signs in. */
const mailsAnHour = 5;
/** As long as a sign-in can be under way. */
const arrivalSeconds = 86_400;

export function createDevices(deps: {
  store: DeviceStore;
  accounts: Pick<AccountStore, 'bySubject'>;
  mails: Pick<Mails, 'later'>;
  engine: Pick<EngineStore, 'insertOnce'>;
  throttle: Throttle;
  audit: Audit;
  settings: { readonly mail: boolean };
}): Devices {
  const { store, accounts, engine, mails, throttle, audit, settings } = deps;

  async function find(browser: string | undefined, subject: string): Promise<DeviceRow | undefined> {
    return looksRight(browser) ? store.find(digest(browser), subject, nowSeconds()) : undefined;
  }

  function put(browser: string, subject: string, before: DeviceRow | undefined): Promise<boolean> {
    const now = nowSeconds();
    return store.put(
      {
        id: before?.id ?? randomToken(12),
        browser: digest(browser),
        subject,
        createdAt: now,
        lastUsedAt: now,
        expiresAt: now + rememberedSeconds,
      },
      most,
    );
  }

  /** Of any number of calls for one sign-in one gets true. */
  function isFirst(id: string, at: number): Promise<boolean> {
    const mark = { key: digest(`arrival ${id}`), kind: 'Arrival', payload: '{}', expiresAt: at + arrivalSeconds };
    return engine.insertOnce({ ...mark, grantId: null, clientId: null, subject: null, sessionUid: null }, at);
  }

  async function letterFor({ subject, id, caller, locale: theirs }: Arrival, at: number): Promise<Letter | undefined> {
    const account = await accounts.bySubject(subject);
    if (!account?.verified || account.email === null || account.disabledAt !== null) return undefined;
    if (!(await isFirst(id, at))) return undefined;
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
        address: caller.address,
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
      if (!before && !again && settings.mail) {
        const at = nowSeconds();
        mails.later(() => letterFor(arrival, at));
      }
      if (!keep) return undefined;
      const value = looksRight(browser) ? browser : randomToken(32);
      if (!(await put(value, subject, before))) return undefined;
      if (!before) audit.note('device.remembered', { subject, ...by(caller) });
      return value;
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

function by({ address, requestId, userAgent }: Caller): AuditFields {
  const detail = { via: 'browser', ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 256) }) };
  return { address, requestId, detail };
}

function timeOf(seconds: number, locale: string): string {
  const form = { dateStyle: 'long', timeStyle: 'long', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(locale, form).format(seconds * 1000);
}
