/** docs/tokens.md against real tokens: the same members, types, lifetimes and fixed values. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { blocksOf } from '../cli/documented/shell.ts';
import { basic, token } from '../support/agent.ts';
import { setClock } from '../support/clock.ts';
import { ask, claimsOf, codeFor, comeBack, headerOf, redeem, userinfo } from '../support/flow.ts';
import { adminKey, buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

type Json = Readonly<Record<string, unknown>>;

const shownExamples = blocksOf('docs/tokens.md')
  .filter(({ language }) => language === 'json')
  .flatMap(({ code }) => Object.entries<Json>(JSON.parse(code) as Record<string, Json>));
const examples = new Map<string, Json>(shownExamples);

/** What the page writes: its values are examples, but for these members. */
const fixed = [
  'typ',
  'alg',
  'scope',
  'token_type',
  'token_use',
  'amr',
  'locale',
  'email_verified',
  'active',
  'expires_in',
];

let server: TestServer;
const real = new Map<string, Json>();
let opaque: readonly (string | undefined)[];
let clientToken: string | undefined;

beforeAll(async () => {
  server = await startServer();
  // A lifetime is then the same, however long a step takes.
  setClock(Date.now(), { runs: false });
  const { core } = server;
  const books = 'https://books.example.com';
  const scopes = [{ name: 'books:read', sentence: 'See your books.' }];
  await core.apis.add({ identifier: books, name: 'Books', scopes });
  await core.apis.add({
    identifier: 'https://maps.example.com',
    name: 'Maps',
    scopes: [{ name: 'maps:read', sentence: 'See maps.' }],
    tokenTyp: 'JWT',
  });
  const person = await buildPerson(server, { username: 'ada', email: 'ada@example.com' });
  const client = await buildClient(server);
  const signed = await buildClient(server, { userinfo_signed_response_alg: 'ES256' });
  const machine = await buildClient(server, {
    redirect_uris: [],
    grant_types: ['client_credentials'],
    scope: 'books:read',
  });

  const tokensOf = async (scope: string, app = client, extra: Record<string, string> = {}) => {
    const { grant } = await codeFor(server, app, { person, scope, extra });
    return { code: grant.code, ...(await redeem(server, app, grant)).body };
  };
  const jwt = (name: string, value: string | undefined) => {
    if (!value?.includes('.')) throw new Error(`${name}: ${value}`);
    return real.set(name, { header: headerOf(value), payload: claimsOf(value) });
  };

  const first = await tokensOf('openid profile email', client, { nonce: 'n-0S6_WzA2Mj' });
  jwt('ID token', first.id_token);
  real.set('Opaque access token, introspected', (await ask(server, 'introspect', client, first.access_token)).body);
  real.set('Refresh token, introspected', (await ask(server, 'introspect', client, first.refresh_token)).body);
  real.set('Token response', { ...first, code: undefined });
  jwt('Access token for the user API', (await tokensOf('user')).access_token);
  jwt('Access token for an API and userinfo', (await tokensOf('openid books:read')).access_token);
  jwt('Access token with the typ JWT', (await tokensOf('maps:read')).access_token);
  const own = await token(server, machine, { grant_type: 'client_credentials', resource: books, scope: 'books:read' });
  jwt("A program's own access token", own.body.access_token);
  jwt(
    'Signed userinfo response',
    await (await userinfo(server, (await tokensOf('openid', signed)).access_token)).text(),
  );

  const signedAnswer = await fetch(`${server.url}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: basic(client.id, client.secret), accept: 'application/token-introspection+jwt' },
    body: new URLSearchParams({ token: 'unknown' }),
  });
  jwt('Signed introspection response', await signedAnswer.text());

  const post = async (path: string, headers: Record<string, string>, body?: Json) => {
    const answer = await fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answered = (await answer.json()) as Record<string, string> & { data?: Record<string, string> };
    return answered.data ?? answered;
  };
  const ofAda = `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
  const login = await fetch(`${server.url}/v1/login`, { headers: { authorization: ofAda } });
  jwt('Identity token', ((await login.json()) as { jwt: { token: string } }).jwt.token);
  const credentials = { username: 'ada', password };
  jwt('Security-service token', (await post('/security/login', {}, credentials)).token);
  jwt('tinyoauth token', (await post('/login', {}, credentials)).token);
  const issued = await post(
    '/space-guard/api/v1/client-tokens',
    { 'x-admin-key': adminKey },
    { client_id: machine.id },
  );
  const pair = await post('/space-guard/api/v1/register-client', { authorization: `Bearer: ${issued.client_token}` });
  jwt('Space-guard access token', pair.jwtAccessToken);
  jwt('Space-guard refresh token', pair.jwtRefreshToken);
  opaque = [first.code, first.access_token, first.refresh_token];
  clientToken = issued.client_token;
});
afterAll(() => {
  comeBack();
  return server.close();
});

test('the page shows each token once, and no other', () => {
  expect(shownExamples).toHaveLength(examples.size);
  expect([...examples.keys()].sort()).toEqual([...real.keys()].sort());
});

test('each example is what the server issues', () => {
  const shown = [...examples].map(([name, example]) => [name, shapeOf(example)]);
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries([...real].map(([name, one]) => [name, shapeOf(one)])));
});

test('the comparison notices another member, type, lifetime and fixed value', () => {
  const shape = (payload: Json) =>
    shapeOf({ header: { typ: 'JWT' }, payload: { iat: 1, exp: 601, sub: 'x', ...payload } });
  for (const other of [{ more: 'x' }, { sub: 1 }, { exp: 602 }, { amr: ['pwd', 'otp'] }]) {
    expect(shape(other)).not.toEqual(shape({}));
  }
  expect(shape({ sub: 'y', iat: 11, exp: 611 })).toEqual(shape({}));
});

test('opaque values have the documented format', () => {
  for (const value of opaque) expect(value).toMatch(/^[\w-]{43}$/);
  expect(clientToken).toMatch(/^gatehouse_ct_/);
});

/** Types instead of values, but for fixed ones; `exp` as what it is after `iat`. */
function shapeOf(value: unknown, name = '', iat?: unknown): unknown {
  if (fixed.includes(name)) return value;
  if (name === 'exp') return `iat + ${Number(value) - Number(iat)}`;
  if (Array.isArray(value)) return value.map((one) => shapeOf(one));
  if (typeof value !== 'object' || value === null) return typeof value;
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  const { iat: issued } = value as Json;
  return Object.fromEntries(members.map(([key, one]) => [key, shapeOf(one, key, issued)]));
}
