/**
 * The members of the token answer by whose client it is (contracts: OAuth clients and users), and grant types that are
 * not allowed (P9).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../src/base/secrets.ts';
import { token } from '../support/agent.ts';
import { claimsOf, redeem, refresh, tokensFor } from '../support/flow.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const publicClient = { token_endpoint_auth_method: 'none' };
const machine = { redirect_uris: [], grant_types: ['client_credentials'] };
const standard = ['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type'];
const members = (body: object) => Object.keys(body).sort();
const without = (...names: string[]) => standard.filter((name) => !names.includes(name));

describe('a client of POST /clients/register', () => {
  test('success, username and expiry beside the standard members; at a refresh, and at POST /token, too', async () => {
    const client = await buildClient(server, {}, 'register');
    const { body, person } = await tokensFor(server, client);
    expect(members(body)).toEqual([...standard, 'expiry', 'success', 'username'].sort());
    expect(body).toMatchObject({ success: true, username: person.username });
    const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' };
    for (const path of ['/oauth/token', '/token']) {
      const again = await token(server, client, form, path);
      expect(again.body).toMatchObject({ success: true, username: person.username, expiry: expect.any(Number) });
    }
    const user = await tokensFor(server, client, { scope: 'user' });
    expect(user.body.expiry).toBe(claimsOf(user.body.access_token).exp);
  });

  test('without a person there is no username; an error says success false', async () => {
    const client = await buildClient(server, machine, 'register');
    const { body } = await token(server, client, { grant_type: 'client_credentials' });
    expect(members(body)).toEqual(['access_token', 'expires_in', 'expiry', 'success', 'token_type']);
    const refused = await token(server, client, { grant_type: 'client_credentials', scope: 'openid' });
    expect([refused.status, refused.body.success]).toEqual([400, false]);
  });
});

describe('any other client', () => {
  test.each([
    ['an operator’s', {}, 'admin'],
    ['public', publicClient, 'admin'],
    ['a person’s', {}, 'person'],
  ] as const)('%s: the standard members alone, and username with user or profile', async (_name, metadata, origin) => {
    const client = await buildClient(server, metadata, origin);
    expect(members((await tokensFor(server, client)).body)).toEqual(standard);
    const profile = await tokensFor(server, client, { scope: 'openid profile' });
    expect(members(profile.body)).toEqual([...standard, 'username']);
    expect(profile.body.username).toBe(profile.person.username);
    const user = await tokensFor(server, client, { scope: 'user' });
    expect(members(user.body)).toEqual([...without('id_token'), 'username']);
    const again = await refresh(server, client, user.body.refresh_token);
    expect(again.body.username).toBe(user.person.username);
    const narrowed = await refresh(server, client, profile.body.refresh_token, { scope: 'openid' });
    expect(members(narrowed.body)).toEqual(standard);
  });

  test('a username that no one may be told is told with the user API alone', async () => {
    const client = await buildClient(server);
    const username = `u-${randomToken(4)}@example.org`.toLowerCase();
    const person = await buildPerson(server, { username, unprovedName: true, verified: false, email: username });
    const profile = await tokensFor(server, client, { person, scope: 'openid profile' });
    expect(profile.body).not.toHaveProperty('username');
    const user = await tokensFor(server, client, { person, scope: 'user' });
    expect(user.body.username).toBe(username);
  });

  test('a machine: the standard members alone', async () => {
    const { body } = await token(server, await buildClient(server, machine), { grant_type: 'client_credentials' });
    expect(members(body)).toEqual(['access_token', 'expires_in', 'token_type']);
  });

  test('an error is the standard’s, where the caller is known', async () => {
    for (const [metadata, origin] of [
      [{}, 'admin'],
      [publicClient, 'admin'],
      [{}, 'person'],
    ] as const) {
      const client = await buildClient(server, metadata, origin);
      const refused = await redeem(server, client, { code: 'x' });
      expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant']);
      expect(refused.body).not.toHaveProperty('success');
    }
  });

  test('a caller that could not be identified is told success false', async () => {
    const client = await buildClient(server);
    const form = { grant_type: 'refresh_token', refresh_token: 'x' };
    const callers = [{ id: 'nobody', secret: 'x' }, { id: 'nobody' }, { id: client.id, secret: 'wrong' }, { id: '' }];
    for (const caller of callers) {
      const { status, body } = await token(server, caller, form);
      expect({ caller, status: status === 400 || status === 401, success: body.success }).toEqual({
        caller,
        status: true,
        success: false,
      });
    }
    for (const init of [
      { method: 'GET' },
      { method: 'POST', body: '{}' },
      { method: 'POST', body: 'x'.repeat(70_000) },
    ]) {
      const response = await fetch(`${server.url}/oauth/token`, {
        ...init,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect([response.status >= 400, ((await response.json()) as { success?: unknown }).success]).toEqual([
        true,
        false,
      ]);
    }
  });
});

describe('P9: a grant type that the client may not use', () => {
  test('is unauthorized_client, and its record names the check', async () => {
    const cases = [
      [await buildClient(server), { grant_type: 'client_credentials' }],
      [await buildClient(server, machine), { grant_type: 'authorization_code', code: 'x' }],
      [await buildClient(server, machine, 'register'), { grant_type: 'refresh_token', refresh_token: 'x' }],
      [
        await buildClient(server, { ...publicClient, grant_types: ['authorization_code'] }),
        { grant_type: 'refresh_token', refresh_token: 'x' },
      ],
    ] as const;
    for (const [client, form] of cases) {
      const { status, body } = await token(server, client, form);
      expect({ status, ...body }).toMatchObject({
        ...{ status: 400, error: 'unauthorized_client', check: 'grant_type_not_allowed' },
        received: form.grant_type,
      });
    }
  });

  test('a client without the refresh grant still redeems its code, and a refresh token it had is not used up', async () => {
    const client = await buildClient(server, { grant_types: ['authorization_code'] });
    expect(members((await tokensFor(server, client)).body)).toEqual(without('refresh_token'));
    const other = await buildClient(server);
    const { body } = await tokensFor(server, other);
    const plain = { redirect_uris: ['https://app.example.com/cb'] };
    await server.app.clients.update(other.id, { ...plain, grant_types: ['authorization_code'] }, 'admin');
    expect((await refresh(server, other, body.refresh_token)).body.error).toBe('unauthorized_client');
    await server.app.clients.update(other.id, plain, 'admin');
    expect((await refresh(server, other, body.refresh_token)).status).toBe(200);
  });
});
