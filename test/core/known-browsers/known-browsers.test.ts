/**
 * Browsers in which people have signed in: what `KnownBrowserStore` promises on both databases, and what a known
 * browser is good for (B6, B8).
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../../src/base/secrets.ts';
import { type Arrival, rememberedSeconds } from '../../../src/core/known-browsers/known-browsers.ts';
import type { SignInRequest } from '../../../src/core/sign-in/sign-in.ts';
import type { KnownBrowserRow } from '../../../src/core/stores/known-browsers.ts';
import type { Stores } from '../../../src/core/stores/stores.ts';
import { openSql } from '../../../src/storage/sql/open.ts';
import { insertAccount, name, now } from '../../storage/rows.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../../support/databases.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { leastRoundTrips } from '../../support/round-trips.ts';
import { buildFixture, type Fixture, goodPassword } from '../fixture.ts';

const most = { ofAccount: 3, ofBrowser: 2 };

function knownBrowserPromises(fresh: () => Promise<TestDatabase>): void {
  let database: TestDatabase;
  let stores: Stores;
  beforeAll(async () => {
    database = await fresh();
    stores = await openSql(database.settings, { migrateAtOpen: true });
  });
  afterAll(async () => {
    await stores.close();
    await database.drop();
  });

  const account = async (): Promise<string> => (await insertAccount(stores)).subject;
  async function put(overrides: Partial<KnownBrowserRow> & { subject: string }): Promise<KnownBrowserRow> {
    const times = { createdAt: now, lastUsedAt: now, expiresAt: now + 1000 };
    const row = { id: name(), browser: name(), shown: true, ...times, ...overrides };
    expect(await stores.knownBrowsers.put(row, most)).toBe(true);
    return row;
  }

  test('a browser is found for its account, and for no other, until it expires', async () => {
    const row = await put({ subject: await account() });
    expect(await stores.knownBrowsers.find(row.browser, row.subject, now)).toEqual(row);
    expect(await stores.knownBrowsers.find(row.browser, await account(), now)).toBeUndefined();
    expect(await stores.knownBrowsers.find(name(), row.subject, now)).toBeUndefined();
    expect(await stores.knownBrowsers.find(row.browser, row.subject, row.expiresAt)).toBeUndefined();
    expect(await stores.knownBrowsers.ofBrowser(row.browser, row.expiresAt)).toEqual([]);
  });

  test('put again it keeps its id and its beginning', async () => {
    const row = await put({ subject: await account() });
    await put({ ...row, id: name(), createdAt: now + 5, lastUsedAt: now + 5, expiresAt: now + 2000 });
    expect(await stores.knownBrowsers.ofBrowser(row.browser, now)).toEqual([
      { ...row, lastUsedAt: now + 5, expiresAt: now + 2000 },
    ]);
  });

  test('20 puts of one browser and account at once make one row', async () => {
    const [subject, browser] = [await account(), name()];
    await Promise.all(Array.from({ length: 20 }, () => put({ subject, browser })));
    expect(await stores.knownBrowsers.ofBrowser(browser, now)).toHaveLength(1);
  });

  test('of too many in a browser, or of an account, those go that were not used for longest', async () => {
    const browser = name();
    const subjects = [await account(), await account(), await account()];
    for (const [i, subject] of subjects.entries()) await put({ subject, browser, lastUsedAt: now + i });
    const left = await stores.knownBrowsers.ofBrowser(browser, now);
    expect(left.map(({ subject }) => subject)).toEqual([subjects[2], subjects[1]]);

    const subject = await account();
    const rows = [];
    for (let i = 0; i < 4; i += 1) rows.push(await put({ subject, lastUsedAt: now + i }));
    const found = await Promise.all(rows.map((row) => stores.knownBrowsers.find(row.browser, subject, now)));
    expect(found.map(Boolean)).toEqual([false, true, true, true]);
  });

  test('a new value takes over what the one before had, also many at once', async () => {
    const [former, browser] = [name(), name()];
    const [first, second] = [await put({ subject: await account(), browser: former }), { subject: await account() }];
    const times = { createdAt: now, lastUsedAt: now + 1, expiresAt: now + 1000 };
    const row = { id: name(), browser, shown: true, ...second, ...times };
    const puts = Array.from({ length: 10 }, () => stores.knownBrowsers.put({ ...row, id: name() }, most, former));
    expect(await Promise.all(puts)).toEqual(Array(10).fill(true));
    const left = await stores.knownBrowsers.ofBrowser(browser, now);
    expect(left.map(({ subject }) => subject)).toEqual([second.subject, first.subject]);
    expect(left[1]?.id).toBe(first.id);
    expect(await stores.knownBrowsers.ofBrowser(former, now)).toEqual([]);
  });

  test('one that is not shown is found and not listed, and displaces none that is', async () => {
    const [subject, browser] = [await account(), name()];
    const shown = await put({ subject, browser });
    const quiet = await put({ subject: await account(), browser, shown: false });
    expect(await stores.knownBrowsers.find(browser, quiet.subject, now)).toEqual(quiet);
    expect(await stores.knownBrowsers.ofBrowser(browser, now)).toEqual([shown]);
    for (let n = 1; n < 9; n += 1) await put({ subject, shown: false, lastUsedAt: now + n });
    expect(await stores.knownBrowsers.find(browser, subject, now)).toEqual(shown);
  });

  test('removed by its own browser only; all of an account’s but one', async () => {
    const subject = await account();
    const rows = [await put({ subject }), await put({ subject }), await put({ subject })];
    const [first, second, third] = rows as [KnownBrowserRow, KnownBrowserRow, KnownBrowserRow];
    expect(await stores.knownBrowsers.remove(second.browser, first.id)).toBeUndefined();
    expect(await stores.knownBrowsers.remove(first.browser, first.id)).toBe(subject);
    expect(await stores.knownBrowsers.remove(first.browser, first.id)).toBeUndefined();
    expect(await stores.knownBrowsers.removeAll(subject, second.browser)).toBe(1);
    expect(await stores.knownBrowsers.find(third.browser, subject, now)).toBeUndefined();
    expect(await stores.knownBrowsers.removeAll(subject)).toBe(1);
  });

  test('it goes with its account, with its time, and is not made without an account', async () => {
    const row = await put({ subject: await account() });
    await stores.accounts.delete(row.subject);
    expect(await stores.knownBrowsers.ofBrowser(row.browser, now)).toEqual([]);
    expect(await stores.knownBrowsers.put(row, most)).toBe(false);
    const old = await put({ subject: await account(), expiresAt: now - 100 });
    await stores.engine.purgeExpired(now, 1000);
    expect(await stores.knownBrowsers.ofBrowser(old.browser, now - 200)).toEqual([]);
  });

  test('what no column takes is found nowhere', async () => {
    for (const odd of ['a\0b', '\ud800']) {
      expect(await stores.knownBrowsers.find(odd, odd, now)).toBeUndefined();
      expect(await stores.knownBrowsers.ofBrowser(odd, now)).toEqual([]);
      expect(await stores.knownBrowsers.remove(odd, odd)).toBeUndefined();
      expect(await stores.knownBrowsers.removeAll(odd)).toBe(0);
    }
  });
}

describe('stored browsers (SQLite)', () => knownBrowserPromises(freshSqlite));
describePostgres('stored browsers (Postgres)', () => knownBrowserPromises(freshPostgres));

describe('a browser that is known', () => {
  let fixture: Fixture;
  afterEach(async () => {
    comeBack();
    await fixture.close();
  });

  const caller = {
    via: 'browser',
    address: '192.0.2.1',
    userAgent: 'Mozilla/5.0 (X11; Linux) Firefox/140.0',
    requestId: 'r1',
  };
  const arrival = (subject: string, more: Partial<Arrival> = {}): Arrival => ({
    ...{ subject, id: randomToken(16), browser: undefined, again: false, keep: true, caller, locale: 'en', ...more },
  });
  const right: SignInRequest = { username: 'alice', password: goodPassword, ...caller };
  const wrong: SignInRequest = { ...right, password: 'not the password of hers', address: '198.51.100.7' };
  const arrives = async (it: Arrival) => (await fixture.knownBrowsers.arrived(it))?.value;
  async function lock(limit: number): Promise<void> {
    for (let n = 0; n < limit; n += 1) await fixture.signIn.signIn(wrong);
    expect(await fixture.signIn.signIn(right)).toMatchObject({ outcome: 'throttled' });
  }

  test('signs its person in while strangers have the account locked, and does not unlock it for them (B8)', async () => {
    fixture = await buildFixture({ limits: { account: 3 } });
    const { subject } = await fixture.make();
    const browser = await arrives(arrival(subject));
    await lock(3);
    expect(await fixture.signIn.signIn({ ...right, browser })).toMatchObject({ outcome: 'signed-in' });
    expect(await fixture.signIn.signIn(right)).toMatchObject({ outcome: 'throttled' });
    expect(fixture.verified.count).toBe(4);
  });

  test('takes no more wrong passwords than the account does, also at once, and clears its count when one is right', async () => {
    fixture = await buildFixture({ limits: { account: 3, address: 1000 } });
    const { subject } = await fixture.make();
    const browser = await arrives(arrival(subject));
    await fixture.signIn.signIn({ ...wrong, browser });
    await fixture.signIn.signIn({ ...wrong, browser });
    expect(await fixture.signIn.signIn({ ...right, browser })).toMatchObject({ outcome: 'signed-in' });
    const before = fixture.verified.count;
    const all = await Promise.all(Array.from({ length: 50 }, () => fixture.signIn.signIn({ ...wrong, browser })));
    expect(all.filter(({ outcome }) => outcome === 'refused')).toHaveLength(3);
    expect(fixture.verified.count - before).toBe(3);
    expect(await fixture.signIn.signIn({ ...right, browser })).toMatchObject({ outcome: 'throttled' });
    // And it locks no one else out.
    expect(await fixture.signIn.signIn(right)).toMatchObject({ outcome: 'signed-in' });
  });

  test('is worthless for another account, when forged, and when its person was forgotten there', async () => {
    fixture = await buildFixture({ limits: { account: 3 } });
    const alice = await fixture.make();
    const bob = await fixture.make({ username: 'bob' });
    const ofBob = await arrives(arrival(bob.subject));
    const ofAlice = await arrives(arrival(alice.subject));
    await lock(3);
    const [known] = await fixture.knownBrowsers.accounts(ofAlice);
    expect(await fixture.knownBrowsers.forget(ofBob, known?.id ?? '', caller)).toBe(false);
    expect(await fixture.knownBrowsers.forget(ofAlice, known?.id ?? '', caller)).toBe(true);
    for (const browser of [ofBob, ofAlice, randomToken(32), '', 'x'.repeat(5000), '\0'])
      expect(await fixture.signIn.signIn({ ...right, browser })).toMatchObject({ outcome: 'throttled' });
  });

  test('costs the same to look up whether or not there is such an account (B6)', async () => {
    fixture = await buildFixture();
    await fixture.make();
    const fails = async (username: string) => {
      await fixture.signIn.signIn({ ...wrong, username, browser: randomToken(32) });
      await fixture.audited();
    };
    const trips = (username: string) => leastRoundTrips(fixture.stores, () => fails(username), 4);
    expect(await trips('alice')).toBe(await trips('nobody'));
  });

  test('is forgotten when the password is set somewhere else', async () => {
    fixture = await buildFixture();
    const { subject } = await fixture.make();
    const here = await arrives(arrival(subject));
    const there = await arrives(arrival(subject));
    await fixture.knownBrowsers.forgetOthers(subject, here);
    expect(await fixture.knownBrowsers.known(here, subject)).toBeDefined();
    expect(await fixture.knownBrowsers.known(there, subject)).toBeUndefined();
    await fixture.knownBrowsers.forgetOthers(subject, undefined);
    expect(await fixture.knownBrowsers.known(here, subject)).toBeUndefined();
  });

  test('is known by one value for all its accounts, another one with each that comes, and for as long as it is used', async () => {
    fixture = await buildFixture();
    const alice = await fixture.make();
    const bob = await fixture.make({ username: 'bob' });
    const browser = await arrives(arrival(alice.subject));
    expect(browser).toMatch(/^[\w-]{43}$/);
    const both = await arrives(arrival(bob.subject, { browser }));
    expect(both).toMatch(/^[\w-]{43}$/);
    // One who copied the one before has nothing of either.
    expect(both).not.toBe(browser);
    expect(await fixture.knownBrowsers.accounts(browser)).toEqual([]);
    expect(await fixture.knownBrowsers.known(browser, alice.subject)).toBeUndefined();
    const known = await fixture.knownBrowsers.accounts(both);
    expect(new Set(known.map(({ account }) => account.username))).toEqual(new Set(['alice', 'bob']));
    travel(rememberedSeconds - 60);
    expect(await arrives(arrival(alice.subject, { browser: both }))).toBe(both);
    travel(120);
    expect((await fixture.knownBrowsers.accounts(both)).map(({ account }) => account.username)).toEqual(['alice']);
  });

  test('is known, shows no one, and goes with the browser where its person does not want to be remembered', async () => {
    fixture = await buildFixture({ limits: { account: 3 } });
    const { subject } = await fixture.make();
    const quiet = await fixture.knownBrowsers.arrived(arrival(subject, { keep: false }));
    expect(quiet?.lasting).toBe(false);
    expect(await fixture.knownBrowsers.accounts(quiet?.value)).toEqual([]);
    await lock(3);
    expect(await fixture.signIn.signIn({ ...right, browser: quiet?.value })).toMatchObject({ outcome: 'signed-in' });
    // Remembered from now on, and then until it is forgotten.
    const kept = await fixture.knownBrowsers.arrived(arrival(subject, { browser: quiet?.value }));
    expect([kept?.lasting, kept?.value === quiet?.value]).toEqual([true, false]);
    expect(
      await fixture.knownBrowsers.arrived(arrival(subject, { browser: kept?.value, keep: false })),
    ).toBeUndefined();
    expect(await fixture.knownBrowsers.accounts(kept?.value)).toHaveLength(1);
    // Another person there who does not want it: the cookie stays for the one who does.
    const bob = await fixture.make({ username: 'bob' });
    const both = await fixture.knownBrowsers.arrived(arrival(bob.subject, { browser: kept?.value, keep: false }));
    expect(both?.lasting).toBe(true);
    expect((await fixture.knownBrowsers.accounts(both?.value)).map(({ account }) => account.username)).toEqual([
      'alice',
    ]);
    travel(31 * 86_400);
    expect(await fixture.knownBrowsers.known(both?.value, bob.subject)).toBeUndefined();
    expect(await fixture.knownBrowsers.known(both?.value, subject)).toBeDefined();
  });

  test('gets one value from a form that is sent twice, and loses no one by it', async () => {
    fixture = await buildFixture();
    const alice = await fixture.make();
    const bob = await fixture.make({ username: 'bob' });
    const browser = await arrives(arrival(alice.subject));
    const twice = arrival(bob.subject, { browser });
    const values = [...(await Promise.all([arrives(twice), arrives(twice)])), await arrives(twice)];
    expect(new Set(values).size).toBe(1);
    expect(await fixture.knownBrowsers.accounts(values[0])).toHaveLength(2);
  });

  test('a sign-in in any other is told to its person, with the time, the program and the address', async () => {
    fixture = await buildFixture();
    const { subject } = await fixture.make({ email: 'alice@example.com', verified: true });
    const told = async () => {
      await fixture.audited();
      return fixture.sent.length;
    };
    const browser = await arrives(arrival(subject));
    expect(await told()).toBe(1);
    expect(fixture.sent).toMatchObject([
      {
        kind: 'new-sign-in',
        to: 'alice@example.com',
        path: '/account/sessions',
        facts: { username: 'alice', program: 'Firefox', system: 'Linux', address: '192.0.2.1' },
      },
    ]);
    expect(fixture.sent[0]?.facts?.at).toBeGreaterThan(1_700_000_000);
    await fixture.knownBrowsers.arrived(arrival(subject, { browser }));
    await fixture.knownBrowsers.arrived(arrival(subject, { again: true, keep: false }));
    expect(await told()).toBe(1);
    // However often a person signs in, it is no flood.
    for (let n = 0; n < 9; n += 1) await fixture.knownBrowsers.arrived(arrival(subject, { keep: false }));
    expect(await told()).toBe(5);
    const events = (await fixture.audited()).map(({ event }) => event);
    expect(events.filter((event) => event === 'device.remembered')).toHaveLength(1);
    expect(events.filter((event) => event === 'device.reported')).toHaveLength(5);
  });

  test('an address that is not proved gets no mail', async () => {
    fixture = await buildFixture();
    const { subject } = await fixture.make({ email: 'alice@example.com' });
    await fixture.knownBrowsers.arrived(arrival(subject));
    await fixture.audited();
    expect(fixture.sent).toEqual([]);
  });
});
