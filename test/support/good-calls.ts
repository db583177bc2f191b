/**
 * One good call for every operation of the OpenAPI document. From these, test/api/openapi.test.ts makes the bad ones:
 * without the credentials, with a member left out or of another type, and so on. Each is made anew for every request,
 * so that it is good each time: a person who does not exist yet, a token that has not been ended.
 */
import { randomToken } from '../../src/base/secrets.ts';
import { deviceGrant } from '../../src/core/clients/metadata/device-grant.ts';
import { Agent, basic, codeOf, pkce, token } from './agent.ts';
import { adminKey, buildClient, buildPerson, password, type TestServer } from './server.ts';

/** Also `npm run hostile` makes its requests from these, over a server in a process of its own. */
type Callee = Pick<TestServer, 'url' | 'core' | 'app'>;

const callback = 'https://bookshelf.example/cb';

export interface GoodCall {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: Readonly<Record<string, unknown>>;
  readonly form?: Readonly<Record<string, string>>;
  /** Where the operation's path has parameters. */
  readonly path?: string;
}

/** `POST /clients/register` -> such a call. */
export type GoodCalls = Readonly<Record<string, () => Promise<GoodCall>>>;

export function goodCalls(server: Callee): GoodCalls {
  const admin = { 'x-admin-key': adminKey };
  const bearer = (value: string | undefined) => ({ authorization: `Bearer ${value}` });
  const application = async () => {
    const grant_types = ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant];
    const { id, secret } = await buildClient(server, { grant_types });
    return { id, secret, headers: { authorization: basic(id, secret) } };
  };
  async function accessToken(scope: string): Promise<string | undefined> {
    const client = await buildClient(server);
    const { verifier, challenge } = pkce();
    const asked = { client_id: client.id, scope, code_challenge: challenge, code_challenge_method: 'S256' };
    const code = codeOf(await new Agent(server).authorize(await buildPerson(server), asked));
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier };
    return (await token(server, client, form)).body.access_token;
  }
  const itsOwnToken = async () => {
    const client = await application();
    const { body } = await token(server, client, { grant_type: 'client_credentials' });
    return { headers: client.headers, form: { token: body.access_token ?? '', token_type_hint: 'access_token' } };
  };

  const credentials = async () => ({ username: (await buildPerson(server)).username, password });
  const fresh = () => ({ username: `new-${randomToken(9)}x`, password });
  // As it is, where OAuth has both halves form-encoded.
  const basicOf = ({ username }: { username: string }) => ({
    authorization: `Basic ${btoa(`${username}:${password}`)}`,
  });
  /** What a call gives that has to come before. */
  async function answerTo(method: string, path: string, { headers, json }: GoodCall): Promise<Record<string, unknown>> {
    const response = await fetch(server.url + path, {
      method,
      headers: { ...headers, ...(json ? { 'content-type': 'application/json' } : {}) },
      ...(json ? { body: JSON.stringify(json) } : {}),
    });
    return (await response.json()) as Record<string, unknown>;
  }

  const tinyoauth = async () => bearer(String((await answerTo('POST', '/login', { json: await credentials() })).token));
  const authorization = async () => {
    const { id } = await buildClient(server, { redirect_uris: [callback] }, 'person');
    return { response_type: 'code', client_id: id, redirect_uri: callback, state: 'xyz' };
  };

  const identity = async () => {
    const { jwt } = await answerTo('GET', '/v1/login', { headers: basicOf(await credentials()) });
    return jwt as { token: string; refresh_token: string };
  };

  const securityService = async () =>
    String((await answerTo('POST', '/security/login', { json: await credentials() })).token);

  async function clientToken() {
    const client = await buildClient(server);
    const issued = await server.app.clients.issueToken(client.id, { label: '', lifetime: null });
    if (issued.outcome !== 'issued') throw new Error(`no client token: ${issued.outcome}`);
    return { client_id: client.id, id: issued.token.id, value: issued.value };
  }
  const spaceGuard = async () => {
    const { value } = await clientToken();
    const headers = { authorization: `Bearer: ${value}` };
    const { data } = await answerTo('POST', '/space-guard/api/v1/register-client', { headers });
    const { jwtRefreshToken } = data as { jwtRefreshToken: string };
    return { headers: { authorization: `Bearer: ${value}:${jwtRefreshToken}` } };
  };

  const agent = {
    ...{ client_name: 'Book agent', redirect_uris: [callback], token_endpoint_auth_method: 'none', scope: 'openid' },
    ...{ grant_types: ['authorization_code'], response_types: ['code'], application_type: 'web', jwks: null },
    ...{ client_uri: 'https://bookshelf.example/', logo_uri: 'https://bookshelf.example/logo.png', contacts: [] },
  };
  /** A client that has registered itself: its address, and the token for it. */
  async function registered() {
    const made = await answerTo('POST', '/oauth/register', { json: agent });
    const id = String(made.client_id);
    return { id, path: `/oauth/register/${id}`, headers: bearer(String(made.registration_access_token)) };
  }
  const ownRegistration = async () => {
    const { path, headers } = await registered();
    return { path, headers };
  };

  return {
    'POST /oauth/register': async () => {
      const policy = { scopes: null, redirectHosts: null, redirectSchemes: [], grants: null, reviewed: false };
      const made = await server.core.initialTokens.create({ label: '', policy, usesMax: null, lifetime: 3600 });
      return { headers: bearer(made.value), json: agent };
    },
    'GET /oauth/register/{client_id}': ownRegistration,
    'PUT /oauth/register/{client_id}': async () => {
      const { id, ...own } = await registered();
      return { ...own, json: { ...agent, client_id: id } };
    },
    'DELETE /oauth/register/{client_id}': ownRegistration,

    'POST /clients/register': async () => ({
      headers: admin,
      json: {
        app_name: 'Bookshelf',
        contact_email: 'team@bookshelf.example',
        redirect_url: callback,
        client_uri: 'https://bookshelf.example/',
        grant_types: ['authorization_code', 'refresh_token'],
        jwks: null,
        require_pkce: true,
        default_max_age: 600,
      },
    }),
    'PATCH /clients/{id}': async () => ({
      headers: admin,
      path: `/clients/${(await buildClient(server)).id}`,
      json: { client_name: 'The new Bookshelf', redirect_uris: [callback], policy_uri: null, version: 1 },
    }),
    'GET /user/info': async () => ({ headers: bearer(await accessToken('user')), query: { username: '' } }),
    'POST /internal/reload-clients': async () => ({ headers: admin }),

    'POST /oauth/token': async () => ({
      headers: (await application()).headers,
      form: { grant_type: 'client_credentials' },
    }),
    'POST /oauth/par': async () => ({
      headers: (await application()).headers,
      form: {
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      },
    }),
    'POST /oauth/device': async () => ({
      headers: (await application()).headers,
      form: { scope: 'openid offline_access' },
    }),
    'GET /oauth/userinfo': async () => ({ headers: bearer(await accessToken('openid')) }),
    'POST /oauth/userinfo': async () => ({ headers: bearer(await accessToken('openid')) }),
    'POST /oauth/introspect': itsOwnToken,
    'POST /oauth/revoke': itsOwnToken,
    'GET /oauth/jwks': async () => ({}),
    'GET /.well-known/openid-configuration': async () => ({}),
    'GET /.well-known/oauth-authorization-server': async () => ({}),

    'POST /register': async () => ({ json: fresh() }),
    'POST /login': async () => ({ json: await credentials() }),
    'POST /client': async () => ({
      headers: await tinyoauth(),
      json: { name: 'Bookshelf', redirect_uri: callback },
    }),
    'GET /authorize': async () => ({ headers: await tinyoauth(), query: await authorization() }),
    'POST /authorize': async () => ({ headers: await tinyoauth(), json: await authorization() }),
    'POST /token': async () => ({
      headers: (await application()).headers,
      form: { grant_type: 'client_credentials' },
    }),

    'POST /v1/register': async () => ({ headers: basicOf(fresh()) }),
    'GET /v1/login': async () => ({ headers: basicOf(await credentials()) }),
    'POST /v1/logout': async () => ({ headers: bearer((await identity()).refresh_token) }),
    'GET /v1/token/refresh': async () => ({ headers: bearer((await identity()).refresh_token) }),
    'POST /v1/password/change': async () => ({
      headers: basicOf(await credentials()),
      json: { new_password: 'nine pears in a drawer', kill_sessions: false },
    }),
    'POST /v1/verify': async () => ({ headers: bearer((await identity()).token) }),

    'POST /security/login': async () => ({ json: await credentials() }),
    'POST /security/validateToken': async () => ({ json: { token: await securityService() } }),
    'DELETE /security/logout': async () => ({ json: { token: await securityService() } }),
    'POST /security/users': async () => ({
      headers: { authorization: JSON.stringify({ token: await securityService() }) },
      json: fresh(),
    }),

    'POST /space-guard/api/v1/register-client': async () => ({
      headers: { authorization: `Bearer: ${(await clientToken()).value}` },
    }),
    'POST /space-guard/api/v1/refresh-client': spaceGuard,
    'POST /space-guard/api/v1/logout-client': spaceGuard,
    'GET /space-guard/api/v1/client-tokens': async () => ({
      headers: admin,
      query: { client_id: (await clientToken()).client_id },
    }),
    'POST /space-guard/api/v1/client-tokens': async () => ({
      headers: admin,
      json: { client_id: (await buildClient(server)).id, label: 'night report', expires_in: 3600 },
    }),
    'DELETE /space-guard/api/v1/client-tokens/{id}': async () => {
      const { client_id, id } = await clientToken();
      return { headers: admin, query: { client_id }, path: `/space-guard/api/v1/client-tokens/${id}` };
    },

    'GET /gateway/verify': async () => ({
      headers: {
        ...(await tinyoauth()),
        'x-original-method': 'GET',
        'x-original-uri': '/protected/resource',
      },
    }),
    'GET /gateway/verify/token': async () => ({
      headers: bearer(await accessToken('user')),
      query: { tokens: 'oauth', audience: `${server.url}/user`, scope: 'user' },
    }),

    'GET /.well-known/oauth-protected-resource': async () => ({}),
    'GET /.well-known/oauth-protected-resource/{path}': async () => ({
      path: '/.well-known/oauth-protected-resource/user',
    }),

    'GET /healthz': async () => ({}),
    'GET /readyz': async () => ({}),
  };
}
