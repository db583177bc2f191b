/** What `IdentityStore` (core/stores) promises, on both databases, alone and when many ask at once. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewIdentity, Stores } from '../../src/core/stores.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { buildAccount, name, now } from './rows.ts';

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

  async function account(overrides: Parameters<typeof buildAccount>[0] = {}): Promise<string> {
    const made = await stores.accounts.insert(buildAccount(overrides));
    if (made.outcome !== 'created') throw new Error(made.outcome);
    return made.account.subject;
  }

  test('a linked identity is found by its provider and name, and listed', async () => {
    const subject = await account();
    const [first, second] = [buildIdentity(), buildIdentity({ provider: 'other', createdAt: now + 1 })];
    expect(await stores.identities.link(subject, second)).toBe('linked');
    expect(await stores.identities.link(subject, first)).toBe('linked');
    const row = { ...first, subject, lastUsedAt: null };
    expect(await stores.identities.find(first.provider, first.providerSubject)).toEqual(row);
    expect(await stores.identities.list(subject)).toEqual([row, { ...second, subject, lastUsedAt: null }]);
    await stores.identities.use(first.id, now + 5);
    expect(await stores.identities.find(first.provider, first.providerSubject)).toEqual({
      ...row,
      lastUsedAt: now + 5,
    });
  });

  test('the same name at another provider is somebody else', async () => {
    const identity = buildIdentity();
    await stores.identities.link(await account(), identity);
    expect(await stores.identities.find('other', identity.providerSubject)).toBeUndefined();
    const other = await account();
    expect(await stores.identities.link(other, { ...identity, id: name(), provider: 'other' })).toBe('linked');
  });

  test('what nobody has is nobody’s', async () => {
    for (const odd of ['x', '', 'a\0b']) {
      expect(await stores.identities.list(odd)).toEqual([]);
      expect(await stores.identities.find(odd, odd)).toBeUndefined();
      expect(await stores.identities.link(odd, buildIdentity())).toBe('not-found');
      expect(await stores.identities.unlink(odd, odd)).toBe('not-found');
      await stores.identities.use(odd, now);
    }
  });

  test('one identity is one account’s, also when twenty ask at once', async () => {
    const identity = buildIdentity();
    const subjects = await Promise.all(Array.from({ length: 20 }, () => account()));
    const answers = await Promise.all(
      subjects.map((subject) => stores.identities.link(subject, { ...identity, id: name() })),
    );
    expect(answers.filter((answer) => answer === 'linked')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(19);
    const owner = subjects[answers.indexOf('linked')] ?? '';
    expect(await stores.identities.link(owner, { ...identity, id: name() })).toBe('linked');
    expect(await stores.identities.list(owner)).toHaveLength(1);
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

  test('unlinking leaves a password or a passkey, and is nobody else’s', async () => {
    const [withPassword, without] = [await account({ passwordHash: 'a hash' }), await account()];
    const [a, b] = [buildIdentity(), buildIdentity()];
    await stores.identities.link(withPassword, a);
    await stores.identities.link(without, b);
    await stores.identities.link(without, buildIdentity());
    expect(await stores.identities.unlink(withPassword, b.id)).toBe('not-found');
    expect(await stores.identities.unlink(without, b.id)).toBe('last');
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
    expect(await stores.identities.unlink(without, b.id)).toBe('unlinked');
    expect(await stores.identities.unlink(without, b.id)).toBe('not-found');
    expect(await stores.identities.unlink(withPassword, a.id)).toBe('unlinked');
    expect(await stores.identities.find(a.provider, a.providerSubject)).toBeUndefined();
  });

  test('they go with their account', async () => {
    const subject = await account();
    const identity = buildIdentity();
    await stores.identities.link(subject, identity);
    expect(await stores.accounts.delete(subject)).toBe(true);
    expect(await stores.identities.find(identity.provider, identity.providerSubject)).toBeUndefined();
    expect(await stores.identities.link(subject, identity)).toBe('not-found');
  });
}

describe('identities (SQLite)', () => identityPromises(freshSqlite));
describePostgres('identities (Postgres)', () => identityPromises(freshPostgres));
