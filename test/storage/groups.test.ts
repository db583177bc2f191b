/**
 * What `GroupStore` and `AccountStore.edit` (core/stores) promise, on both databases, alone and when many ask at once.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Group } from '../../src/core/stores/groups.ts';
import type { Stores } from '../../src/core/stores/stores.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { type buildAccount, insertAccount, name, now } from './rows.ts';

const buildGroup = (overrides: Partial<Group> = {}): Group => {
  const called = overrides.name ?? name();
  return {
    ...{
      id: name(),
      name: called,
      nameKey: called.toLowerCase(),
      description: 'Some ☎.',
      createdAt: now,
      updatedAt: now,
    },
    ...overrides,
  };
};

function groupPromises(fresh: () => Promise<TestDatabase>): void {
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

  async function group(overrides: Partial<Group> = {}): Promise<Group> {
    const made = buildGroup(overrides);
    expect(await stores.groups.insert(made)).toBe(true);
    return made;
  }

  test('a group comes back as it was made, and its name is one group, also of many at once', async () => {
    const made = await group();
    expect(await stores.groups.byId(made.id)).toEqual(made);
    expect(await stores.groups.byNameKey(made.nameKey)).toEqual(made);
    for (const key of ['', 'a\0b', '\ud800']) expect(await stores.groups.byNameKey(key)).toBeUndefined();
    const same = Array.from({ length: 8 }, () => buildGroup({ nameKey: 'one-name' }));
    expect((await Promise.all(same.map((one) => stores.groups.insert(one)))).filter(Boolean)).toEqual([true]);
  });

  test('a new name or description keeps the rest; a name of another group is taken', async () => {
    const [made, other] = [await group(), await group()];
    const renamed = { ...made, name: `${made.name} 2`, nameKey: `${made.nameKey} 2`, updatedAt: now + 5 };
    const patch = { name: renamed.name, nameKey: renamed.nameKey };
    expect(await stores.groups.update(made.id, patch, now + 5)).toEqual(renamed);
    expect(await stores.groups.update(made.id, { description: '' }, now + 6)).toMatchObject({
      description: '',
      name: renamed.name,
    });
    expect(await stores.groups.update(made.id, { nameKey: other.nameKey }, now)).toBe('taken');
    expect(await stores.groups.update(name(), { description: '' }, now)).toBeUndefined();
  });

  test('members join once, are listed in pages and leave; a person has the names of all their groups', async () => {
    const [second, first] = [await group({ name: 'B', nameKey: 'zz b' }), await group({ name: 'A', nameKey: 'zz a' })];
    const people = [await account(), await account(), await account()];
    for (const subject of people) expect(await stores.groups.join(first.id, subject, now)).toBe('joined');
    const [one = '', two = ''] = people;
    expect(await stores.groups.join(first.id, one, now + 9)).toBe('already');
    expect(await stores.groups.join(second.id, one, now)).toBe('joined');
    expect(await stores.groups.namesOf(one)).toEqual(['A', 'B']);
    expect(await stores.groups.namesOf(name())).toEqual([]);
    const page = await stores.groups.members(first.id, 0, 2);
    expect(page.map(({ subject, since }) => [subject, since])).toEqual([
      [one, now],
      [two, now],
    ]);
    expect((await stores.groups.members(first.id, page.at(-1)?.id ?? 0, 2)).map(({ subject }) => subject)).toEqual([
      people[2],
    ]);
    expect(await stores.groups.list('zz ', 10)).toMatchObject([
      { name: 'A', members: 3 },
      { name: 'B', members: 1 },
    ]);
    expect(await stores.groups.leave(first.id, one)).toBe(true);
    expect(await stores.groups.leave(first.id, one)).toBe(false);
    expect(await stores.groups.namesOf(one)).toEqual(['B']);
  });

  test('no membership is left of a group or an account that has gone, whichever is first', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [made, subject] = [await group(), await account()];
      const [joined] = await Promise.all([
        stores.groups.join(made.id, subject, now),
        round % 2 === 0 ? stores.groups.remove(made.id) : stores.accounts.delete(subject),
      ]);
      expect(['joined', 'no-group', 'no-account']).toContain(joined);
      expect(await stores.groups.namesOf(subject)).toEqual([]);
      expect(await stores.groups.members(made.id, 0, 10)).toEqual([]);
      // The row itself, which a listing that joins tables would hide.
      expect(await stores.groups.leave(made.id, subject)).toBe(false);
    }
    expect(await stores.groups.join(name(), await account(), now)).toBe('no-group');
    expect(await stores.groups.join((await group()).id, name(), now)).toBe('no-account');
    expect(await stores.groups.remove(name())).toBeUndefined();
  });

  test('an account has the attributes that it was given', async () => {
    const attributes = {
      ...{ locale: 'pt-BR', picture: 'https://x.example/p', zoneinfo: 'Europe/Berlin', phone: '+4930123456' },
      phoneVerified: true,
      address: { street_address: 'A 1\nB', country: 'DE' },
    };
    const subject = await account(attributes);
    expect(await stores.accounts.bySubject(subject)).toMatchObject(attributes);
    await stores.accounts.update(subject, { address: null, phone: null, phoneVerified: false }, now);
    expect(await stores.accounts.bySubject(subject)).toMatchObject({
      address: null,
      phone: null,
      phoneVerified: false,
    });
  });

  test('edits at the same time lose nothing of each other', async () => {
    const subject = await account();
    const members = ['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country'] as const;
    const edits = members.map((member) =>
      stores.accounts.edit(subject, now, ({ address }) => ({ patch: { address: { ...address, [member]: member } } })),
    );
    for (const edited of await Promise.all(edits)) expect(edited.outcome).toBe('changed');
    const { address } = (await stores.accounts.bySubject(subject)) ?? {};
    expect(Object.keys(address ?? {}).sort()).toEqual([...members].sort());
  });

  test('an edit that is stopped, taken or of no account changes nothing', async () => {
    const [subject, other] = [await account(), await account({ usernameKey: 'taken-key' })];
    expect(await stores.accounts.edit(subject, now, () => ({ stop: 'why' }))).toEqual({
      outcome: 'stopped',
      stop: 'why',
    });
    const before = await stores.accounts.bySubject(subject);
    const taken = await stores.accounts.edit(subject, now + 1, () => ({
      patch: { firstName: 'X', usernameKey: 'taken-key' },
    }));
    expect(taken).toEqual({ outcome: 'taken', field: 'username' });
    expect(await stores.accounts.bySubject(subject)).toEqual(before);
    expect(await stores.accounts.edit(name(), now, () => ({ patch: {} }))).toEqual({ outcome: 'not-found' });
    expect(await stores.accounts.bySubject(other)).toMatchObject({ usernameKey: 'taken-key' });
  });

  test('of administrators who are demoted at once one stays', async () => {
    const admins = [await account({ admin: true }), await account({ admin: true }), await account({ admin: true })];
    const demoted = await Promise.all(
      admins.map((subject) =>
        stores.accounts.edit(subject, now, () => ({ patch: { admin: false } }), { demotes: true }),
      ),
    );
    expect(demoted.map(({ outcome }) => outcome).sort()).toEqual(['changed', 'changed', 'last-admin']);
    const left = await Promise.all(admins.map((subject) => stores.accounts.bySubject(subject)));
    expect(left.filter((one) => one?.admin)).toHaveLength(1);
  });
}

describe('groups on SQLite', () => groupPromises(freshSqlite));
describePostgres('groups on Postgres', () => groupPromises(() => freshPostgres()));
