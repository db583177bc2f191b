/** What `IdentityStore` (core/stores) promises, on both databases, alone and when many ask at once. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewIdentity } from '../../src/core/stores/identities.ts';
import type { Stores } from '../../src/core/stores/stores.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { buildAccount, insertAccount, name, now } from './rows.ts';

const buildIdentity = (overrides: Partial<NewIdentity> = {}): NewIdentity => ({
  id: name(),
  provider: 'company',
  providerSubject: name(),
  label: 'ada ☎',
  createdAt: now,
  ...overrides,
});

function identityPromises(fresh: () => Promise<TestDatabase>): void {
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

  const account = async (overrides: Parameters<typeof buildAccount>[0] = {}): Promise<string> =>
    (await insertAccount(stores, overrides)).subject;

  /** Over the account as it is. */
  async function link(subject: string, identity: NewIdentity) {
    const passwordHash = (await stores.accounts.bySubject(subject))?.passwordHash ?? null;
    return stores.identities.link({ subject, passwordHash }, identity);
  }

  test('a linked identity is found by its provider and name, and listed', async () => {
    const subject = await account();
    const [first, second] = [buildIdentity(), buildIdentity({ provider: 'other', createdAt: now + 1 })];
    expect(await link(subject, second)).toBe('linked');
    expect(await link(subject, first)).toBe('linked');
    const row = { ...first, subject, lastUsedAt: null };
    expect(await stores.identities.find(first.provider, first.providerSubject)).toEqual(row);
    expect(await stores.identities.list(subject)).toEqual([row, { ...second, subject, lastUsedAt: null }]);
    expect(await stores.identities.use(first.id, now + 5)).toBe(true);
    expect(await stores.identities.find(first.provider, first.providerSubject)).toEqual({
      ...row,
      lastUsedAt: now + 5,
    });
  });

  test('the same name at another provider is another person', async () => {
    const identity = buildIdentity();
    await link(await account(), identity);
    expect(await stores.identities.find('other', identity.providerSubject)).toBeUndefined();
    const other = await account();
    expect(await link(other, { ...identity, id: name(), provider: 'other' })).toBe('linked');
  });

  test('what no one has is not found', async () => {
    for (const odd of ['x', '', 'a\0b']) {
      expect(await stores.identities.list(odd)).toEqual([]);
      expect(await stores.identities.find(odd, odd)).toBeUndefined();
      expect(await link(odd, buildIdentity())).toBe('not-found');
      expect(await stores.identities.unlink(odd, odd, [])).toBe('not-found');
      expect(await stores.identities.use(odd, now)).toBe(false);
    }
  });

  test('with another password all but those to keep go at once, whatever is left, and no one else’s', async () => {
    const [subject, other] = [await account({ passwordHash: 'old' }), await account({ passwordHash: 'old' })];
    const reset = (whose: string, from: string | null, to: string, keep: readonly string[]) =>
      stores.accounts.resetPasswordHash(whose, { from, to }, keep, now);
    const [kept, gone, also] = [buildIdentity(), buildIdentity(), buildIdentity({ provider: 'other' })];
    for (const identity of [kept, gone, also]) await link(subject, identity);
    const theirs = buildIdentity();
    await link(other, theirs);
    expect(await reset(subject, 'another', 'new', [])).toBeUndefined();
    expect(await reset(subject, null, 'new', [])).toBeUndefined();
    expect(await stores.identities.list(subject)).toHaveLength(3);
    const { unlinked: went = [] } = (await reset(subject, 'old', 'new', [kept.id, theirs.id, 'a\0b', ''])) ?? {};
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    expect([...went].sort(byId)).toEqual([gone, also].map(({ id, provider }) => ({ id, provider })).sort(byId));
    expect((await stores.identities.list(subject)).map(({ id }) => id)).toEqual([kept.id]);
    expect((await stores.accounts.bySubject(subject))?.passwordHash).toBe('new');
    expect(await reset(subject, 'new', 'newer', [])).toEqual({ unlinked: [{ id: kept.id, provider: kept.provider }] });
    const without = await account({ passwordHash: null });
    expect(await reset(without, null, 'first', [])).toEqual({ unlinked: [] });
    expect((await stores.accounts.bySubject(without))?.passwordHash).toBe('first');
    for (const odd of ['nobody', 'a\0b']) expect(await reset(odd, 'old', 'new', [])).toBeUndefined();
    expect((await stores.identities.list(other)).map(({ id }) => id)).toEqual([theirs.id]);
  });

  test('one identity is one account’s, also when twenty ask at once', async () => {
    const identity = buildIdentity();
    const subjects = await Promise.all(Array.from({ length: 20 }, () => account()));
    const answers = await Promise.all(subjects.map((subject) => link(subject, { ...identity, id: name() })));
    expect(answers.filter((answer) => answer === 'linked')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(19);
    const owner = subjects[answers.indexOf('linked')] ?? '';
    expect(await link(owner, { ...identity, id: name() })).toBe('already');
    expect(await stores.identities.list(owner)).toHaveLength(1);
  });

  test('asked for twenty times at once by its own account, it is linked once', async () => {
    const [subject, identity] = [await account(), buildIdentity()];
    const answers = await Promise.all(Array.from({ length: 20 }, () => link(subject, { ...identity, id: name() })));
    expect(answers.filter((answer) => answer === 'linked')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'already')).toHaveLength(19);
    expect(await stores.identities.list(subject)).toHaveLength(1);
  });

  test('linked and unlinked at the same moment, it is one or the other, and no one else’s', async () => {
    const subject = await account({ passwordHash: 'a hash' });
    for (let round = 0; round < 20; round += 1) {
      const identity = buildIdentity();
      expect(await link(subject, identity)).toBe('linked');
      const again = Array.from({ length: 4 }, () => ({ ...identity, id: name() }));
      const [unlinked, ...answers] = await Promise.all([
        stores.identities.unlink(subject, identity.id, ['company']),
        ...again.map((one) => link(subject, one)),
      ]);
      expect(unlinked).toBe('unlinked');
      expect(answers.filter((answer) => answer !== 'linked' && answer !== 'already')).toEqual([]);
      // Linked anew after it was unlinked, and once; or asked for only before.
      const made = answers.filter((answer) => answer === 'linked').length;
      expect(made).toBeLessThanOrEqual(1);
      const left = await stores.identities.list(subject);
      expect(left.filter(({ providerSubject }) => providerSubject === identity.providerSubject)).toHaveLength(made);
    }
  });

  test('a request that looked at a password that has been changed links nothing', async () => {
    const subject = await account({ passwordHash: 'a hash' });
    const identity = buildIdentity();
    await stores.accounts.update(subject, { passwordHash: 'another' }, now);
    for (const passwordHash of ['a hash', null])
      expect(await stores.identities.link({ subject, passwordHash }, identity)).toBe('not-found');
    expect(await stores.identities.find(identity.provider, identity.providerSubject)).toBeUndefined();
    const without = await account();
    expect(await stores.identities.link({ subject: without, passwordHash: 'a hash' }, identity)).toBe('not-found');
    expect(await stores.identities.link({ subject, passwordHash: 'another' }, identity)).toBe('linked');
  });

  test('linked while the password is changed: before it, or not at all', async () => {
    for (let round = 0; round < 20; round += 1) {
      const [subject, identity] = [await account({ passwordHash: 'a hash' }), buildIdentity()];
      const seen = { subject, passwordHash: 'a hash' };
      const [changed, linked] = await Promise.all([
        stores.accounts.update(subject, { passwordHash: 'another' }, now).then(() => stores.identities.list(subject)),
        stores.identities.link(seen, identity),
      ]);
      // The one who has changed it sees all that there will be.
      expect([linked, changed]).toEqual(
        linked === 'linked' ? ['linked', [expect.objectContaining({ id: identity.id })]] : ['not-found', []],
      );
    }
  });

  test('an account and its identity are made together or not at all', async () => {
    const identity = buildIdentity();
    const made = await stores.accounts.insert(buildAccount(), identity);
    if (made.outcome !== 'created') throw new Error(made.outcome);
    const { subject } = made.account;
    expect(await stores.identities.list(subject)).toEqual([{ ...identity, subject, lastUsedAt: null }]);
    const second = buildAccount();
    const refused = await stores.accounts.insert(second, { ...identity, id: name() });
    expect(refused).toEqual({ outcome: 'taken', field: 'username' });
    expect(await stores.accounts.bySubject(second.subject)).toBeUndefined();
    const email = { email: `${name()}@example.org`, emailKey: `${name().toLowerCase()}@example.org` };
    await account(email);
    const fresh = buildIdentity();
    const again = await stores.accounts.insert(buildAccount(email), fresh);
    expect(again).toEqual({ outcome: 'taken', field: 'email' });
    expect(await stores.identities.find(fresh.provider, fresh.providerSubject)).toBeUndefined();
  });

  test('of two sign-in methods that are taken away at once one stays, and another provider is one only while people can use it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const subject = await account();
      const [first, second] = [buildIdentity(), buildIdentity({ provider: 'other' })];
      for (const identity of [first, second]) await link(subject, identity);
      expect(await stores.identities.unlink(subject, first.id, ['company'])).toBe('last');
      const both = [first, second].map(({ id }) => stores.identities.unlink(subject, id, ['company', 'other']));
      expect((await Promise.all(both)).sort()).toEqual(['last', 'unlinked']);
      expect(await stores.identities.list(subject)).toHaveLength(1);
    }
  });

  test('unlinking leaves a password or a passkey, and no one else’s go', async () => {
    const [withPassword, without] = [await account({ passwordHash: 'a hash' }), await account()];
    const [a, b] = [buildIdentity(), buildIdentity()];
    await link(withPassword, a);
    await link(without, b);
    await link(without, buildIdentity());
    expect(await stores.identities.unlink(withPassword, b.id, [])).toBe('not-found');
    expect(await stores.identities.unlink(without, b.id, [])).toBe('last');
    const passkey = {
      id: name(),
      subject: without,
      credentialId: name(),
      handle: name(),
      name: '',
      publicKey: name(),
      counter: 0,
      transports: [],
      synced: true,
      createdAt: now,
      lastUsedAt: null,
    };
    expect(await stores.passkeys.insert(passkey, [], 10, now)).toMatchObject({ outcome: 'added' });
    expect(await stores.identities.unlink(without, b.id, [])).toBe('unlinked');
    expect(await stores.identities.unlink(without, b.id, [])).toBe('not-found');
    expect(await stores.identities.unlink(withPassword, a.id, [])).toBe('unlinked');
    expect(await stores.identities.find(a.provider, a.providerSubject)).toBeUndefined();
  });

  test('they go with their account', async () => {
    const subject = await account();
    const identity = buildIdentity();
    await link(subject, identity);
    expect(await stores.accounts.delete(subject)).toBe('removed');
    expect(await stores.identities.find(identity.provider, identity.providerSubject)).toBeUndefined();
    expect(await link(subject, identity)).toBe('not-found');
  });
}

describe('identities (SQLite)', () => identityPromises(freshSqlite));
describePostgres('identities (Postgres)', () => identityPromises(freshPostgres));
