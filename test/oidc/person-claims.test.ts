/**
 * What applications are told of a person: by ID tokens as their client has it, and at userinfo. Row "no name or e-mail
 * in the ID token" of clients.md.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Claims, claimsOf, codeFor, redeem, refresh, tokensFor, userinfo } from '../support/flow.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const everyScope = 'openid profile email phone address groups';
const api = 'https://api.example.com';
/** Of the token and of the sign-in, whatever the person. */
const ofToken = ['sub', 'aud', 'iss', 'iat', 'exp', 'nonce', 'sid', 'at_hash', 'acr', 'amr', 'auth_time'];
const ofPerson = (claims: Claims): string[] =>
  Object.keys(claims)
    .filter((name) => !ofToken.includes(name))
    .sort();

describeStorages('claims of a person', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    await server.core.apis.add({ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }] });
  });
  afterAll(() => server.close());

  /** Someone with a value for every claim. */
  async function fullPerson(overrides: Parameters<typeof buildPerson>[1] = {}) {
    const person = await buildPerson(server, overrides);
    const updated = await server.core.accountEdits.update(person.subject, {
      attributes: {
        ...{ picture: 'https://pictures.example/ada.png', locale: 'de-at', zoneinfo: 'Europe/Vienna' },
        ...{ phone: '+43 1 23456789', street_address: 'Ring 1', locality: 'Wien', country: 'Österreich' },
      },
    });
    expect(updated.outcome).toBe('changed');
    return person;
  }

  async function joined(subject: string, ...names: string[]): Promise<void> {
    for (const name of names) {
      await server.core.groups.add({ name });
      const group = await server.core.groups.findByName(name);
      if (group) await server.core.groups.join(group, subject);
    }
  }

  const idTokenOf = async (client: { id: string; secret: string }, options: Parameters<typeof tokensFor>[2]) =>
    claimsOf((await tokensFor(server, client, options)).body.id_token);

  const seen = async (token: string | undefined): Promise<Claims> =>
    (await userinfo(server, token)).json() as Promise<Claims>;

  describe('which rule', () => {
    const standard = [
      'email',
      'email_verified',
      'family_name',
      'given_name',
      'groups',
      'locale',
      'name',
      'picture',
      'preferred_username',
    ];
    const all = [...standard, 'address', 'phone_number', 'phone_number_verified', 'updated_at', 'zoneinfo'].sort();

    test.each([
      ['standard, which a new client has', {}, standard],
      ['standard', { id_token_claims: 'standard' }, standard],
      ['all', { id_token_claims: 'all' }, all],
      ['minimal', { id_token_claims: 'minimal' }, []],
    ])('%s', async (_name, metadata, expected) => {
      const client = await buildClient(server, metadata);
      const person = await fullPerson();
      await joined(person.subject, 'editors', 'Readers');
      const { body } = await tokensFor(server, client, { person, scope: everyScope });
      const claims = claimsOf(body.id_token);
      expect(ofPerson(claims)).toEqual(expected);
      if (expected.length > 0)
        expect(claims).toMatchObject({ name: 'Test Person', locale: 'de-AT', groups: ['editors', 'Readers'] });
      // A refresh makes the next ID token by the same rule.
      const refreshed = await refresh(server, client, body.refresh_token);
      expect(ofPerson(claimsOf(refreshed.body.id_token))).toEqual(expected);
      const told = await seen(body.access_token);
      expect(ofPerson(told)).toEqual(all);
      expect(told).toMatchObject({
        ...{ phone_number: '+43123456789', phone_number_verified: false, zoneinfo: 'Europe/Vienna' },
        ...{
          address: { street_address: 'Ring 1', locality: 'Wien', country: 'Österreich' },
          groups: ['editors', 'Readers'],
        },
      });
    });

    test('a stored client without the member keeps what it had, and so does its next change', async () => {
      const client = await buildClient(server);
      const { id_token_claims: _rule, ...before } = client.record.metadata;
      expect(await server.core.stores.clients.update({ ...client.record, metadata: before, version: 2 })).toBe(true);
      await server.core.cached.reload();
      const person = await fullPerson();
      expect(ofPerson(await idTokenOf(client, { person, scope: everyScope }))).toEqual([]);
      const changed = await server.app.clients.update(client.id, before, 'admin');
      expect(changed).toMatchObject({ outcome: 'updated', client: { metadata: { id_token_claims: 'minimal' } } });
      const asked = await server.app.clients.update(client.id, { ...before, id_token_claims: 'all' }, 'register');
      expect(asked).toMatchObject({ client: { metadata: { id_token_claims: 'all' } } });
      expect(await server.app.clients.update(client.id, before, 'register')).toMatchObject({
        client: { metadata: { id_token_claims: 'all' } },
      });
    });
  });

  test('only as the granted scopes allow, and only what has a value', async () => {
    const client = await buildClient(server, { id_token_claims: 'all' });
    const person = await fullPerson();
    await joined(person.subject, 'editors');
    expect(ofPerson(await idTokenOf(client, { person, scope: 'openid' }))).toEqual([]);
    expect(ofPerson(await idTokenOf(client, { person, scope: 'openid email' }))).toEqual(['email', 'email_verified']);
    expect(ofPerson(await idTokenOf(client, { person, scope: 'openid phone' }))).toEqual([
      'phone_number',
      'phone_number_verified',
    ]);
    const bare = await buildPerson(server);
    const { body } = await tokensFor(server, client, { person: bare, scope: everyScope });
    const few = ['email', 'email_verified', 'family_name', 'given_name', 'name', 'preferred_username', 'updated_at'];
    expect(ofPerson(claimsOf(body.id_token))).toEqual(few);
    expect(ofPerson(await seen(body.access_token))).toEqual(few);
  });

  test('an address that is not proved is at userinfo with its flag, and in no ID token, even by name', async () => {
    const person = await fullPerson({ email: 'unproved@example.org', verified: false });
    const claims = JSON.stringify({ id_token: { email: null, email_verified: null, zoneinfo: null } });
    for (const rule of ['standard', 'all', 'minimal']) {
      const client = await buildClient(server, { id_token_claims: rule });
      const { body } = await tokensFor(server, client, { person, scope: everyScope, extra: { claims } });
      expect(claimsOf(body.id_token)).not.toHaveProperty('email');
      expect(claimsOf(body.id_token)).not.toHaveProperty('email_verified');
      // Other members of the parameter go on working, whatever the rule.
      expect(claimsOf(body.id_token)).toMatchObject({ zoneinfo: 'Europe/Vienna' });
      expect(await seen(body.access_token)).toMatchObject({ email: 'unproved@example.org', email_verified: false });
    }
    await server.core.accountEdits.update(person.subject, { verified: true });
    const client = await buildClient(server);
    expect(await idTokenOf(client, { person, scope: everyScope })).toMatchObject({ email_verified: true });
  });

  test('names that read as an address which is not proved are told nowhere (S12)', async () => {
    const person = await buildPerson(server, {
      username: 'ceo@corp.example',
      email: 'ceo@corp.example',
      verified: false,
      unprovedName: true,
    });
    await server.core.accounts.setProfile(person.subject, {
      firstName: 'ceo@corp.example',
      street_address: 'ceo＠corp.example',
    });
    const client = await buildClient(server, { id_token_claims: 'all' });
    const { body } = await tokensFor(server, client, { person, scope: everyScope });
    for (const claims of [claimsOf(body.id_token), await seen(body.access_token)]) {
      expect(JSON.stringify(claims)).not.toMatch(/ceo/);
    }
  });

  test('at most 50 groups in an ID token; userinfo has all of them', async () => {
    const person = await buildPerson(server);
    const names = Array.from({ length: 55 }, (_, n) => `many-${String(n).padStart(2, '0')}`);
    await joined(person.subject, ...names);
    const client = await buildClient(server);
    const { body } = await tokensFor(server, client, { person, scope: 'openid groups' });
    expect(claimsOf(body.id_token).groups).toEqual(names.slice(0, 50));
    expect((await seen(body.access_token)).groups).toEqual(names);
  });

  test('a change of groups counts at once, at userinfo and in the next token, also by another node', async () => {
    const other = await storage.join(server);
    const person = await buildPerson(server);
    await joined(person.subject, 'here', 'there');
    const client = await buildClient(server);
    const { body } = await tokensFor(server, client, { person, scope: 'openid groups' });
    const group = await other.core.groups.findByName('HERE');
    if (!group) throw new Error('no group');
    await other.core.groups.leave(group, person.subject);
    expect((await seen(body.access_token)).groups).toEqual(['there']);
    const there = await other.core.groups.findByName('there');
    await other.core.groups.rename(there?.id ?? '', { name: 'Elsewhere' });
    expect(claimsOf((await refresh(server, client, body.refresh_token)).body.id_token).groups).toEqual(['Elsewhere']);
  });

  test('an access token for an API: the ID token has what the rule says; an older client goes on having all of it', async () => {
    const person = await fullPerson();
    const standard = ['family_name', 'given_name', 'locale', 'name', 'picture', 'preferred_username'];
    const all = [...standard, 'updated_at', 'zoneinfo'].sort();
    for (const [rule, expected] of [
      ['standard', standard],
      ['all', all],
      ['minimal', all],
    ] as const) {
      const client = await buildClient(server, { id_token_claims: rule });
      const extra = { resource: api };
      const { grant } = await codeFor(server, client, { person, scope: 'openid profile read', extra });
      const { body } = await redeem(server, client, grant, extra);
      expect([rule, ofPerson(claimsOf(body.id_token))]).toEqual([rule, expected]);
    }
  });

  test('discovery names the scopes and the claims', async () => {
    const document = (await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()) as Claims;
    expect(document.scopes_supported).toEqual(expect.arrayContaining(everyScope.split(' ')));
    const claims = ['picture', 'locale', 'zoneinfo', 'phone_number', 'phone_number_verified', 'address', 'groups'];
    expect(document.claims_supported).toEqual(expect.arrayContaining(claims));
  });

  test('POST /clients/register takes the member, and refuses another value', async () => {
    const register = (rule: string) =>
      fetch(`${server.url}/clients/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-admin-key': server.env.ADMIN_KEY ?? '' },
        body: JSON.stringify({
          ...{ app_name: 'Shop', contact_email: 'a@b.example', redirect_url: 'https://shop.example/cb' },
          id_token_claims: rule,
        }),
      });
    const made = (await (await register('all')).json()) as { client_id: string };
    expect((await server.app.clients.find(made.client_id))?.metadata.id_token_claims).toBe('all');
    expect((await register('everything')).status).toBe(400);
  });

  test('no client may add a scope of a person to an API of its own', async () => {
    const added = await server.core.apis.add({
      identifier: 'https://groups.example',
      name: 'G',
      scopes: [{ name: 'groups', sentence: 'Groups.' }],
    });
    expect(added.outcome).toBe('invalid');
  });
});
