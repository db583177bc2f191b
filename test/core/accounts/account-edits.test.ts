/**
 * An operator's changes of an account (core/accounts/account-edits): the rules, what ends with them, and changes at the
 * same time.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../../src/base/secrets.ts';
import type { AccountChange } from '../../../src/core/accounts/account-edits.ts';
import { tokensFor, userinfo } from '../../support/flow.ts';
import { mailsTo } from '../../support/mail.ts';
import { buildClient, buildPerson, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

describeStorages('an operator’s changes of an account', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());

  const update = (subject: string, change: AccountChange, from: TestServer = server) =>
    from.core.accountEdits.update(subject, change, { via: 'cli' });
  const accountOf = (subject: string) => server.core.accounts.findBySubject(subject);
  const recordsOf = (subject: string, event: string) => server.core.stores.audit.list({ subject, event }, 10);
  const unique = (name: string) => `${name}-${randomToken(4).replace(/[^A-Za-z0-9]/g, 'x')}`;

  test('only what is named changes; the record names it and holds no value', async () => {
    const person = await buildPerson(server);
    const outcome = await update(person.subject, {
      lastName: 'Secret-Surname',
      attributes: { zoneinfo: 'Asia/Tokyo' },
    });
    expect(outcome).toMatchObject({ outcome: 'changed', changed: ['lastName', 'zoneinfo'] });
    const { username, firstName, email, verified } = person;
    expect(await accountOf(person.subject)).toMatchObject({
      username,
      firstName,
      email,
      verified,
      lastName: 'Secret-Surname',
    });
    const [record] = await recordsOf(person.subject, 'account.updated');
    expect(record?.detail).toEqual({ changed: ['lastName', 'zoneinfo'], via: 'cli' });
  });

  test('what is so already is no change and no record', async () => {
    const { subject, firstName, username } = await buildPerson(server);
    expect(await update(subject, { firstName, username })).toMatchObject({ outcome: 'changed', changed: [] });
    expect(await recordsOf(subject, 'account.updated')).toEqual([]);
  });

  describe('the rules are those of a new account', () => {
    test.each<[AccountChange, object]>([
      [{ username: 'pаypal' }, { outcome: 'invalid', field: 'username', reason: 'mixed-scripts' }],
      [{ username: 'ends.' }, { outcome: 'invalid', field: 'username', reason: 'ends-with-dot' }],
      [{ username: '' }, { outcome: 'invalid', field: 'username', reason: 'empty' }],
      [{ username: 'ceo@corp.example' }, { outcome: 'invalid', field: 'username', reason: 'unproved-address' }],
      [{ email: 'no address' }, { outcome: 'invalid', field: 'email', reason: 'not-an-email' }],
      [{ firstName: 'x'.repeat(101) }, { outcome: 'invalid', field: 'firstName', reason: 'too-long' }],
      [{ lastName: 'a\u202eb' }, { outcome: 'invalid', field: 'lastName', reason: 'invisible' }],
      [
        { attributes: { picture: 'http://x.example/' } },
        { outcome: 'invalid', field: 'picture', reason: 'not-a-picture' },
      ],
      [{ phoneVerified: true }, { outcome: 'nothing-to-verify', field: 'phone' }],
      [
        { email: '', verified: true },
        { outcome: 'nothing-to-verify', field: 'email' },
      ],
    ])('%j', async (change, expected) => {
      const person = await buildPerson(server);
      expect(
        await update(person.subject, { ...change, attributes: { locality: 'X', ...change.attributes } }),
      ).toMatchObject(expected);
      expect(await accountOf(person.subject)).toMatchObject({ username: person.username, address: null });
    });

    test('a name or an address of another account is taken, in any spelling', async () => {
      const [person, other] = [await buildPerson(server), await buildPerson(server)];
      expect(await update(person.subject, { username: other.username.toUpperCase() })).toEqual({
        outcome: 'taken',
        field: 'username',
      });
      for (const verified of [true, undefined]) {
        expect(await update(person.subject, { email: other.email?.toUpperCase(), verified })).toEqual({
          outcome: 'taken',
          field: 'email',
        });
      }
    });
  });

  test('another username ends the sessions and tokens, which name the old one; the old name is free', async () => {
    const client = await buildClient(server);
    const { person, body } = await tokensFor(server, client);
    const name = unique('renamed');
    expect((await update(person.subject, { username: name })).outcome).toBe('changed');
    expect((await userinfo(server, body.access_token)).status).toBe(401);
    expect(await server.core.accounts.findByUsername(name)).toMatchObject({ subject: person.subject });
    await buildPerson(server, { username: person.username, email: `${unique('x')}@example.org` });
  });

  test('names, attributes and an address leave sessions alone', async () => {
    const client = await buildClient(server);
    const { person, body } = await tokensFor(server, client);
    await update(person.subject, {
      firstName: 'New',
      email: `${unique('new')}@example.org`,
      verified: true,
      attributes: { country: 'X' },
    });
    expect((await userinfo(server, body.access_token)).status).toBe(200);
  });

  test('another address: unproved unless said otherwise, its links end, and the one that was proved is told', async () => {
    const person = await buildPerson(server);
    const { path } = await server.core.passwordReset.makeLink(person, { via: 'cli' });
    const token = new URL(path, server.url).searchParams.get('token') ?? '';
    expect(await server.core.passwordReset.look(token)).toBeDefined();
    const next = `${unique('next')}@example.org`;
    expect(await update(person.subject, { email: next })).toMatchObject({ changed: ['email', 'verified'] });
    expect(await accountOf(person.subject)).toMatchObject({ email: next, verified: false });
    expect(await server.core.passwordReset.look(token)).toBeUndefined();
    expect((await mailsTo(server, person.email ?? '')).map(({ kind }) => kind)).toEqual(['email-changed']);
    expect(await update(person.subject, { verified: true })).toMatchObject({ changed: ['verified'] });
  });

  test('an address that is known to be theirs goes from the account that only named it', async () => {
    const squatter = await buildPerson(server, { verified: false });
    const person = await buildPerson(server);
    expect(await update(person.subject, { email: squatter.email ?? '' })).toEqual({ outcome: 'taken', field: 'email' });
    expect((await update(person.subject, { email: squatter.email ?? '', verified: true })).outcome).toBe('changed');
    expect(await accountOf(squatter.subject)).toMatchObject({ email: null });
  });

  test('who is called by their address is called by the new one, and never by one that is not proved', async () => {
    const address = `${unique('called')}@example.org`;
    const person = await buildPerson(server, { username: address, email: address });
    const next = `${unique('next')}@example.org`;
    expect(await update(person.subject, { email: next })).toMatchObject({
      outcome: 'invalid',
      reason: 'unproved-address',
    });
    expect(await update(person.subject, { verified: false })).toMatchObject({
      outcome: 'invalid',
      reason: 'unproved-address',
    });
    expect(await update(person.subject, { email: next, verified: true })).toMatchObject({ outcome: 'changed' });
    expect(await accountOf(person.subject)).toMatchObject({ username: next, email: next, verified: true });
    expect((await update(person.subject, { email: '', username: unique('plain') })).outcome).toBe('changed');
    expect(await accountOf(person.subject)).toMatchObject({ email: null, verified: false });
  });

  test('a name of before these rules stays while other members change', async () => {
    const person = await buildPerson(server, {
      username: 'boss@old.example',
      email: 'boss@old.example',
      verified: false,
      unprovedName: true,
    });
    expect(await update(person.subject, { firstName: 'Still' })).toMatchObject({
      outcome: 'changed',
      changed: ['firstName'],
    });
  });

  test('changes at the same time on two nodes lose nothing of each other', async () => {
    // Two connections of one process would wait for each other's lock on SQLite, which waits without giving way.
    const other = storage.kind === 'sqlite' ? server : await storage.join(server);
    const { subject } = await buildPerson(server);
    const outcomes = await Promise.all([
      update(subject, { firstName: 'One' }),
      update(subject, { lastName: 'Two' }, other),
      update(subject, { attributes: { locality: 'Three' } }),
      update(subject, { attributes: { country: 'Four' } }, other),
      server.core.accounts.setProfile(subject, { region: 'Five' }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(5).fill('changed'));
    expect(await accountOf(subject)).toMatchObject({
      ...{ firstName: 'One', lastName: 'Two' },
      address: { locality: 'Three', country: 'Four', region: 'Five' },
    });
  });

  test('administrators: promoted and demoted on record; the last one who is enabled stays, also of many at once', async () => {
    const [first, second, third] = [await buildPerson(server), await buildPerson(server), await buildPerson(server)];
    const admins = [first, second, third];
    for (const { subject } of admins)
      expect(await update(subject, { admin: true })).toMatchObject({ changed: ['admin'] });
    expect(await update(first.subject, { admin: true })).toMatchObject({ changed: [] });
    await server.core.accounts.disable(third.subject);
    const outcomes = await Promise.all(
      [first, second].map(({ subject }) => update(subject, { admin: false, firstName: 'Ex' })),
    );
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['changed', 'last-admin']);
    const [stays, goes] = outcomes[0]?.outcome === 'changed' ? [second, first] : [first, second];
    expect(await accountOf(stays.subject)).toMatchObject({ admin: true, firstName: 'Test' });
    expect((await recordsOf(goes.subject, 'account.demoted')).map(({ detail }) => detail)).toEqual([{ via: 'cli' }]);
    expect(await recordsOf(stays.subject, 'account.promoted')).toHaveLength(1);
    // A disabled one may go: it administers nothing.
    expect(await update(third.subject, { admin: false })).toMatchObject({ outcome: 'changed' });
  });

  test('no such account', async () => {
    for (const subject of ['no-one', '', 'a\0b'])
      expect(await update(subject, { firstName: 'X' })).toEqual({ outcome: 'not-found' });
  });
});
