/** What `FactorStore` (core/stores) promises, on both databases, alone and when many ask at once. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FactorRow } from '../../src/core/stores/factors.ts';
import type { Stores } from '../../src/core/stores/stores.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { insertAccount, name, now } from './rows.ts';

function buildFactor(subject: string, overrides: Partial<FactorRow> = {}): FactorRow {
  return {
    id: name(),
    subject,
    kind: 'totp',
    name: 'Phone ☎',
    secret: name(),
    state: 'pending',
    lastStep: 0,
    failures: 0,
    createdAt: now,
    lastUsedAt: null,
    saved: true,
    ...overrides,
  };
}

const buildCodes = (subject: string, count = 3): FactorRow[] =>
  Array.from({ length: count }, () => buildFactor(subject, { kind: 'recovery-code', state: 'active', name: '' }));

const times = <T>(count: number, work: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)));

/** `nodes`: as many processes as the database takes at once; SQLite has one. */
function factorPromises(fresh: () => Promise<TestDatabase>, nodes: 1 | 2): void {
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
  /** Every second call goes through another process. */
  const either = (n: number) => (n % 2 === 0 ? stores : other).factors;

  const account = async (): Promise<string> => (await insertAccount(stores)).subject;
  const flag = async (subject: string) => (await stores.accounts.bySubject(subject))?.twoFactor;

  async function enrolled(
    subject: string,
    codes = buildCodes(subject),
  ): Promise<{ factor: FactorRow; codes: FactorRow[] }> {
    const factor = buildFactor(subject);
    await stores.factors.begin(factor);
    await stores.factors.activate({ subject, id: factor.id, step: 10, now, codes });
    return { factor, codes };
  }

  async function changes(work: () => Promise<unknown>): Promise<string[]> {
    const before = await stores.changes.latest();
    await work();
    return ((await stores.changes.since(before)) ?? []).map(({ kind, id }) => `${kind} ${id}`);
  }

  test('a factor comes back as it was begun, and makes no second factor yet', async () => {
    const subject = await account();
    const factor = buildFactor(subject);
    expect(await changes(async () => expect(await stores.factors.begin(factor)).toBe(true))).toEqual([]);
    expect(await stores.factors.list(subject)).toEqual([factor]);
    expect(await flag(subject)).toBe(false);
  });

  test('no one gets a factor without an account, whatever the subject holds', async () => {
    for (const subject of ['', 'nobody', 'a\0b', "' or 1=1 --", '\ud800']) {
      expect(await stores.factors.list(subject)).toEqual([]);
      expect(await stores.factors.begin(buildFactor(subject))).toBe(false);
      expect(await stores.factors.activate({ subject, id: 'x', step: 1, now, codes: [] })).toBeUndefined();
      expect(await stores.factors.replaceCodes(subject, buildCodes(subject))).toBe(false);
      expect(await stores.factors.remove(subject, 'x\0', now)).toBe(false);
      expect(await stores.factors.removeAll(subject, now)).toBe(false);
      expect(await stores.factors.advance(subject, 1, now)).toBe(false);
      expect(await stores.factors.useCode(subject, 'a\0b', now)).toBe(false);
      await stores.factors.fail(subject, 'totp');
      await stores.factors.forgive(subject, 'totp');
      expect(await stores.factors.list(subject)).toEqual([]);
    }
  });

  test('an enrolment takes the place of an older one that was not finished', async () => {
    const subject = await account();
    const { factor } = await enrolled(subject, []);
    await stores.factors.begin(buildFactor(subject));
    const newest = buildFactor(subject);
    await stores.factors.begin(newest);
    const ids = (await stores.factors.list(subject)).map(({ id, state }) => [id, state]);
    expect(ids.sort()).toEqual(
      [
        [factor.id, 'active'],
        [newest.id, 'pending'],
      ].sort(),
    );
  });

  test('activating: the step is used, the codes are there, the account and everybody knows', async () => {
    const subject = await account();
    const factor = buildFactor(subject);
    await stores.factors.begin(factor);
    const codes = buildCodes(subject);
    const noted = await changes(async () =>
      expect(await stores.factors.activate({ subject, id: factor.id, step: 7, now, codes })).toEqual({
        codesStored: true,
      }),
    );
    expect(noted).toEqual([`account ${subject}`]);
    const rows = await stores.factors.list(subject);
    expect(rows.find(({ id }) => id === factor.id)).toEqual({ ...factor, state: 'active', lastStep: 7 });
    expect(rows.filter(({ kind }) => kind === 'recovery-code')).toHaveLength(3);
    expect(await flag(subject)).toBe(true);
    // A second time there is nothing pending any more.
    expect(await stores.factors.activate({ subject, id: factor.id, step: 8, now, codes })).toBeUndefined();
    expect(await stores.factors.advance(factor.id, 7, now)).toBe(false);
  });

  test('codes that are left stay; used up ones make room', async () => {
    const subject = await account();
    const { codes } = await enrolled(subject);
    const again = buildFactor(subject);
    await stores.factors.begin(again);
    const more = buildCodes(subject);
    expect(await stores.factors.activate({ subject, id: again.id, step: 1, now, codes: more })).toEqual({
      codesStored: false,
    });
    for (const { secret } of codes) expect(await stores.factors.useCode(subject, secret, now)).toBe(true);
    const third = buildFactor(subject);
    await stores.factors.begin(third);
    expect(await stores.factors.activate({ subject, id: third.id, step: 1, now, codes: more })).toEqual({
      codesStored: true,
    });
    const left = (await stores.factors.list(subject)).filter(({ kind }) => kind === 'recovery-code');
    expect(left.map(({ secret }) => secret).sort()).toEqual(more.map(({ secret }) => secret).sort());
  });

  test("no one activates, removes or uses another's", async () => {
    const [alice, bob] = [await account(), await account()];
    const pending = buildFactor(alice);
    await stores.factors.begin(pending);
    expect(await stores.factors.activate({ subject: bob, id: pending.id, step: 1, now, codes: [] })).toBeUndefined();
    expect(await flag(bob)).toBe(false);
    const { factor, codes } = await enrolled(alice);
    expect(await stores.factors.remove(bob, factor.id, now)).toBe(false);
    expect(await stores.factors.useCode(bob, codes[0]?.secret ?? '', now)).toBe(false);
    expect(await flag(alice)).toBe(true);
  });

  test('a step goes forward only, and not for a factor that is not active', async () => {
    const subject = await account();
    const { factor } = await enrolled(subject);
    const steps: [number, boolean][] = [
      [10, false],
      [9, false],
      [11, true],
      [11, false],
      [13, true],
      [12, false],
    ];
    for (const [step, moved] of steps)
      expect([step, await stores.factors.advance(factor.id, step, now + 5)]).toEqual([step, moved]);
    const [row] = (await stores.factors.list(subject)).filter(({ id }) => id === factor.id);
    expect(row).toMatchObject({ lastStep: 13, lastUsedAt: now + 5 });
    const pending = buildFactor(subject);
    await stores.factors.begin(pending);
    expect(await stores.factors.advance(pending.id, 99, now)).toBe(false);
  });

  test('a code is used once, by its own hash only', async () => {
    const subject = await account();
    const { factor, codes } = await enrolled(subject);
    const [one] = codes;
    expect(await stores.factors.useCode(subject, factor.secret, now)).toBe(false);
    expect(await stores.factors.useCode(subject, one?.secret ?? '', now + 3)).toBe(true);
    expect(await stores.factors.useCode(subject, one?.secret ?? '', now + 4)).toBe(false);
    expect((await stores.factors.list(subject)).find(({ id }) => id === one?.id)).toEqual({
      ...one,
      state: 'used',
      lastUsedAt: now + 3,
    });
  });

  test('codes are marked as saved by one that works, of this account, and a code stays good', async () => {
    const [subject, other] = [await account(), await account()];
    const { factor, codes } = await enrolled(
      subject,
      buildCodes(subject).map((code) => ({ ...code, saved: false })),
    );
    const foreign = await enrolled(other);
    const saved = async () =>
      (await stores.factors.list(subject)).filter((row) => row.kind === 'recovery-code' && row.saved).length;
    const [one, used] = codes.map(({ secret }) => secret);
    await stores.factors.useCode(subject, used ?? '', now);
    for (const hash of ['', 'a\0b', factor.secret, used ?? '', foreign.codes[0]?.secret ?? ''])
      expect([hash, await stores.factors.markCodesSaved(subject, hash)]).toEqual([hash, false]);
    expect(await stores.factors.markCodesSaved('a\0b', one ?? '')).toBe(false);
    expect(await saved()).toBe(0);
    expect(await times(10, (n) => either(n).markCodesSaved(subject, one ?? ''))).toEqual(Array(10).fill(true));
    expect(await saved()).toBe(3);
    expect(await stores.factors.useCode(subject, one ?? '', now)).toBe(true);
  });

  test('an active factor gets another name; a pending one, a code and another account’s do not', async () => {
    const [subject, other] = [await account(), await account()];
    const { factor, codes } = await enrolled(subject);
    const pending = buildFactor(subject);
    await stores.factors.begin(pending);
    for (const [whose, id] of [
      [other, factor.id],
      [subject, pending.id],
      [subject, codes[0]?.id ?? ''],
      [subject, 'a\0b'],
    ] as const)
      expect(await stores.factors.rename(whose, id, 'mine')).toBe(false);
    expect(await stores.factors.rename(subject, factor.id, 'Kitchen ☎')).toBe(true);
    const names = (await stores.factors.list(subject)).map(({ name: called }) => called).filter((text) => text !== '');
    expect(names.sort()).toEqual(['Kitchen ☎', pending.name].sort());
  });

  test('new codes take the place of all older ones, where there is something that they stand in for', async () => {
    const subject = await account();
    expect(await stores.factors.replaceCodes(subject, buildCodes(subject))).toBe(false);
    expect(await stores.factors.list(subject)).toEqual([]);
    const { codes } = await enrolled(subject);
    await stores.factors.useCode(subject, codes[0]?.secret ?? '', now);
    const newer = buildCodes(subject, 10);
    expect(await stores.factors.replaceCodes(subject, newer)).toBe(true);
    expect(await stores.factors.useCode(subject, codes[1]?.secret ?? '', now)).toBe(false);
    expect((await stores.factors.list(subject)).filter(({ kind }) => kind === 'recovery-code')).toHaveLength(10);
  });

  test('with the last factor the codes go, and the account and everybody knows', async () => {
    const subject = await account();
    const { factor, codes } = await enrolled(subject);
    const { factor: second } = await enrolled(subject);
    expect(await stores.factors.remove(subject, codes[0]?.id ?? '', now)).toBe(false);
    expect(await stores.factors.remove(subject, factor.id, now)).toBe(true);
    expect(await stores.factors.remove(subject, factor.id, now)).toBe(false);
    expect(await flag(subject)).toBe(true);
    expect(await changes(() => stores.factors.remove(subject, second.id, now))).toEqual([`account ${subject}`]);
    expect(await flag(subject)).toBe(false);
    expect(await stores.factors.list(subject)).toEqual([]);
  });

  test('all at once', async () => {
    const subject = await account();
    await enrolled(subject);
    await stores.factors.begin(buildFactor(subject));
    expect(await changes(() => stores.factors.removeAll(subject, now))).toEqual([`account ${subject}`]);
    expect([await flag(subject), await stores.factors.list(subject)]).toEqual([false, []]);
    expect(await stores.factors.removeAll(subject, now)).toBe(false);
  });

  test('wrong codes are counted on what is active, until they are forgiven', async () => {
    const subject = await account();
    const { factor } = await enrolled(subject);
    await stores.factors.begin(buildFactor(subject));
    await times(20, (n) => either(n).fail(subject, 'totp'));
    const failures = async () => (await stores.factors.list(subject)).map((row) => [row.state, row.kind, row.failures]);
    expect((await failures()).filter(([, , count]) => count !== 0)).toEqual([['active', 'totp', 20]]);
    await stores.factors.forgive(subject, 'totp');
    expect((await failures()).every(([, , count]) => count === 0)).toBe(true);
    expect(await stores.factors.advance(factor.id, 11, now)).toBe(true);
  });

  test('of a kind that an account has once, one is switched on, also of 20 at once', async () => {
    const subject = await account();
    const build = () => buildFactor(subject, { kind: 'email-code', state: 'active', secret: '' });
    const all = await times(20, (n) => either(n).switchOn(build(), buildCodes(subject), now));
    expect(all.filter((one) => one?.added)).toEqual([{ added: true, codesStored: true }]);
    const rows = await stores.factors.list(subject);
    expect(rows.filter(({ kind }) => kind === 'email-code')).toHaveLength(1);
    expect(rows.filter(({ kind }) => kind === 'recovery-code')).toHaveLength(3);
    expect(await flag(subject)).toBe(true);
    const id = rows.find(({ kind }) => kind === 'email-code')?.id ?? '';
    expect(await changes(() => stores.factors.remove(subject, id, now))).toEqual([`account ${subject}`]);
    expect([await flag(subject), await stores.factors.list(subject)]).toEqual([false, []]);
    for (const nobody of ['nobody', 'a\0b'])
      expect(await stores.factors.switchOn(buildFactor(nobody, { kind: 'email-code' }), [], now)).toBeUndefined();
  });

  test('a code by e-mail goes out once in a while, is used once, and ends with wrong guesses', async () => {
    const subject = await account();
    const put = (hash: string, at: number) => stores.factors.putSentCode(subject, 'email-code', hash, at, at - 60);
    expect(await put('none', now)).toBe(false);
    await stores.factors.switchOn(buildFactor(subject, { kind: 'email-code', state: 'active', secret: '' }), [], now);
    const first = await times(20, (n) => either(n).putSentCode(subject, 'email-code', 'first', now, now - 60));
    expect(first.filter(Boolean)).toHaveLength(1);
    expect([await put('early', now + 59), await put('second', now + 60)]).toEqual([false, true]);
    const use = (n: number, hash: string, at: number) =>
      either(n).useSentCode(subject, 'email-code', hash, at, at - 600);
    expect(await use(0, 'first', now + 61)).toBe(false);
    expect(await use(0, '', now + 61)).toBe(false);
    expect(await use(0, 'second', now + 660)).toBe(false);
    const used = await times(20, (n) => use(n, 'second', now + 61));
    expect(used.filter(Boolean)).toHaveLength(1);
    expect(await put('third', now + 200)).toBe(true);
    for (let n = 0; n < 5; n += 1) await either(n).failSentCode(subject, 'email-code', 5);
    expect(await use(0, 'third', now + 201)).toBe(false);
    expect(await put('fourth', now + 300)).toBe(true);
    for (let n = 0; n < 4; n += 1) await either(n).failSentCode(subject, 'email-code', 5);
    expect(await use(0, 'fourth', now + 301)).toBe(true);
  });

  test('an account is deleted with its factors', async () => {
    const subject = await account();
    await enrolled(subject);
    await stores.accounts.delete(subject);
    expect(await stores.factors.list(subject)).toEqual([]);
  });

  test('of 50 uses of one step exactly one counts (an overlooked code must not open a second session)', async () => {
    const subject = await account();
    const { factor } = await enrolled(subject);
    const used = await times(50, (n) => either(n).advance(factor.id, 20, now));
    expect(used.filter((won) => won)).toHaveLength(1);
    expect(await times(50, (n) => either(n).advance(factor.id, 20 - (n % 3), now))).not.toContain(true);
  });

  test('of 50 uses of one recovery code exactly one counts', async () => {
    const subject = await account();
    const { codes } = await enrolled(subject);
    const used = await times(50, (n) => either(n).useCode(subject, codes[0]?.secret ?? '', now));
    expect(used.filter((won) => won)).toHaveLength(1);
  });

  test('of 20 confirmations of one enrolment exactly one counts, and one set of codes is stored', async () => {
    const subject = await account();
    const factor = buildFactor(subject);
    await stores.factors.begin(factor);
    const done = await times(20, (n) =>
      either(n).activate({ subject, id: factor.id, step: n + 1, now, codes: buildCodes(subject) }),
    );
    expect(done.filter((one) => one !== undefined)).toEqual([{ codesStored: true }]);
    expect((await stores.factors.list(subject)).filter(({ kind }) => kind === 'recovery-code')).toHaveLength(3);
  });

  test('enrolling and removing at once, the account tells the truth in the end', async () => {
    const subject = await account();
    for (let round = 0; round < 10; round += 1) {
      const { factor } = await enrolled(subject);
      const next = buildFactor(subject);
      await stores.factors.begin(next);
      await Promise.all([
        stores.factors.activate({ subject, id: next.id, step: 1, now, codes: buildCodes(subject) }),
        other.factors.remove(subject, factor.id, now),
        other.factors.removeAll(subject, now),
      ]);
      const rows = await stores.factors.list(subject);
      const has = rows.some(({ kind, state }) => kind === 'totp' && state === 'active');
      expect(await flag(subject)).toBe(has);
      expect(rows.some(({ kind }) => kind === 'recovery-code')).toBe(has);
    }
  });

  test('enrolling and deleting the account at once leaves nothing behind', async () => {
    for (let round = 0; round < 10; round += 1) {
      const subject = await account();
      const factor = buildFactor(subject);
      await stores.factors.begin(factor);
      await Promise.all([
        other.accounts.delete(subject),
        stores.factors.activate({ subject, id: factor.id, step: 1, now, codes: buildCodes(subject) }),
        stores.factors.begin(buildFactor(subject)),
      ]);
      expect(await stores.factors.list(subject)).toEqual([]);
    }
  });
}

describe('factors in SQLite', () => factorPromises(freshSqlite, 1));
describePostgres('factors in Postgres', () => factorPromises(() => freshPostgres(), 2));
