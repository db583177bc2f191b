import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createSetup, type Setup } from '../../../src/core/registration/setup.ts';
import { describePostgres, freshSqlite, migratedPostgres, type TestDatabase } from '../../support/databases.ts';
import { buildFixture, type Fixture, goodPassword } from '../fixture.ts';

describe('on SQLite', () => suite(freshSqlite));
describePostgres('setup on Postgres', () => suite(migratedPostgres));

function suite(fresh: () => Promise<TestDatabase>): void {
  let database: TestDatabase;
  let fixture: Fixture;
  let setup: Setup;
  beforeEach(async () => {
    database = await fresh();
    fixture = await buildFixture({ database: database.settings });
    setup = build();
  });
  afterEach(async () => {
    jest.useRealTimers();
    await fixture.close();
    await database.drop();
  });

  function build(): Setup {
    return createSetup(fixture);
  }

  const form = { username: 'root.admin', password: goodPassword, firstName: 'Ada', lastName: 'Min' };

  async function link(): Promise<string> {
    const made = await setup.createSetupLink();
    if (made === undefined) throw new Error('no link was made');
    return made.token;
  }

  describe('the first admin', () => {
    test('is made through the link, once', async () => {
      const token = await link();
      expect(await setup.isOpen(token)).toBe(true);
      const made = await setup.complete(token, form, { via: 'browser', address: '192.0.2.1', requestId: 'r1' });
      expect(made).toMatchObject({ outcome: 'created', account: { admin: true, username: 'root.admin' } });
      expect((await fixture.audited()).map(({ event }) => event)).toEqual(['account.created', 'setup.completed']);
      expect(await setup.isOpen(token)).toBe(false);
      expect(await setup.complete(token, { ...form, username: 'second' })).toEqual({ outcome: 'gone' });
      expect(await setup.createSetupLink()).toBeUndefined();
      expect(await fixture.stores.accounts.count()).toBe(1);
    });

    test('of twenty at once, in two processes, one wins', async () => {
      const token = await link();
      const other = build();
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (n % 2 === 0 ? setup : other).complete(token, { ...form, username: `admin${n}` }),
        ),
      );
      expect(all.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
      expect(all.filter(({ outcome }) => outcome === 'gone')).toHaveLength(19);
      expect(await fixture.stores.accounts.count()).toBe(1);
    });

    test('even where two processes made a link each at the same moment', async () => {
      const [one, two] = await Promise.all([link(), link()]);
      const all = await Promise.all([
        setup.complete(one, { ...form, username: 'one' }),
        setup.complete(two, { ...form, username: 'two' }),
      ]);
      expect(all.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
    });

    test('can still be made when others have signed up', async () => {
      await fixture.make();
      expect(await setup.complete(await link(), form)).toMatchObject({ outcome: 'created' });
    });

    test('made by another way, ends the link', async () => {
      const token = await link();
      await fixture.make({ username: 'cli.admin', admin: true });
      expect(await setup.complete(token, form)).toEqual({ outcome: 'gone' });
    });
  });

  describe('the link', () => {
    test('survives a form that is refused', async () => {
      const token = await link();
      await fixture.make({ username: 'alice' });
      expect(await setup.complete(token, { ...form, password: 'short' })).toMatchObject({ outcome: 'weak-password' });
      expect(await setup.complete(token, { ...form, username: 'a b' })).toMatchObject({ outcome: 'invalid' });
      expect(await setup.complete(token, { ...form, username: 'alice' })).toMatchObject({ outcome: 'taken' });
      expect(await setup.complete(token, form)).toMatchObject({ outcome: 'created' });
    });

    test('is replaced by a newer one', async () => {
      const older = await link();
      const newer = await link();
      expect(await setup.complete(older, form)).toEqual({ outcome: 'gone' });
      expect(await setup.complete(newer, form)).toMatchObject({ outcome: 'created' });
    });

    test('expires', async () => {
      const token = await link();
      jest.useFakeTimers({
        now: Date.now() + 3600_000,
        doNotFake: ['nextTick', 'setImmediate', 'setInterval', 'setTimeout', 'queueMicrotask', 'performance', 'hrtime'],
      });
      expect(await setup.isOpen(token)).toBe(false);
      expect(await setup.complete(token, form)).toEqual({ outcome: 'gone' });
    });

    test.each(['', 'x', '\0', '\ud800', 'A'.repeat(43), 'x'.repeat(100_000)])('%j is none', async (token) => {
      await link();
      expect(await setup.complete(token, form)).toEqual({ outcome: 'gone' });
    });

    test('is not in the database as it is', async () => {
      const token = await link();
      expect(await fixture.stores.links.find(token)).toBeUndefined();
      expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    });
  });
}
