/**
 * One kind of credential is never accepted where another is due: every kind this server hands out, at every door that
 * takes one. What is forged is accepted nowhere.
 */
import type { JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { Agent, basic, token as tokenOf } from '../support/agent.ts';
import { bearer, type Call, call, posting } from '../support/call.ts';
import { assertionForm, type Claims, claimsOf, codeFor, headerOf, jwt, tokensFor } from '../support/flow.ts';
import { forgeries } from '../support/forgeries.ts';
import { adminKey, buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://api.example.com';
const space = '/space-guard/api/v1';

describeStorages('kinds of credentials', (storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '100000', THROTTLE_ACCOUNT_LIMIT: '100' });
    await server.core.apis.add({ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }] });
    client = await buildClient(server, {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      scope: 'openid user read',
    });
  });
  afterAll(() => server.close());

  const bodyOf = async (made: Call) => JSON.parse((await call(server, made)).text);

  /** One of each kind, all of one person or of one client. */
  async function everyKind() {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const flow = { person, agent };
    const oidc = (await tokensFor(server, client, { ...flow, scope: 'openid' })).body;
    const forUser = (await tokensFor(server, client, { ...flow, scope: 'user' })).body;
    const forApi = (await tokensFor(server, client, { ...flow, scope: 'read', extra: { resource: api } })).body;
    const { grant } = await codeFor(server, client, flow);
    const own = async (more: Record<string, string>) =>
      (await tokenOf(server, client, { grant_type: 'client_credentials', ...more })).body.access_token;
    const login = { username: person.username, password };
    const identity = (
      await bodyOf({
        path: '/v1/login',
        headers: [['Authorization', `Basic ${btoa(`${login.username}:${password}`)}`]],
      })
    ).jwt;
    const issued = await server.app.clients.issueToken(client.id, { label: '', lifetime: null });
    if (issued.outcome !== 'issued') throw new Error(issued.outcome);
    const opened = await bodyOf({
      method: 'POST',
      path: `${space}/register-client`,
      headers: [['Authorization', `Bearer: ${issued.value}`]],
    });
    await server.app.clients.revokeToken(client.id, used.shift() ?? '');
    used.push(issued.token.id);
    const credentials = {
      'user API JWT': forUser.access_token,
      'JWT for another API': forApi.access_token,
      'opaque access token': oidc.access_token,
      'OAuth refresh token': forUser.refresh_token,
      'ID token': oidc.id_token,
      'authorization code': grant.code,
      'client_credentials JWT': await own({ resource: api, scope: 'read' }),
      'client_credentials token': await own({}),
      'identity JWT': identity.token,
      'identity refresh token': identity.refresh_token,
      'security service token': (await bodyOf(posting('/security/login', login))).token,
      'tinyoauth token': (await bodyOf(posting('/login', login))).token,
      'client token': issued.value,
      'space guard access token': opened.data.jwtAccessToken,
      'space guard refresh token': opened.data.jwtRefreshToken,
      'admin key': adminKey,
      'client secret': client.secret,
      'session cookie': agent.cookie('gatehouse'),
      'session cookie’s signature': agent.cookie('gatehouse.sig'),
      subject: person.subject,
      'session id': String(claimsOf(identity.token).session),
    } as Record<Kind, string>;
    return { credentials, person, agent, verifier: grant.code_verifier };
  }
  /** Of client tokens a client has twenty at most. */
  const used: string[] = [];
  type Everything = Awaited<ReturnType<typeof everyKind>>;

  const verifying = (query: string) => (value: string) => ({
    path: `/gateway/verify/token?${query}`,
    headers: [bearer(value)],
  });
  const pairAt =
    (path: string, method = 'POST', kept: (all: Everything, value: string) => string): Door['present'] =>
    async (value, all) =>
      (await call(server, { method, path, headers: [['Authorization', `Bearer: ${kept(all, value)}`]] })).status;
  const beside = (kind: Kind) => (all: Everything, value: string) => `${all.credentials[kind]}:${value}`;
  const before = (kind: Kind) => (all: Everything, value: string) => `${value}:${all.credentials[kind]}`;
  const statusOf = (made: (value: string, all: Everything) => Call) => async (value: string, all: Everything) =>
    (await call(server, made(value, all))).status;
  const formAt = (path: string, fields: (value: string, all: Everything) => Record<string, string>, asClient = true) =>
    statusOf((value, all) => ({
      method: 'POST',
      path,
      headers: [
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ...(asClient ? [['Authorization', basic(client.id, client.secret)] as const] : []),
      ],
      body: new URLSearchParams(fields(value, all)).toString(),
    }));

  interface Door {
    /** What it takes, with the status then. */
    readonly accepts: readonly Kind[];
    readonly accepted: number;
    readonly refused: number;
    /** Kinds to which this door has another status of refusal. */
    readonly except?: Partial<Record<Kind, number>>;
    present(value: string, all: Everything): Promise<number>;
  }
  const door = (
    accepts: readonly Kind[],
    accepted: number,
    refused: number,
    present: Door['present'],
    except?: Door['except'],
  ): Door => ({ accepts, accepted, refused, present, ...(except && { except }) });

  const doors: Record<string, Door> = {
    'GET /user/info': door(
      ['user API JWT'],
      200,
      401,
      statusOf((value) => ({ path: '/user/info', headers: [bearer(value)] })),
    ),
    'GET /oauth/userinfo': door(
      ['opaque access token'],
      200,
      401,
      statusOf((value) => ({ path: '/oauth/userinfo', headers: [bearer(value)] })),
    ),
    'POST /oauth/userinfo, in the form': door(
      ['opaque access token'],
      200,
      401,
      formAt('/oauth/userinfo', (access_token) => ({ access_token }), false),
    ),
    // 200 stands for active, 401 for not.
    'POST /oauth/introspect': door(
      [
        ...(['opaque access token', 'OAuth refresh token', 'client_credentials token'] as const),
        ...(['user API JWT', 'JWT for another API', 'client_credentials JWT'] as const),
      ],
      200,
      401,
      async (value) => {
        const { body } = await tokenOf(server, client, { token: value }, '/oauth/introspect');
        return body.active === true ? 200 : 401;
      },
    ),
    'POST /oauth/token, refresh_token': door(
      ['OAuth refresh token'],
      200,
      400,
      formAt('/oauth/token', (refresh_token) => ({ grant_type: 'refresh_token', refresh_token })),
    ),
    'POST /token, code': door(
      ['authorization code'],
      200,
      400,
      formAt('/token', (code, { verifier }) => ({ grant_type: 'authorization_code', code, code_verifier: verifier })),
    ),
    'POST /oauth/token, client secret': door(
      ['client secret'],
      200,
      401,
      formAt(
        '/oauth/token',
        (client_secret) => ({ grant_type: 'client_credentials', client_id: client.id, client_secret }),
        false,
      ),
    ),
    'POST /oauth/token, client assertion': door(
      [],
      200,
      400,
      formAt(
        '/oauth/token',
        (value) => ({ grant_type: 'client_credentials', client_id: client.id, ...assertionForm(value) }),
        false,
      ),
      // Of the client's own: well-formed, and not signed with a key of its.
      { 'client_credentials JWT': 401, 'space guard access token': 401, 'space guard refresh token': 401 },
    ),
    'GET /oauth/authorize, session cookie': door(['session cookie'], 200, 401, async (value, { agent }) => {
      const query = new URLSearchParams({
        client_id: client.id,
        response_type: 'code',
        prompt: 'none',
        scope: 'openid',
        code_challenge: 'c'.repeat(43),
        code_challenge_method: 'S256',
      });
      const cookie = `gatehouse=${value}; gatehouse.sig=${agent.cookie('gatehouse.sig')}`;
      const { headers } = await call(server, { path: `/oauth/authorize?${query}`, headers: [['Cookie', cookie]] });
      return new URL(String(headers.location)).searchParams.has('code') ? 200 : 401;
    }),
    'GET /oauth/authorize, id_token_hint': door(['ID token'], 200, 401, async (id_token_hint, { agent }) => {
      const query = new URLSearchParams({
        client_id: client.id,
        response_type: 'code',
        prompt: 'none',
        scope: 'openid',
        code_challenge: 'c'.repeat(43),
        code_challenge_method: 'S256',
        id_token_hint,
      });
      const { location } = await agent.go(`/oauth/authorize?${query}`, { follow: false });
      return new URL(String(location)).searchParams.has('code') ? 200 : 401;
    }),
    'GET /oauth/logout, id_token_hint': door(
      ['ID token'],
      200,
      400,
      async (id_token_hint, { agent }) =>
        (await agent.go(`/oauth/logout?${new URLSearchParams({ id_token_hint })}`, { follow: false })).status,
    ),
    'POST /internal/reload-clients': door(
      ['admin key'],
      200,
      401,
      statusOf((value) => ({ method: 'POST', path: '/internal/reload-clients', headers: [['X-Admin-Key', value]] })),
    ),

    'POST /v1/verify': door(
      ['identity JWT'],
      200,
      401,
      statusOf((value) => ({ method: 'POST', path: '/v1/verify', headers: [bearer(value)] })),
    ),
    'GET /v1/token/refresh': door(
      ['identity refresh token'],
      200,
      401,
      statusOf((value) => ({ path: '/v1/token/refresh', headers: [bearer(value)] })),
    ),
    'POST /v1/logout': door(
      ['identity refresh token'],
      200,
      401,
      statusOf((value) => ({ method: 'POST', path: '/v1/logout', headers: [bearer(value)] })),
    ),
    'GET /v1/login, as a password': door(
      [],
      200,
      401,
      statusOf((value, { person }) => ({
        path: '/v1/login',
        headers: [['Authorization', `Basic ${btoa(`${person.username}:${value}`)}`]],
      })),
    ),

    'POST /security/validateToken': door(
      ['security service token'],
      200,
      401,
      statusOf((token) => posting('/security/validateToken', { token })),
    ),
    'POST /security/users': door(
      ['security service token'],
      201,
      401,
      statusOf((token) => posting('/security/users', fresh(), ['Authorization', JSON.stringify({ token })])),
    ),
    'POST /security/users, Bearer': door(
      ['security service token'],
      201,
      401,
      statusOf((token) => posting('/security/users', fresh(), bearer(token))),
    ),

    'POST /client': door(
      ['tinyoauth token'],
      200,
      401,
      statusOf((token) => posting('/client', { name: 'x', redirect_uri: 'https://a.example/cb' }, bearer(token))),
    ),
    'GET /authorize': door(
      ['tinyoauth token'],
      302,
      401,
      statusOf((token) => ({ path: `/authorize?response_type=code&client_id=${client.id}`, headers: [bearer(token)] })),
    ),
    'POST /authorize': door(
      ['tinyoauth token'],
      302,
      401,
      statusOf((token) => posting('/authorize', { response_type: 'code', client_id: client.id }, bearer(token))),
    ),

    'space guard, register-client': door(
      ['client token'],
      200,
      401,
      pairAt(`${space}/register-client`, 'POST', (_all, value) => value),
    ),
    'space guard, refresh-client, behind the client token': door(
      ['space guard refresh token'],
      200,
      401,
      pairAt(`${space}/refresh-client`, 'POST', beside('client token')),
    ),
    'space guard, refresh-client, before the refresh token': door(
      ['client token'],
      200,
      401,
      pairAt(`${space}/refresh-client`, 'POST', before('space guard refresh token')),
    ),
    'space guard, refresh-client, alone': door(
      [],
      200,
      401,
      pairAt(`${space}/refresh-client`, 'POST', (_all, value) => value),
    ),
    'space guard, logout-client, alone': door(
      [],
      200,
      401,
      pairAt(`${space}/logout-client`, 'POST', (_all, value) => value),
    ),
    'space guard, logout-client, behind the client token': door(
      ['space guard refresh token'],
      200,
      401,
      pairAt(`${space}/logout-client`, 'POST', beside('client token')),
    ),
    'space guard, client-tokens': door(
      ['admin key'],
      200,
      401,
      statusOf((value) => ({
        path: `${space}/client-tokens?client_id=${client.id}`,
        headers: [['X-Admin-Key', value]],
      })),
    ),

    'the gateway, user API': door(
      ['user API JWT'],
      200,
      401,
      statusOf((value) => verifying(`tokens=oauth&audience=${encodeURIComponent(`${server.url}/user`)}`)(value)),
    ),
    'the gateway, another API': door(
      ['JWT for another API', 'client_credentials JWT'],
      200,
      401,
      statusOf(verifying(`tokens=oauth&audience=${encodeURIComponent(api)}`)),
    ),
    'the gateway, identity': door(['identity JWT'], 200, 401, statusOf(verifying('tokens=identity'))),
    'the gateway, security service': door(
      ['security service token'],
      200,
      401,
      statusOf(verifying('tokens=security-service')),
    ),
    'the gateway, tinyoauth': door(['tinyoauth token'], 200, 401, statusOf(verifying('tokens=tinyoauth'))),
    'the gateway, space guard, alone': door([], 200, 401, statusOf(verifying('tokens=space-guard'))),
    'the gateway, space guard, behind the client token': door(
      ['space guard access token'],
      200,
      401,
      pairAt('/gateway/verify/token?tokens=space-guard', 'GET', beside('client token')),
    ),
    'the gateway, space guard, before the access token': door(
      ['client token'],
      200,
      401,
      pairAt('/gateway/verify/token?tokens=space-guard', 'GET', before('space guard access token')),
    ),
    'the gateway, everything but space guard': door(
      ['identity JWT', 'security service token', 'tinyoauth token'],
      200,
      401,
      statusOf(verifying('tokens=identity,security-service,tinyoauth')),
    ),
  };
  let names = 0;
  const fresh = () => ({ username: `kind-${storage.kind}-${++names}`, password });

  test.each(Object.keys(doors))('%s', async (name) => {
    const { accepts, accepted, refused, except = {}, present } = doors[name] as Door;
    const all = await everyKind();
    const kinds = Object.keys(all.credentials) as Kind[];
    for (const kind of kinds)
      expect([kind, all.credentials[kind]]).toEqual([kind, expect.stringMatching(/^[\w.~-]{8,}$/)]);
    // Those that are accepted come last: some doors use them up.
    const rest = kinds.filter((kind) => !accepts.includes(kind));
    const answers: [Kind, number][] = [];
    for (const kind of [...rest, ...accepts]) answers.push([kind, await present(all.credentials[kind], all)]);
    expect(Object.fromEntries(answers)).toEqual(
      Object.fromEntries([
        ...rest.map((kind) => [kind, except[kind] ?? refused]),
        ...accepts.map((kind) => [kind, accepted]),
      ]),
    );
  });

  test('what a door cannot use it does not end either', async () => {
    const all = await everyKind();
    const enders: [string, Kind | undefined, (value: string) => Promise<number>][] = [
      [
        'DELETE /security/logout',
        'security service token',
        statusWith((token) => ({ ...posting('/security/logout', { token }), method: 'DELETE' })),
      ],
      [
        'POST /v1/logout',
        'identity refresh token',
        statusWith((value) => ({ method: 'POST', path: '/v1/logout', headers: [bearer(value)] })),
      ],
    ];
    for (const [, own, end] of enders) {
      for (const [kind, value] of Object.entries(all.credentials)) if (kind !== own) await end(value);
    }
    const live: (keyof typeof doors)[] = [
      ...['GET /user/info', 'GET /oauth/userinfo', 'POST /v1/verify', 'POST /security/validateToken', 'POST /client'],
      ...['the gateway, space guard, behind the client token', 'GET /v1/token/refresh'],
    ];
    for (const name of live) {
      const { accepts, accepted, present } = doors[name] as Door;
      for (const kind of accepts) expect([name, await present(all.credentials[kind], all)]).toEqual([name, accepted]);
    }
  });
  const statusWith = (made: (value: string) => Call) => async (value: string) =>
    (await call(server, made(value))).status;

  describe('forged, each under the name of the kind that is due', () => {
    const at: [string, Kind][] = [
      ['GET /user/info', 'user API JWT'],
      ['the gateway, user API', 'user API JWT'],
      ['the gateway, another API', 'client_credentials JWT'],
      ['POST /v1/verify', 'identity JWT'],
      ['the gateway, identity', 'identity JWT'],
      ['POST /security/validateToken', 'security service token'],
      ['POST /security/users', 'security service token'],
      ['the gateway, security service', 'security service token'],
      ['POST /client', 'tinyoauth token'],
      ['GET /authorize', 'tinyoauth token'],
      ['the gateway, tinyoauth', 'tinyoauth token'],
      ['space guard, refresh-client, behind the client token', 'space guard refresh token'],
      ['space guard, logout-client, behind the client token', 'space guard refresh token'],
      ['the gateway, space guard, behind the client token', 'space guard access token'],
    ];
    test.each(at)('%s: %s', async (name, kind) => {
      const { refused, accepted, present } = doors[name] as Door;
      const all = await everyKind();
      const good = all.credentials[kind];
      const jwks = (await (await fetch(`${server.url}/oauth/jwks`)).json()) as { keys: JsonWebKey[] };
      const signAsServer = (header: Claims, claims: Claims) => {
        const key = server.core.keys.ring().find(({ id }) => id === header.kid);
        if (!key) throw new Error('no such key');
        return jwt(header, claims, key.privateKey);
      };
      const [header, claims] = [headerOf(good), claimsOf(good)];
      const now = nowSeconds();
      const changed: Record<string, string> = {
        'no typ': signAsServer({ ...header, typ: undefined }, claims),
        ...Object.fromEntries(
          [
            'JWT',
            'at+jwt',
            'identity+jwt',
            'security-service+jwt',
            'tinyoauth+jwt',
            'space-guard+jwt',
            'space-guard-refresh+jwt',
            'logout+jwt',
          ]
            .filter((typ) => typ !== header.typ)
            .map((typ) => [`typ ${typ}`, signAsServer({ ...header, typ }, claims)]),
        ),
        'another issuer': signAsServer(header, { ...claims, iss: 'https://evil.example' }),
        'another audience': signAsServer(header, { ...claims, aud: 'https://evil.example' }),
        'no audience': signAsServer(header, { ...claims, aud: undefined }),
        'another subject': signAsServer(header, { ...claims, sub: 'somebody' }),
        'a subject that is no text': signAsServer(header, { ...claims, sub: { $gt: '' } }),
        'no expiry': signAsServer(header, { ...claims, exp: undefined }),
        'an expiry that is text': signAsServer(header, { ...claims, exp: String(claims.exp) }),
        expired: signAsServer(header, { ...claims, exp: now - 60 }),
        'not yet': signAsServer(header, { ...claims, nbf: now + 3600 }),
        'from the future': signAsServer(header, { ...claims, iat: now + 3600 }),
        'no jti': signAsServer(header, { ...claims, jti: undefined }),
        ...('sid' in claims && {
          'another session': signAsServer(header, { ...claims, sid: 'x', session: 'x' }),
          'a session that is no text': signAsServer(header, { ...claims, sid: { $gt: '' }, session: { $gt: '' } }),
          'U+0000 for a session': signAsServer(header, { ...claims, sid: '\0', session: '\0' }),
        }),
        ...('ctid' in claims && { 'another client token': signAsServer(header, { ...claims, ctid: 'x' }) }),
      };
      const answers: Record<string, number> = {};
      // A header takes no other characters: they never arrive.
      const sendable = Object.entries({ ...forgeries(good, jwks, signAsServer), ...changed });
      for (const [what, value] of sendable) answers[what] = await present(value, all);
      const statuses = Object.fromEntries(sendable.map(([what]) => [what, refused]));
      // No header of a bearer token (RFC 6750, section 2.1).
      if (name === 'GET /user/info') statuses['padded base64'] = 400;
      expect(answers).toEqual(statuses);
      expect(await present(good, all)).toBe(accepted);
    });
  });
});

type Kind =
  | 'user API JWT'
  | 'JWT for another API'
  | 'opaque access token'
  | 'OAuth refresh token'
  | 'ID token'
  | 'authorization code'
  | 'client_credentials JWT'
  | 'client_credentials token'
  | 'identity JWT'
  | 'identity refresh token'
  | 'security service token'
  | 'tinyoauth token'
  | 'client token'
  | 'space guard access token'
  | 'space guard refresh token'
  | 'admin key'
  | 'client secret'
  | 'session cookie'
  | 'session cookie’s signature'
  | 'subject'
  | 'session id';
