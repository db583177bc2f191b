/** What is accepted as a token, and where: forged ones, expired ones, and good ones at the wrong door. */
import type { JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { type Agent, token } from '../support/agent.ts';
import {
  ask,
  type Claims,
  claimsOf,
  headerOf,
  isActive,
  redeem,
  refresh,
  tokensFor,
  userApiTakes,
  userinfo,
} from '../support/flow.ts';
import { forgeries } from '../support/forgeries.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';
import { changed, signAsServer as signedAs } from '../support/sign-as-server.ts';

const api = 'https://api.example.com';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
let jwks: { keys: JsonWebKey[] };
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server);
  jwks = (await (await fetch(`${server.url}/oauth/jwks`)).json()) as typeof jwks;
  await server.core.apis.add({ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }] });
});
afterAll(() => server.close());

const signAsServer = (header: Claims, claims: Claims) => signedAs(server, header, claims);

const userInfo = async (value: string) =>
  (await fetch(`${server.url}/user/info`, { headers: { authorization: `Bearer ${value}` } })).status;
const hint = async (agent: Agent, path: string, value: string, more: Record<string, string> = {}) =>
  agent.go(`${path}?${new URLSearchParams({ id_token_hint: value, ...more })}`, { follow: false });

describe('D1: forged JWTs', () => {
  test('D1: at the user API, at userinfo and at introspection', async () => {
    const { body } = await tokensFor(server, client, { scope: 'user' });
    const good = body.access_token ?? '';
    expect([await userInfo(good), await userApiTakes(server, good)]).toEqual([200, true]);
    for (const [name, forged] of Object.entries(forgeries(good, jwks, signAsServer))) {
      const introspected = await ask(server, 'introspect', client, forged);
      expect({
        name,
        taken: await userApiTakes(server, forged),
        userInfo: [400, 401].includes(await userInfo(forged)),
        userinfo: (await userinfo(server, forged)).status,
        introspected: introspected.body.active === false || introspected.status === 400,
      }).toEqual({ name, taken: false, userInfo: true, userinfo: 401, introspected: true });
    }
  });

  test('D1: as id_token_hint, at the authorization endpoint and at logout', async () => {
    const { agent, body } = await tokensFor(server, client);
    const good = body.id_token ?? '';
    const request = {
      client_id: client.id,
      response_type: 'code',
      scope: 'openid',
      prompt: 'none',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    };
    expect((await hint(agent, '/oauth/authorize', good, request)).location).toContain('code=');
    expect((await hint(agent, '/oauth/logout', good)).status).toBe(200);
    // Under our own signature an unencoded payload (RFC 7797) is sound: no one else can make one.
    const { 'crit b64': _sound, ...unsound } = forgeries(good, jwks, signAsServer);
    for (const [name, forged] of Object.entries(unsound)) {
      const [authorized, logout] = [
        await hint(agent, '/oauth/authorize', forged, request),
        await hint(agent, '/oauth/logout', forged),
      ];
      const error = authorized.location && new URL(authorized.location).searchParams.get('error');
      expect({ name, error, logout: logout.status }).toEqual({
        name,
        error: expect.stringMatching(/^(invalid_request|login_required)$/),
        logout: 400,
      });
    }
  });
});

describe('D2: a good token at the wrong door', () => {
  test('D2: nothing but a user-API access token at the user API, nothing but an opaque access token at userinfo', async () => {
    const oidc = await tokensFor(server, client);
    const forUser = await tokensFor(server, client, { scope: 'user' });
    const forApi = await tokensFor(server, client, { scope: 'read', extra: { resource: api } });
    expect(claimsOf(forApi.body.access_token).aud).toBe(api);
    const wrongAtUserApi = {
      'an ID token': oidc.body.id_token,
      'a refresh token': forUser.body.refresh_token,
      'an opaque access token': oidc.body.access_token,
      'a token for another API': forApi.body.access_token,
      'a code': forUser.grant.code,
      'a client secret': client.secret,
      empty: '',
    };
    for (const [name, value] of Object.entries(wrongAtUserApi)) {
      expect({ name, taken: await userApiTakes(server, value), status: await userInfo(value ?? '') }).toEqual({
        name,
        taken: false,
        status: expect.any(Number),
      });
      expect(await userInfo(value ?? '')).toBeGreaterThanOrEqual(400);
    }
    for (const value of [
      oidc.body.id_token,
      oidc.body.refresh_token,
      forUser.body.access_token,
      forApi.body.access_token,
      oidc.grant.code,
    ]) {
      expect((await userinfo(server, value)).status).toBe(401);
    }
  });

  test('D2: an access token is no id_token_hint, a code no refresh token and the other way round', async () => {
    const { agent, body, grant } = await tokensFor(server, client, { scope: 'user' });
    const oidc = await tokensFor(server, client);
    for (const value of [body.access_token ?? '', oidc.body.access_token ?? '', body.refresh_token ?? '']) {
      expect((await hint(agent, '/oauth/logout', value)).status).toBe(400);
    }
    expect((await refresh(server, client, grant.code)).body.error).toBe('invalid_grant');
    expect((await refresh(server, client, oidc.body.access_token)).body.error).toBe('invalid_grant');
    expect(
      (await redeem(server, client, { code: body.refresh_token ?? '', code_verifier: 'v'.repeat(43) })).body.error,
    ).toBe('invalid_grant');
    // None of these tries used anything up.
    expect((await refresh(server, client, body.refresh_token)).status).toBe(200);
  });

  test('D2: typ, iss, and the rest must be there and right, even under our own signature', async () => {
    const { body } = await tokensFor(server, client, { scope: 'user' });
    const [header, claims] = [headerOf(body.access_token), claimsOf(body.access_token)];
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(await userApiTakes(server, signAsServer(header, claims))).toBe(true);
    const wrong: [Claims, Claims][] = [
      [{ typ: 'JWT' }, {}],
      [{ typ: undefined }, {}],
      [{ typ: 'logout+jwt' }, {}],
      [{}, { iss: 'https://other.example.com' }],
      [{}, { iss: `${server.url}/` }],
      [{}, { aud: api }],
      [{}, { aud: [] }],
      [{}, { sub: undefined }],
      [{}, { sub: 'somebody' }],
      [{}, { client_id: undefined }],
      [{}, { client_id: 'another' }],
      [{}, { gid: 'another' }],
      [{}, { exp: undefined }],
      [{}, { exp: String(claims.exp) }],
    ];
    for (const [changedHeader, changedClaims] of wrong) {
      const made = signAsServer({ ...header, ...changedHeader }, { ...claims, ...changedClaims });
      expect({ changedHeader, changedClaims, taken: await userApiTakes(server, made) }).toEqual({
        changedHeader,
        changedClaims,
        taken: false,
      });
    }
  });
});

test('D2: of either typ, and for several APIs; an access token at every entry point, nothing else at any', async () => {
  const { body } = await tokensFor(server, client, { scope: 'user' });
  const value = body.access_token;
  const userApi = `${server.url}/user`;
  const cases: [Claims, Claims, boolean][] = [
    [{}, {}, true],
    [{}, { aud: [api, userApi] }, true],
    [{}, { aud: [api] }, false],
    [{ typ: 'JWT' }, { token_use: 'access' }, true],
    [{ typ: 'JWT' }, { token_use: 'access', aud: [userApi, api] }, true],
    [{ typ: 'JWT' }, {}, false],
    [{ typ: 'JWT' }, { token_use: 'id' }, false],
    [{ typ: 'JWT' }, { token_use: ['access'] }, false],
    [{ typ: 'identity+jwt' }, { token_use: 'access' }, false],
    [{ typ: 'space-guard+jwt' }, { token_use: 'access' }, false],
    [{ typ: 'security-service+jwt' }, { token_use: 'access' }, false],
    [{}, { cnf: { jkt: 'x' } }, false],
  ];
  for (const [header, claims, taken] of cases) {
    const made = changed(server, value, claims, header);
    const query = new URLSearchParams({ tokens: 'oauth', audience: userApi });
    const verified = await fetch(`${server.url}/gateway/verify/token?${query}`, {
      headers: { authorization: `Bearer ${made}` },
    });
    const status = taken ? 200 : 401;
    expect([header, claims, await userInfo(made), verified.status]).toEqual([header, claims, status, status]);
  }
});

test('D3: exp past, nbf and iat ahead are refused; clocks may differ by 15 seconds', async () => {
  const { body } = await tokensFor(server, client, { scope: 'user' });
  const [header, claims] = [headerOf(body.access_token), claimsOf(body.access_token)];
  const now = nowSeconds();
  const cases: [Claims, boolean][] = [
    [{ exp: now - 10 }, true],
    [{ exp: now - 17 }, false],
    [{ nbf: now + 10 }, true],
    [{ nbf: now + 20 }, false],
    [{ iat: now + 10 }, true],
    [{ iat: now + 20 }, false],
  ];
  for (const [change, taken] of cases) {
    expect({ change, taken: await userApiTakes(server, signAsServer(header, { ...claims, ...change })) }).toEqual({
      change,
      taken,
    });
  }
});

test('D4: the token comes in the header or in a posted form, once, and never in the query', async () => {
  const { body } = await tokensFor(server, client);
  const value = body.access_token ?? '';
  const url = `${server.url}/oauth/userinfo`;
  const form = new URLSearchParams({ access_token: value });
  const cases: [string, RequestInit, number][] = [
    [url, { headers: { authorization: `Bearer ${value}` } }, 200],
    [url, { headers: { authorization: `bEaReR ${value}` } }, 200],
    [url, { method: 'POST', headers: { authorization: `Bearer ${value}` } }, 200],
    [url, { method: 'POST', body: form }, 200],
    [`${url}?access_token=${value}`, {}, 400],
    [`${url}?access_token=${value}`, { headers: { authorization: `Bearer ${value}` } }, 400],
    [`${url}?access_token=${value}`, { method: 'POST' }, 400],
    [url, { method: 'POST', body: form, headers: { authorization: `Bearer ${value}` } }, 400],
    [
      url,
      {
        method: 'POST',
        body: JSON.stringify({ access_token: value }),
        headers: { 'content-type': 'application/json' },
      },
      400,
    ],
  ];
  for (const [address, init, status] of cases) {
    const response = await fetch(address, init);
    expect([address.replace(value, '…'), init.method, response.status]).toEqual([
      address.replace(value, '…'),
      init.method,
      status,
    ]);
  }
  const missing = await fetch(url);
  expect([missing.status >= 400, missing.headers.get('www-authenticate')]).toEqual([
    true,
    expect.stringMatching(/^Bearer /),
  ]);
});

test('D5: introspection is for clients that prove themselves, and only of what is theirs', async () => {
  const [introspector, stranger] = [await buildClient(server), await buildClient(server)];
  await server.core.apis.add({
    identifier: 'https://opaque.example.com',
    name: 'Opaque',
    scopes: [{ name: 'look', sentence: 'Look.' }],
    tokenFormat: 'opaque',
    introspectors: [introspector.id],
  });
  const { body } = await tokensFor(server, client);
  const forApi = await tokensFor(server, client, { scope: 'look', extra: { resource: 'https://opaque.example.com' } });
  const jwtBody = (await tokensFor(server, client, { scope: 'user' })).body;
  expect((await ask(server, 'introspect', { id: client.id }, body.access_token)).status).toBe(401);
  expect((await ask(server, 'introspect', { id: client.id, secret: 'wrong' }, body.access_token)).status).toBe(401);
  for (const value of [body.access_token, body.refresh_token]) {
    expect(await isActive(server, client, value)).toBe(true);
    expect((await ask(server, 'introspect', stranger, value)).body).toEqual({ active: false });
  }
  expect((await ask(server, 'introspect', introspector, forApi.body.access_token)).body).toMatchObject({
    active: true,
    aud: 'https://opaque.example.com',
    scope: 'look',
  });
  expect((await ask(server, 'introspect', introspector, body.access_token)).body).toEqual({ active: false });
  expect((await ask(server, 'introspect', introspector, forApi.body.refresh_token)).body).toEqual({ active: false });
  for (const value of [
    'x',
    '\u0000',
    '%',
    'ü'.repeat(200),
    'x'.repeat(10_000),
    "' OR 1=1",
    forApi.grant.code,
    client.secret,
  ]) {
    expect(await ask(server, 'introspect', client, value)).toEqual({ status: 200, body: { active: false } });
  }
  expect(await isActive(server, client, jwtBody.access_token)).toBe(true);
  expect((await ask(server, 'introspect', stranger, jwtBody.access_token)).body).toEqual({ active: false });
  expect((await ask(server, 'introspect', client, '')).body.error).toBe('invalid_request');
});

test('D6: revocation', async () => {
  const stranger = await buildClient(server);
  const { body } = await tokensFor(server, client, { scope: 'user' });
  const unknown = await ask(server, 'revoke', client, 'unknown');
  expect(unknown.status).toBe(200);
  expect((await ask(server, 'revoke', { id: client.id, secret: 'wrong' }, body.refresh_token)).status).toBe(401);

  for (const value of [body.refresh_token, body.access_token])
    expect((await ask(server, 'revoke', stranger, value)).status).toBe(200);
  expect((await refresh(server, client, body.refresh_token)).status).toBe(200);
  expect(await userApiTakes(server, body.access_token)).toBe(true);

  expect((await ask(server, 'revoke', client, body.refresh_token)).status).toBe(200);
  expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
  expect(await userApiTakes(server, body.access_token)).toBe(false);
  expect(await userInfo(body.access_token ?? '')).toBe(401);

  const opaque = await tokensFor(server, client);
  expect((await ask(server, 'revoke', client, opaque.body.access_token)).status).toBe(200);
  expect((await userinfo(server, opaque.body.access_token)).status).toBe(401);
  const machine = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'] });
  const own = await token(server, machine, { grant_type: 'client_credentials' });
  await ask(server, 'revoke', machine, own.body.access_token);
  expect(await isActive(server, machine, own.body.access_token)).toBe(false);
});
