/** What `PasskeyStore` (core/stores) promises, on both databases, alone and when many ask at once. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FactorRow } from '../../src/core/stores/factors.ts';
import type { PasskeyRow } from '../../src/core/stores/passkeys.ts';
import type { Stores } from '../../src/core/stores/stores.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { insertAccount, name, now } from './rows.ts';

function buildPasskey(subject: string, overrides: Partial<PasskeyRow> = {}): PasskeyRow {
  return {
    id: name(),
    subject,
    credentialId: name(),
    handle: name(),
    name: 'Phone ☎',
    publicKey: name(),
    counter: 0,
    transports: ['internal', 'hybrid'],
    synced: true,
    createdAt: now,
    lastUsedAt: null,
    ...overrides,
  };
}

const buildCodes = (subject: string): FactorRow[] =>
  Array.from({ length: 3 }, () => ({
    ...{ id: name(), subject, kind: 'recovery-code', name: '', secret: name(), state: 'active' },
    ...{ lastStep: 0, failures: 0, createdAt: now, lastUsedAt: null, saved: false },
  }));

const times = <T>(count: number, work: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)));

/** `nodes`: as many processes as the database takes at once; SQLite has one. */
function passkeyPromises(fresh: () => Promise<TestDatabase>, nodes: 1 | 2): void {
  let database: TestDatabase;
  let stores: Stores;
  let other: Stores;
  beforeAll(async () => {
    database = await fresh();
    stores = await openSql(database.settings, { migrateAtOpen: true });
    other = nodes === 1 ? stores : await openSql(database.settings);
  });
  afterAll(async () => {
    await stores.close();
    if (nodes === 2) await other.close();
    await database.drop();
  });
  const either = (n: number) => (n % 2 === 0 ? stores : other).passkeys;

  const account = async (passwordHash: string | null = 'hash'): Promise<string> =>
    (await insertAccount(stores, { passwordHash })).subject;
  const flag = async (subject: string) => (await stores.accounts.bySubject(subject))?.twoFactor;
  const add = async (subject: string, overrides: Partial<PasskeyRow> = {}): Promise<PasskeyRow> => {
    const passkey = buildPasskey(subject, overrides);
    expect(await stores.passkeys.insert(passkey, [], 20, now)).toMatchObject({ outcome: 'added' });
    return passkey;
  };
  async function changes(work: () => Promise<unknown>): Promise<string[]> {
    const before = await stores.changes.latest();
    await work();
    return ((await stores.changes.since(before)) ?? []).map(({ kind, id }) => `${kind} ${id}`);
  }

  test('one comes back as it was stored; the account and everybody knows, and its codes are there', async () => {
    const subject = await account();
    const passkey = buildPasskey(subject, { synced: false, counter: 4_294_967_295 });
    const noted = await changes(async () =>
      expect(await stores.passkeys.insert(passkey, buildCodes(subject), 20, now)).toEqual({
        outcome: 'added',
        codesStored: true,
      }),
    );
    expect(noted).toEqual([`account ${subject}`]);
    expect(await stores.passkeys.list(subject)).toEqual([passkey]);
    expect(await stores.passkeys.find(passkey.credentialId)).toEqual(passkey);
    expect(await flag(subject)).toBe(true);
    expect(await stores.passkeys.insert(buildPasskey(subject), buildCodes(subject), 20, now)).toEqual({
      outcome: 'added',
      codesStored: false,
    });
    expect(await stores.factors.list(subject)).toHaveLength(3);
  });

  test('no one has one without an account, whatever a name holds', async () => {
    for (const odd of ['', 'nobody', 'a\0b', "' or 1=1 --"]) {
      expect(await stores.passkeys.list(odd)).toEqual([]);
      expect(await stores.passkeys.find(odd)).toBeUndefined();
      expect(await stores.passkeys.insert(buildPasskey(odd), [], 20, now)).toEqual({ outcome: 'not-found' });
      expect(await stores.passkeys.rename(odd, odd, 'x')).toBe(false);
      expect(await stores.passkeys.use(odd, 1, now)).toBe(false);
      expect(await stores.passkeys.remove(odd, odd, [], now)).toBe('not-found');
    }
  });

  test('a credential is one account’s, also of 20 at once', async () => {
    const [alice, bob] = [await account(), await account()];
    const credentialId = name();
    const all = await times(20, (n) =>
      either(n).insert(buildPasskey(n % 3 === 0 ? alice : bob, { credentialId }), [], 20, now),
    );
    expect(all.filter(({ outcome }) => outcome === 'added')).toHaveLength(1);
    expect(all.filter(({ outcome }) => outcome === 'taken')).toHaveLength(19);
  });

  test('an account has no more than the limit, also of 20 at once', async () => {
    const subject = await account();
    const all = await times(20, (n) => either(n).insert(buildPasskey(subject), [], 5, now));
    expect(all.filter(({ outcome }) => outcome === 'added')).toHaveLength(5);
    expect(await stores.passkeys.list(subject)).toHaveLength(5);
  });

  test('a counter goes forward only; one that is 0 may stay 0, and one that counted never goes back to it', async () => {
    const subject = await account();
    const counting = await add(subject);
    const steps: [number, boolean][] = [
      [0, true],
      [0, true],
      [3, true],
      [3, false],
      [2, false],
      [0, false],
      [4, true],
    ];
    for (const [counter, moved] of steps)
      expect([counter, await stores.passkeys.use(counting.id, counter, now + 5)]).toEqual([counter, moved]);
    expect(await stores.passkeys.find(counting.credentialId)).toMatchObject({ counter: 4, lastUsedAt: now + 5 });
  });

  test('of 50 uses of one counter exactly one counts', async () => {
    const { id } = await add(await account());
    const used = await times(50, (n) => either(n).use(id, 7, now));
    expect(used.filter(Boolean)).toHaveLength(1);
  });

  test("no one renames or removes another's", async () => {
    const [alice, bob] = [await account(), await account()];
    const passkey = await add(alice);
    expect(await stores.passkeys.rename(bob, passkey.id, 'mine')).toBe(false);
    expect(await stores.passkeys.remove(bob, passkey.id, [], now)).toBe('not-found');
    expect(await stores.passkeys.rename(alice, passkey.id, 'mine')).toBe(true);
    expect(await stores.passkeys.list(alice)).toEqual([{ ...passkey, name: 'mine' }]);
  });

  test('with the last one the second factor ends, unless there is another kind', async () => {
    const subject = await account();
    const passkey = buildPasskey(subject);
    await stores.passkeys.insert(passkey, buildCodes(subject), 20, now);
    const app: FactorRow = { ...(buildCodes(subject)[0] as FactorRow), kind: 'totp' };
    await stores.factors.switchOn(app, [], now);
    expect(await stores.passkeys.remove(subject, passkey.id, [], now)).toBe('removed');
    expect([await flag(subject), (await stores.factors.list(subject)).length]).toEqual([true, 4]);
    const again = await add(subject);
    expect(await stores.factors.remove(subject, app.id, now)).toBe(true);
    expect([await flag(subject), (await stores.factors.list(subject)).length]).toEqual([true, 3]);
    expect(await changes(() => stores.passkeys.remove(subject, again.id, [], now))).toEqual([`account ${subject}`]);
    expect([await flag(subject), await stores.factors.list(subject)]).toEqual([false, []]);
    expect(await stores.passkeys.find(again.credentialId)).toBeUndefined();
  });

  test('without a password the last one stays, also where all are removed at once', async () => {
    const subject = await account(null);
    const all = [await add(subject), await add(subject), await add(subject)];
    const removed = await times(3, (n) => either(n).remove(subject, all[n]?.id ?? '', [], now));
    expect(removed.sort()).toEqual(['last', 'removed', 'removed']);
    expect(await stores.passkeys.list(subject)).toHaveLength(1);
    expect(await flag(subject)).toBe(true);
  });

  test('all factors at once: passkeys too; and an account is deleted with them', async () => {
    const [alice, bob] = [await account(null), await account()];
    const [hers, his] = [await add(alice), await add(bob)];
    expect(await stores.factors.removeAll(alice, now)).toBe(true);
    expect([await flag(alice), await stores.passkeys.find(hers.credentialId)]).toEqual([false, undefined]);
    await stores.accounts.delete(bob);
    expect(await stores.passkeys.find(his.credentialId)).toBeUndefined();
  });

  test('adding one and deleting the account at once leaves nothing behind', async () => {
    for (let round = 0; round < 10; round += 1) {
      const subject = await account();
      const passkey = buildPasskey(subject);
      await Promise.all([
        other.accounts.delete(subject),
        stores.passkeys.insert(passkey, buildCodes(subject), 20, now),
      ]);
      expect([await stores.passkeys.find(passkey.credentialId), await stores.factors.list(subject)]).toEqual([
        undefined,
        [],
      ]);
    }
  });
}

describe('passkeys in SQLite', () => passkeyPromises(freshSqlite, 1));
describePostgres('passkeys in Postgres', () => passkeyPromises(() => freshPostgres(), 2));
