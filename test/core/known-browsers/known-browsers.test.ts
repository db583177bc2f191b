/** Browsers in which people have signed in: what `DeviceStore` promises on both databases, and what a known browser is good for (B6, B8). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../../src/base/secrets.ts';
import { type Arrival, rememberedSeconds } from '../../../src/core/known-browsers/known-browsers.ts';
import type { SignInRequest } from '../../../src/core/sign-in/sign-in.ts';
import type { DeviceRow } from '../../../src/core/stores/known-browsers.ts';
import type { Stores } from '../../../src/core/stores/stores.ts';
import { openSql } from '../../../src/storage/sql/open.ts';
import { insertAccount, name, now } from '../../storage/rows.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../../support/databases.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { buildHouse, goodPassword, type House } from '../fixture.ts';

const most = { ofAccount: 3, ofBrowser: 2 };

function devicePromises(fresh: () => Promise<TestDatabase>): void {
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
  async function put(overrides: Partial<DeviceRow> & { subject: string }): Promise<DeviceRow> {
    const times = { createdAt: now, lastUsedAt: now, expiresAt: now + 1000 };
    const row = { id: name(), browser: name(), shown: true, ...times, ...overrides };
    expect(await stores.devices.put(row, most)).toBe(true);
    return row;
  }

  test('a browser is found for its account, and for no other, until it expires', async () => {
    const row = await put({ subject: await account() });
    expect(await stores.devices.find(row.browser, row.subject, now)).toEqual(row);
    expect(await stores.devices.find(row.browser, await account(), now)).toBeUndefined();
    expect(await stores.devices.find(name(), row.subject, now)).toBeUndefined();
    expect(await stores.devices.find(row.browser, row.subject, row.expiresAt)).toBeUndefined();
    expect(await stores.devices.ofBrowser(row.browser, row.expiresAt)).toEqual([]);
  });

  test('put again it keeps its id and its beginning', async () => {
    const row = await put({ subject: await account() });
    await put({ ...row, id: name(), createdAt: now + 5, lastUsedAt: now + 5, expiresAt: now + 2000 });
    expect(await stores.devices.ofBrowser(row.browser, now)).toEqual([
      { ...row, lastUsedAt: now + 5, expiresAt: now + 2000 },
    ]);
  });

  test('20 puts of one browser and account at once make one row', async () => {
    const [subject, browser] = [await account(), name()];
    await Promise.all(Array.from({ length: 20 }, () => put({ subject, browser })));
    expect(await stores.devices.ofBrowser(browser, now)).toHaveLength(1);
  });

  test('of too many in a browser, or of an account, those go that were not used for longest', async () => {
    const browser = name();
    const subjects = [await account(), await account(), await account()];
    for (const [i, subject] of subjects.entries()) await put({ subject, browser, lastUsedAt: now + i });
    const left = await stores.devices.ofBrowser(browser, now);
    expect(left.map(({ subject }) => subject)).toEqual([subjects[2], subjects[1]]);

    const subject = await account();
    const rows = [];
    for (let i = 0; i < 4; i += 1) rows.push(await put({ subject, lastUsedAt: now + i }));
    const found = await Promise.all(rows.map((row) => stores.devices.find(row.browser, subject, now)));
    expect(found.map(Boolean)).toEqual([false, true, true, true]);
  });

  test('a new value takes over what the one before had, also many at once', async () => {
    const [former, browser] = [name(), name()];
    const [first, second] = [await put({ subject: await account(), browser: former }), { subject: await account() }];
    const times = { createdAt: now, lastUsedAt: now + 1, expiresAt: now + 1000 };
    const row = { id: name(), browser, shown: true, ...second, ...times };
    const puts = Array.from({ length: 10 }, () => stores.devices.put({ ...row, id: name() }, most, former));
    expect(await Promise.all(puts)).toEqual(Array(10).fill(true));
    const left = await stores.devices.ofBrowser(browser, now);
    expect(left.map(({ subject }) => subject)).toEqual([second.subject, first.subject]);
    expect(left[1]?.id).toBe(first.id);
    expect(await stores.devices.ofBrowser(former, now)).toEqual([]);
  });

  test('one that is not shown is found and not listed, and displaces none that is', async () => {
    const [subject, browser] = [await account(), name()];
    const shown = await put({ subject, browser });
    const quiet = await put({ subject: await account(), browser, shown: false });
    expect(await stores.devices.find(browser, quiet.subject, now)).toEqual(quiet);
    expect(await stores.devices.ofBrowser(browser, now)).toEqual([shown]);
    for (let n = 1; n < 9; n += 1) await put({ subject, shown: false, lastUsedAt: now + n });
    expect(await stores.devices.find(browser, subject, now)).toEqual(shown);
  });

  test('removed by its own browser only; all of an account’s but one', async () => {
    const subject = await account();
    const rows = [await put({ subject }), await put({ subject }), await put({ subject })];
    const [first, second, third] = rows as [DeviceRow, DeviceRow, DeviceRow];
    expect(await stores.devices.remove(second.browser, first.id)).toBeUndefined();
    expect(await stores.devices.remove(first.browser, first.id)).toBe(subject);
    expect(await stores.devices.remove(first.browser, first.id)).toBeUndefined();
    expect(await stores.devices.removeAll(subject, second.browser)).toBe(1);
    expect(await stores.devices.find(third.browser, subject, now)).toBeUndefined();
    expect(await stores.devices.removeAll(subject)).toBe(1);
  });

  test('it goes with its account, with its time, and is not made for nobody', async () => {
    const row = await put({ subject: await account() });
    await stores.accounts.delete(row.subject);
    expect(await stores.devices.ofBrowser(row.browser, now)).toEqual([]);
    expect(await stores.devices.put(row, most)).toBe(false);
    const old = await put({ subject: await account(), expiresAt: now - 100 });
    await stores.engine.purgeExpired(now, 1000);
    expect(await stores.devices.ofBrowser(old.browser, now - 200)).toEqual([]);
  });

  test('what no column takes is found nowhere', async () => {
    for (const odd of ['a\0b', '\ud800']) {
      expect(await stores.devices.find(odd, odd, now)).toBeUndefined();
      expect(await stores.devices.ofBrowser(odd, now)).toEqual([]);
      expect(await stores.devices.remove(odd, odd)).toBeUndefined();
      expect(await stores.devices.removeAll(odd)).toBe(0);
    }
  });
}

describe('stored browsers (SQLite)', () => devicePromises(freshSqlite));
describePostgres('stored browsers (Postgres)', () => devicePromises(freshPostgres));

describe('a browser that is known', () => {
  let house: House;
  afterEach(async () => {
    comeBack();
    await house.close();
  });

  const caller = { address: '192.0.2.1', userAgent: 'Mozilla/5.0 (X11; Linux) Firefox/140.0', requestId: 'r1' };
  const arrival = (subject: string, more: Partial<Arrival> = {}): Arrival => ({
    ...{ subject, id: randomToken(16), browser: undefined, again: false, keep: true, caller, locale: 'en', ...more },
  });
  const right: SignInRequest = { username: 'alice', password: goodPassword, via: 'browser', ...caller };
  const wrong: SignInRequest = { ...right, password: 'not the password of hers', address: '198.51.100.7' };
  const arrives = async (it: Arrival) => (await house.devices.arrived(it))?.value;
  async function lock(limit: number): Promise<void> {
    for (let n = 0; n < limit; n += 1) await house.signIn.signIn(wrong);
    expect(await house.signIn.signIn(right)).toMatchObject({ outcome: 'throttled' });
  }

  test('signs its person in while strangers have the account locked, and does not unlock it for them (B8)', async () => {
    house = await buildHouse({ limits: { account: 3 } });
    const { subject } = await house.make();
    const browser = await arrives(arrival(subject));
    await lock(3);
    expect(await house.signIn.signIn({ ...right, browser })).toMatchObject({ outcome: 'signed-in' });
    expect(await house.signIn.signIn(right)).toMatchObject({ outcome: 'throttled' });
    expect(house.verified.count).toBe(4);
  });

  test('takes no more wrong passwords than the account does, also at once, and clears its count when one is right', async () => {
    house = await buildHouse({ limits: { account: 3, address: 1000 } });
    const { subject } = await house.make();
    const browser = await arrives(arrival(subject));
    await house.signIn.signIn({ ...wrong, browser });
    await house.signIn.signIn({ ...wrong, browser });
    expect(await house.signIn.signIn({ ...right, browser })).toMatchObject({ outcome: 'signed-in' });
    const before = house.verified.count;
    const all = await Promise.all(Array.from({ length: 50 }, () => house.signIn.signIn({ ...wrong, browser })));
    expect(all.filter(({ outcome }) => outcome === 'refused')).toHaveLength(3);
    expect(house.verified.count - before).toBe(3);
    expect(await house.signIn.signIn({ ...right, browser })).toMatchObject({ outcome: 'throttled' });
    // And it locks nobody else out.
    expect(await house.signIn.signIn(right)).toMatchObject({ outcome: 'signed-in' });
  });

  test('is worthless for another account, when forged, and when its person was forgotten there', async () => {
    house = await buildHouse({ limits: { account: 3 } });
    const alice = await house.make();
    const bob = await house.make({ username: 'bob' });
    const ofBob = await arrives(arrival(bob.subject));
    const ofAlice = await arrives(arrival(alice.subject));
    await lock(3);
    const [known] = await house.devices.accounts(ofAlice);
    expect(await house.devices.forget(ofBob, known?.id ?? '', caller)).toBe(false);
    expect(await house.devices.forget(ofAlice, known?.id ?? '', caller)).toBe(true);
    for (const browser of [ofBob, ofAlice, randomToken(32), '', 'x'.repeat(5000), '\0'])
      expect(await house.signIn.signIn({ ...right, browser })).toMatchObject({ outcome: 'throttled' });
  });

  test('costs the same to look up whether or not there is such an account (B6)', async () => {
    house = await buildHouse();
    await house.make();
    const trips = async (username: string) => {
      const before = house.stores.roundTrips();
      await house.signIn.signIn({ ...wrong, username, browser: randomToken(32) });
      await house.audited();
      return house.stores.roundTrips() - before;
    };
    expect(await trips('alice')).toBe(await trips('nobody'));
  });

  test('is forgotten when the password is set somewhere else', async () => {
    house = await buildHouse();
    const { subject } = await house.make();
    const here = await arrives(arrival(subject));
    const there = await arrives(arrival(subject));
    await house.devices.forgetOthers(subject, here);
    expect(await house.devices.known(here, subject)).toBeDefined();
    expect(await house.devices.known(there, subject)).toBeUndefined();
    await house.devices.forgetOthers(subject, undefined);
    expect(await house.devices.known(here, subject)).toBeUndefined();
  });

  test('is known by one value for all its accounts, another one with each that comes, and for as long as it is used', async () => {
    house = await buildHouse();
    const alice = await house.make();
    const bob = await house.make({ username: 'bob' });
    const browser = await arrives(arrival(alice.subject));
    expect(browser).toMatch(/^[\w-]{43}$/);
    const both = await arrives(arrival(bob.subject, { browser }));
    expect(both).toMatch(/^[\w-]{43}$/);
    // Whoever copied the one before has nothing of either.
    expect(both).not.toBe(browser);
    expect(await house.devices.accounts(browser)).toEqual([]);
    expect(await house.devices.known(browser, alice.subject)).toBeUndefined();
    const known = await house.devices.accounts(both);
    expect(new Set(known.map(({ account }) => account.username))).toEqual(new Set(['alice', 'bob']));
    travel(rememberedSeconds - 60);
    expect(await arrives(arrival(alice.subject, { browser: both }))).toBe(both);
    travel(120);
    expect((await house.devices.accounts(both)).map(({ account }) => account.username)).toEqual(['alice']);
  });

  test('is known, shows nobody, and goes with the browser where its person does not want to be remembered', async () => {
    house = await buildHouse({ limits: { account: 3 } });
    const { subject } = await house.make();
    const quiet = await house.devices.arrived(arrival(subject, { keep: false }));
    expect(quiet?.lasting).toBe(false);
    expect(await house.devices.accounts(quiet?.value)).toEqual([]);
    await lock(3);
    expect(await house.signIn.signIn({ ...right, browser: quiet?.value })).toMatchObject({ outcome: 'signed-in' });
    // Remembered from now on, and then until it is forgotten.
    const kept = await house.devices.arrived(arrival(subject, { browser: quiet?.value }));
    expect([kept?.lasting, kept?.value === quiet?.value]).toEqual([true, false]);
    expect(await house.devices.arrived(arrival(subject, { browser: kept?.value, keep: false }))).toBeUndefined();
    expect(await house.devices.accounts(kept?.value)).toHaveLength(1);
    // Somebody else there who does not want it: the cookie stays for the one who does.
    const bob = await house.make({ username: 'bob' });
    const both = await house.devices.arrived(arrival(bob.subject, { browser: kept?.value, keep: false }));
    expect(both?.lasting).toBe(true);
    expect((await house.devices.accounts(both?.value)).map(({ account }) => account.username)).toEqual(['alice']);
    travel(31 * 86_400);
    expect(await house.devices.known(both?.value, bob.subject)).toBeUndefined();
    expect(await house.devices.known(both?.value, subject)).toBeDefined();
  });

  test('gets one value from a form that is sent twice, and loses nobody by it', async () => {
    house = await buildHouse();
    const alice = await house.make();
    const bob = await house.make({ username: 'bob' });
    const browser = await arrives(arrival(alice.subject));
    const twice = arrival(bob.subject, { browser });
    const values = [...(await Promise.all([arrives(twice), arrives(twice)])), await arrives(twice)];
    expect(new Set(values).size).toBe(1);
    expect(await house.devices.accounts(values[0])).toHaveLength(2);
  });

  test('a sign-in in any other is told to its person, with the time, the program and the address', async () => {
    house = await buildHouse();
    const { subject } = await house.make({ email: 'alice@example.com', verified: true });
    const told = async () => {
      await house.audited();
      return house.sent.length;
    };
    const browser = await arrives(arrival(subject));
    expect(await told()).toBe(1);
    expect(house.sent).toMatchObject([
      {
        kind: 'new-sign-in',
        to: 'alice@example.com',
        path: '/account/sessions',
        values: { username: 'alice', program: 'Firefox, Linux', address: '192.0.2.1' },
      },
    ]);
    expect(house.sent[0]?.values?.time).toMatch(/UTC$/);
    await house.devices.arrived(arrival(subject, { browser }));
    await house.devices.arrived(arrival(subject, { again: true, keep: false }));
    expect(await told()).toBe(1);
    // However often somebody signs in, it is no flood.
    for (let n = 0; n < 9; n += 1) await house.devices.arrived(arrival(subject, { keep: false }));
    expect(await told()).toBe(5);
    const events = (await house.audited()).map(({ event }) => event);
    expect(events.filter((event) => event === 'device.remembered')).toHaveLength(1);
    expect(events.filter((event) => event === 'device.reported')).toHaveLength(5);
  });

  test('an address that is not proved gets no mail', async () => {
    house = await buildHouse();
    const { subject } = await house.make({ email: 'alice@example.com' });
    await house.devices.arrived(arrival(subject));
    await house.audited();
    expect(house.sent).toEqual([]);
  });
});
