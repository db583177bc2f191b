/** Userinfo, an endpoint of this server's own: which tokens it takes, what it tells, and how it refuses. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { nowSeconds } from '../../src/base/clock.ts';
import { claimsOf, codeFor, comeBack, headerOf, raw, redeem, tokensFor, travel, userinfo } from '../support/flow.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { changed } from '../support/sign-as-server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://api.example.com';
const own = 'https://app.example.com';
type Body = Record<string, unknown>;

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
let granted: Awaited<ReturnType<typeof tokensFor>>;
let opaque = '';
beforeAll(async () => {
  server = await startServer();
  const scopes = [{ name: 'read', sentence: 'Read.' }];
  await server.core.apis.add({ identifier: api, name: 'An API', scopes });
  await server.core.apis.add({ identifier: `${api}/opaque`, name: 'Opaque', tokenFormat: 'opaque', scopes });
  client = await buildClient(server);
  granted = await tokensFor(server, client, { scope: 'openid profile email' });
  opaque = granted.body.access_token ?? '';
});
afterAll(() => server.close());
afterEach(comeBack);

const ask = (init: RequestInit = {}, query = '') => fetch(`${server.url}/oauth/userinfo${query}`, init);
const withToken = (token: string, more: Record<string, string> = {}) => ({
  headers: { authorization: `Bearer ${token}`, ...more },
});
const form = (fields: Record<string, string> | string): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
});
/**
 * What an API gets that was asked for with `openid`, and what of it is changed: as a token without `resource` will
 * come.
 */
async function jwtToken(scope = 'openid email read') {
  return tokenForApi(api, scope);
}
async function tokenForApi(resource: string, scope: string) {
  const { grant } = await codeFor(server, client, { scope, extra: { resource }, person: granted.person });
  return (await redeem(server, client, grant, { resource })).body.access_token ?? '';
}
const forUserinfo = (token: string, claims: Body = {}, header: Body = {}) =>
  changed(server, token, { aud: [api, `${server.url}/userinfo`], scope: 'openid email read', ...claims }, header);

describe('what it tells', () => {
  test('the claims of the scopes, by GET, by POST, and from the form; HEAD has no body', async () => {
    const { username, subject } = granted.person;
    const all = {
      sub: subject,
      name: 'Test Person',
      given_name: 'Test',
      family_name: 'Person',
      preferred_username: username,
      updated_at: expect.any(Number),
      email: `${username}@example.org`,
      email_verified: true,
    };
    for (const init of [
      withToken(opaque),
      { ...withToken(opaque), method: 'POST' },
      form({ access_token: opaque }),
      { ...form({}), ...withToken(opaque) },
    ]) {
      const response = await ask(init);
      expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
        ...[200, 'application/json; charset=utf-8', 'no-store'],
      ]);
      expect(await response.json()).toEqual(all);
    }
    const head = await ask({ method: 'HEAD', ...withToken(opaque) });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('fewer scopes where fewer are asked for; the subject always', async () => {
    const response = await ask(withToken(opaque), '?scope=email');
    expect(await response.json()).toEqual({
      sub: granted.person.subject,
      email: expect.any(String),
      email_verified: true,
    });
    const posted = await ask(form({ access_token: opaque, scope: 'openid' }));
    expect(await posted.json()).toEqual({ sub: granted.person.subject });
  });

  test('what the claims parameter asks of userinfo, and nothing that it asks of the ID token alone', async () => {
    const claims =
      '{"userinfo":{"name":null,"email":{"essential":true},"given_name":"no"},"id_token":{"family_name":null}}';
    const { body, person } = await tokensFor(server, client, { extra: { claims } });
    expect(await (await userinfo(server, body.access_token)).json()).toEqual({
      ...{ sub: person.subject, name: 'Test Person', email: `${person.username}@example.org` },
    });
  });

  test.each(['RS256', 'ES256'])('signed with %s where the client is registered so', async (alg) => {
    const signed = await buildClient(server, { userinfo_signed_response_alg: alg });
    const { body, person } = await tokensFor(server, signed, { scope: 'openid email' });
    const response = await userinfo(server, body.access_token);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      ...[200, 'application/jwt; charset=utf-8'],
    ]);
    const value = await response.text();
    const keys = createRemoteJWKSet(new URL(`${server.url}/oauth/jwks`));
    const { payload } = await jwtVerify(value, keys, { issuer: server.url, audience: signed.id, algorithms: [alg] });
    expect(payload).toMatchObject({
      sub: person.subject,
      email: `${person.username}@example.org`,
      email_verified: true,
    });
    // It is good for as long as the access token, and for nothing else.
    expect(payload.exp).toBeLessThanOrEqual(nowSeconds() + 600);
    expect(headerOf(value)).toEqual({ alg, kid: expect.any(String) });
    expect((await userinfo(server, value)).status).toBe(401);
  });

  test('discovery names it and its algorithms', async () => {
    const found = (await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()) as Body;
    expect(found).toMatchObject({
      userinfo_endpoint: `${server.url}/oauth/userinfo`,
      subject_types_supported: ['public'],
    });
    expect([found.userinfo_signing_alg_values_supported].flat().sort()).toEqual(['ES256', 'RS256']);
  });
});

describe('which tokens it takes', () => {
  test('a JWT with openid that names userinfo in its audience, of either typ; the same claims', async () => {
    const token = await jwtToken();
    for (const good of [
      forUserinfo(token),
      forUserinfo(token, { aud: `${server.url}/userinfo` }),
      forUserinfo(token, { token_use: 'access' }, { typ: 'JWT' }),
      forUserinfo(token, { token_use: 'access' }),
    ]) {
      const response = await userinfo(server, good);
      expect([response.status, await response.json()]).toEqual([
        200,
        { sub: granted.person.subject, email: expect.any(String), email_verified: true },
      ]);
    }
  });

  test('with an explicit resource it refuses, and so it does every other kind', async () => {
    const token = await jwtToken();
    const idToken = granted.body.id_token;
    const wrong: [string, string, number, string][] = [
      ['a JWT for an API alone', token, 401, 'token_audience'],
      ['one without openid', forUserinfo(token, { scope: 'read' }), 403, 'scope_insufficient'],
      ['typ JWT without token_use', forUserinfo(token, {}, { typ: 'JWT' }), 401, 'token_invalid'],
      ['another token_use', forUserinfo(token, { token_use: 'id' }, { typ: 'JWT' }), 401, 'token_invalid'],
      ['another typ', forUserinfo(token, { token_use: 'access' }, { typ: 'identity+jwt' }), 401, 'token_invalid'],
      ['an ID token', idToken ?? '', 401, 'token_invalid'],
      ['an ID token for userinfo', changed(server, idToken, { aud: `${server.url}/userinfo` }), 401, 'token_invalid'],
      [
        'an ID token that is called JWT',
        changed(server, idToken, { aud: `${server.url}/userinfo` }, { typ: 'JWT' }),
        401,
        'token_invalid',
      ],
      ['another subject', forUserinfo(token, { sub: 'another' }), 401, 'token_invalid'],
      ['another grant', forUserinfo(token, { gid: 'another' }), 401, 'token_invalid'],
      ['no grant', forUserinfo(token, { gid: undefined }), 401, 'token_invalid'],
      ['a client’s own', forUserinfo(token, { gid: undefined, sub: client.id }), 401, 'token_invalid'],
      ['expired', forUserinfo(token, { exp: nowSeconds() - 20 }), 401, 'token_expired'],
      ['bound to a key', forUserinfo(token, { cnf: { jkt: 'x' } }), 401, 'token_bound'],
      ['unknown', 'x'.repeat(43), 401, 'token_invalid'],
      ['a refresh token', granted.body.refresh_token ?? '', 401, 'token_invalid'],
    ];
    for (const [name, value, status, check] of wrong) {
      const response = await userinfo(server, value);
      expect([name, response.status, await checkOf(response)]).toEqual([name, status, check]);
    }
  });

  test('an opaque token of an API is refused, with openid and without', async () => {
    const resource = `${api}/opaque`;
    const values = [await tokenForApi(resource, 'openid read'), await tokenForApi(resource, 'read')];
    const answers = [await userinfo(server, values[0]), await userinfo(server, values[1])];
    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    expect(await Promise.all(answers.map(checkOf))).toEqual(['scope_insufficient', 'scope_insufficient']);
  });

  test('no API can be registered under the name of userinfo', async () => {
    const made = await server.core.apis.add({
      ...{ identifier: `${server.url}/userinfo`, name: 'Me', scopes: [{ name: 'x', sentence: 'X.' }] },
    });
    expect(made.outcome).toBe('invalid');
  });
});

/**
 * As the developer at this machine reads it; records themselves are limited (test/oidc/refusals.test.ts looks at
 * them).
 */
async function checkOf(response: Response): Promise<unknown> {
  return ((await response.clone().json()) as Body).check;
}

test('every refusal: status, error, challenge (RFC 6750, section 3), record; JSON whatever is accepted', async () => {
  const realm = `Bearer realm="${server.url}"`;
  const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
  const token = encodeURIComponent(opaque);
  const cases: [string, Promise<Response>, number, string, string][] = [
    ['none', ask(), 401, 'invalid_token', 'token_missing'],
    ['an empty form', ask(form({})), 401, 'invalid_token', 'token_missing'],
    ['an empty field', ask(form({ access_token: '' })), 401, 'invalid_token', 'token_missing'],
    ['another scheme', ask({ headers: { authorization: 'Basic eDp5' } }), 400, 'invalid_request', 'token_malformed'],
    ['no value', ask({ headers: { authorization: 'Bearer' } }), 400, 'invalid_request', 'token_malformed'],
    ['two values', ask({ headers: { authorization: 'Bearer a b' } }), 400, 'invalid_request', 'token_malformed'],
    ['the query', ask({}, `?access_token=${token}`), 400, 'invalid_request', 'token_malformed'],
    [
      'two ways',
      ask({ ...form({ access_token: opaque }), ...withToken(opaque) }),
      400,
      'invalid_request',
      'token_malformed',
    ],
    ['twice', ask(form(`access_token=${token}&access_token=${token}`)), 400, 'invalid_request', 'parameter_repeated'],
    ['scope twice', ask(withToken(opaque), '?scope=openid&scope=email'), 400, 'invalid_request', 'parameter_repeated'],
    ['JSON', ask({ ...json }), 400, 'invalid_request', 'media_type'],
    ['too large', ask(form({ access_token: 'x'.repeat(70_000) })), 413, 'invalid_request', 'body_too_large'],
    ['odd scope', ask(withToken(opaque), '?scope=%22'), 400, 'invalid_request', 'parameter_invalid'],
    ['more scope', ask(withToken(opaque), '?scope=openid%20read'), 403, 'insufficient_scope', 'scope_insufficient'],
    ['unknown', ask(withToken('x'.repeat(43), { accept: 'text/html' })), 401, 'invalid_token', 'token_invalid'],
    [
      'another origin',
      ask(withToken(opaque, { origin: 'https://evil.example' })),
      400,
      'invalid_request',
      'origin_not_allowed',
    ],
  ];
  for (const [name, answer, status, error, check] of cases) {
    const response = await answer;
    const body = (await response.json()) as Body;
    expect([name, response.status, body.error, body.check]).toEqual([name, status, error, check]);
    expect(body.error_uri).toBe(/<(.*)>/.exec(response.headers.get('link') ?? '')?.[1]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const challenge = response.headers.get('www-authenticate');
    const more = error === 'insufficient_scope' ? ', scope="read"' : '';
    expect([name, challenge]).toEqual([
      name,
      check === 'token_missing'
        ? realm
        : `${realm}, error="${error}", error_description="${body.error_description}"${more}`,
    ]);
  }
  const twice = await raw(
    server,
    `GET /oauth/userinfo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${opaque}\r\nAuthorization: Bearer ${opaque}\r\nConnection: close\r\n\r\n`,
  );
  expect(twice).toMatch(/^HTTP\/1\.1 400 [\s\S]*the Authorization header comes twice/);
});

test('CORS: a preflight is answered to any page, claims to the client’s own alone, and errors can be read', async () => {
  const preflight = await ask({
    method: 'OPTIONS',
    headers: {
      origin: own,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization, x-trace',
    },
  });
  const cors = ({ headers }: Response) => headers.get('access-control-allow-origin');
  expect([preflight.status, cors(preflight), preflight.headers.get('access-control-allow-headers')]).toEqual([
    ...[204, own, 'authorization, x-trace'],
  ]);
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, POST');
  const good = await ask(withToken(opaque, { origin: own }));
  expect([good.status, cors(good), good.headers.get('vary')]).toEqual([200, own, 'Origin']);
  const expired = await ask(withToken('x'.repeat(43), { origin: own }));
  expect([expired.status, cors(expired), expired.headers.get('access-control-expose-headers')]).toEqual([
    ...[401, own, 'WWW-Authenticate, DPoP-Nonce'],
  ]);
  const foreign = await ask(withToken(opaque, { origin: 'https://evil.example' }));
  expect([foreign.status, cors(foreign)]).toEqual([400, null]);
});

describeStorages('userinfo and the session', (storage) => {
  const hour = 3600;
  let idle: TestServer;
  beforeAll(async () => {
    idle = await storage.start({ SESSION_IDLE_TTL: String(hour), ACCESS_TOKEN_TTL: String(6 * hour) });
  });
  afterAll(() => idle.close());

  test('an opaque token ends with a session that is not used, and using it is using the session', async () => {
    const bookshelf = await buildClient(idle);
    const { body, person } = await tokensFor(idle, bookshelf);
    const status = async () => (await userinfo(idle, body.access_token)).status;
    travel(0.8 * hour);
    expect(await status()).toBe(200);
    // Marks are written about once a second.
    await idle.core.activity.close();
    travel(0.8 * hour);
    expect(await status()).toBe(200);
    await idle.core.activity.close();
    travel(1.5 * hour);
    expect(await status()).toBe(401);
    comeBack();
    expect(await idle.core.stores.accounts.bySubject(person.subject)).toBeDefined();
  });

  test('and with a session that someone ends', async () => {
    const bookshelf = await buildClient(idle);
    const person = await buildPerson(idle);
    const { body } = await tokensFor(idle, bookshelf, { person });
    expect((await userinfo(idle, body.access_token)).status).toBe(200);
    const [session] = await idle.core.sessions.list(person.subject);
    await idle.core.sessions.end(session?.uid ?? '', {});
    expect((await userinfo(idle, body.access_token)).status).toBe(401);
    expect(claimsOf(body.id_token).sub).toBe(person.subject);
  });
});
