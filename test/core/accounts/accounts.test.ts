import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../../src/base/clock.ts';
import type { CreateOutcome } from '../../../src/core/accounts/accounts.ts';
import { describePostgres, freshSqlite, migratedPostgres, type TestDatabase } from '../../support/databases.ts';
import { buildFixture, type Fixture, goodPassword } from '../fixture.ts';

describe('on SQLite', () => suite(freshSqlite));
describePostgres('accounts on Postgres', () => suite(migratedPostgres));

function suite(fresh: () => Promise<TestDatabase>): void {
  let database: TestDatabase;
  let fixture: Fixture;
  beforeEach(async () => {
    database = await fresh();
    fixture = await buildFixture({ database: database.settings });
  });
  afterEach(async () => {
    await fixture.close();
    await database.drop();
  });

  /** Gives the account a session, a grant and tokens, of one browser. */
  async function giveSession(subject: string, uid: string): Promise<void> {
    const expiresAt = nowSeconds() + 1000;
    const row = { payload: '{}', grantId: `grant-${uid}`, clientId: 'app', subject, sessionUid: uid, expiresAt };
    await fixture.stores.engine.commit({
      sessions: [
        {
          before: null,
          key: `session-${uid}`,
          uid,
          subject,
          payload: '{}',
          grants: { app: `grant-${uid}` },
          sids: {},
          expiresAt,
          origin: { door: 'browser', clientId: null, address: null, userAgent: null },
        },
      ],
      grants: [{ id: `grant-${uid}`, clientId: 'app', subject, payload: '{}', expiresAt }],
      tokens: [
        { key: `refresh-${uid}`, kind: 'RefreshToken', ...row },
        { key: `access-${uid}`, kind: 'AccessToken', ...row },
      ],
    });
  }

  async function lives(uid: string): Promise<boolean[]> {
    const { engine } = fixture.stores;
    const all = [
      engine.readSessionByUid(uid),
      engine.readGrant(`grant-${uid}`),
      engine.readToken(`refresh-${uid}`),
      engine.readToken(`access-${uid}`),
    ];
    return (await Promise.all(all)).map((found) => found !== undefined);
  }

  const allGone = [false, false, false, false];
  const allThere = [true, true, true, true];

  describe('create', () => {
    test('an account with a random subject and a hashed password, and an audit record', async () => {
      const account = await fixture.make({
        username: 'Ａlice',
        email: 'Alice@Example.com',
        firstName: 'Alice',
        lastName: 'Å',
        verified: true,
      });
      expect(account).toMatchObject({
        username: 'Ａlice',
        usernameKey: 'alice',
        email: 'Alice@Example.com',
        emailKey: 'alice@example.com',
        verified: true,
        admin: false,
        twoFactor: false,
        disabledAt: null,
      });
      expect(account.subject).toMatch(/^[A-Za-z0-9_-]{22}$/);
      expect(account.passwordHash).toMatch(/^\$argon2id\$/);
      expect(await fixture.audited()).toEqual([
        expect.objectContaining({ event: 'account.created', subject: account.subject }),
      ]);
      expect(await fixture.accounts.findByUsername('ALICE')).toMatchObject({ id: account.id });
      expect(await fixture.accounts.findById(account.id)).toMatchObject({ subject: account.subject });
    });

    test('without a password no one signs in to it', async () => {
      const account = await fixture.make({ password: undefined });
      expect(account.passwordHash).toBeNull();
    });

    test('verified without an e-mail address means nothing', async () => {
      expect((await fixture.make({ verified: true })).verified).toBe(false);
    });

    const refused: [string, Partial<Parameters<Fixture['make']>[0]>, Partial<CreateOutcome>][] = [
      ['a colon in the username', { username: 'a:b' }, { outcome: 'invalid', field: 'username', reason: 'characters' }],
      ['a bad e-mail address', { email: 'x' }, { outcome: 'invalid', field: 'email', reason: 'not-an-email' }],
      [
        "another's address as username",
        { username: 'bob@x.example', email: 'a@x.example' },
        { outcome: 'invalid', field: 'username', reason: 'unproved-address' },
      ],
      ['a bad first name', { firstName: 'a\0' }, { outcome: 'invalid', field: 'firstName', reason: 'malformed' }],
      ['a bad last name', { lastName: '\u202ea' }, { outcome: 'invalid', field: 'lastName', reason: 'invisible' }],
    ];
    test.each(refused)('%s is refused', async (_what, form, outcome) => {
      const given = { username: 'bob', password: goodPassword, firstName: '', lastName: '', ...form };
      expect(await fixture.accounts.create(given)).toMatchObject(outcome);
      expect(await fixture.stores.accounts.count()).toBe(0);
    });

    test('a weak password is refused with its reason', async () => {
      const form = { username: 'margaret.hamilton', firstName: '', lastName: '' };
      expect(await fixture.accounts.create({ ...form, password: 'margaret.hamilton1' })).toMatchObject({
        outcome: 'weak-password',
        reason: { code: 'own-name', sentence: expect.any(String) },
      });
      expect(await fixture.accounts.create({ ...form, password: `${goodPassword}\0` })).toMatchObject({
        reason: { code: 'malformed' },
      });
    });

    test.each(['ALICE', 'ａｌｉｃｅ', 'alice'])('%s is taken', async (username) => {
      await fixture.make();
      const form = { username, password: goodPassword, firstName: '', lastName: '' };
      expect(await fixture.accounts.create(form)).toEqual({ outcome: 'taken', field: 'username' });
    });

    test('of twenty at once one gets the name', async () => {
      const form = { password: goodPassword, firstName: '', lastName: '' };
      const names = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 'alice' : 'ALICE'));
      const made = await Promise.all(names.map((username) => fixture.accounts.create({ ...form, username })));
      expect(made.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
      expect(made.filter(({ outcome }) => outcome === 'taken')).toHaveLength(19);
    });
  });

  describe('S12: a username that is an e-mail address', () => {
    const form = { password: goodPassword, firstName: '', lastName: '' };
    const refused = { outcome: 'invalid', field: 'username', reason: 'unproved-address' };

    test.each([
      {},
      { email: 'bob@x.example' },
      { email: 'bob@x.example', verified: false },
      { verified: false },
      { email: 'ann@x.example', verified: true },
    ])('is refused unless the account has proved it: %j', async (more) => {
      expect(await fixture.accounts.create({ ...form, username: 'bob@x.example', ...more })).toMatchObject(refused);
      expect(await fixture.stores.accounts.count()).toBe(0);
    });

    test.each([{}, { email: 'Bob@X.example' }])('is the account’s own where it is proved: %j', async (more) => {
      expect(await fixture.make({ username: 'bob@x.example', verified: true, ...more })).toMatchObject({
        username: 'bob@x.example',
        emailKey: 'bob@x.example',
        verified: true,
      });
    });

    test('takes the address, unproved, where it may be a name all the same', async () => {
      expect(await fixture.make({ username: 'bob@x.example', unprovedName: true })).toMatchObject({
        email: 'bob@x.example',
        emailKey: 'bob@x.example',
        verified: false,
      });
    });

    test('so no one takes the address of another as a name', async () => {
      await fixture.make({ username: 'bob', email: 'Bob@X.example' });
      expect(await fixture.accounts.create({ ...form, username: 'bob@x.example', unprovedName: true })).toMatchObject({
        outcome: 'taken',
      });
    });

    test('nor the name of another as an address', async () => {
      await fixture.make({ username: 'bob@x.example', unprovedName: true });
      expect(await fixture.accounts.create({ ...form, username: 'mallory', email: 'BOB@x.example' })).toEqual({
        outcome: 'taken',
        field: 'email',
      });
    });
  });

  describe('a new password', () => {
    test('ends every session, grant and token where it should', async () => {
      const { subject } = await fixture.make();
      await giveSession(subject, 'one');
      expect(await fixture.accounts.setPassword(subject, 'dry pebbles above sand', { endSessions: true })).toEqual({
        outcome: 'changed',
      });
      expect(await lives('one')).toEqual(allGone);
      expect((await fixture.audited()).map(({ event }) => event)).toEqual([
        'account.created',
        'account.password_changed',
      ]);
    });

    test('spares the session that changes it', async () => {
      const { subject } = await fixture.make();
      await giveSession(subject, 'one');
      await giveSession(subject, 'two');
      await fixture.accounts.setPassword(subject, 'dry pebbles above sand', { endSessions: true, keepSession: 'one' });
      expect([await lives('one'), await lives('two')]).toEqual([allThere, allGone]);
    });

    test('may leave all as it is', async () => {
      const { subject } = await fixture.make();
      await giveSession(subject, 'one');
      await fixture.accounts.setPassword(subject, 'dry pebbles above sand', { endSessions: false });
      expect(await lives('one')).toEqual(allThere);
    });

    test('is held to the rules; an unknown account has none', async () => {
      const { subject, passwordHash } = await fixture.make();
      expect(await fixture.accounts.setPassword(subject, 'short', { endSessions: true })).toMatchObject({
        outcome: 'weak-password',
      });
      expect(await fixture.accounts.findBySubject(subject)).toMatchObject({ passwordHash });
      expect(await fixture.accounts.setPassword('nobody', goodPassword, { endSessions: true })).toEqual({
        outcome: 'not-found',
      });
    });
  });

  describe('disable, enable, remove', () => {
    test('disabling ends everything, and enabling brings none of it back', async () => {
      const { subject } = await fixture.make();
      await giveSession(subject, 'one');
      expect(
        await fixture.accounts.disable(subject, { by: 'admin', via: 'cli', address: '192.0.2.1', requestId: 'r1' }),
      ).toBe(true);
      expect(await lives('one')).toEqual(allGone);
      const disabled = await fixture.accounts.findBySubject(subject);
      expect(disabled?.disabledAt).toEqual(expect.any(Number));
      expect(await fixture.accounts.enable(subject)).toBe(true);
      expect(await fixture.accounts.findBySubject(subject)).toMatchObject({ disabledAt: null });
      expect(await lives('one')).toEqual(allGone);
      expect((await fixture.audited()).slice(1)).toEqual([
        expect.objectContaining({
          event: 'account.disabled',
          subject,
          address: '192.0.2.1',
          requestId: 'r1',
          detail: { by: 'admin', via: 'cli' },
        }),
        expect.objectContaining({ event: 'account.enabled', subject, detail: {} }),
      ]);
    });

    test('removing takes everything along and frees the name for another subject', async () => {
      const { subject } = await fixture.make();
      await giveSession(subject, 'one');
      expect(await fixture.accounts.remove(subject)).toBe('removed');
      expect(await lives('one')).toEqual(allGone);
      expect(await fixture.accounts.findBySubject(subject)).toBeUndefined();
      expect((await fixture.make()).subject).not.toBe(subject);
    });

    test('an unknown account cannot be disabled, enabled or removed', async () => {
      for (const act of ['disable', 'enable'] as const) expect(await fixture.accounts[act]('nobody')).toBe(false);
      expect(await fixture.accounts.remove('nobody')).toBe('not-found');
      expect(await fixture.audited()).toEqual([]);
    });
  });
}
