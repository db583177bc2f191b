/** `/gateway/verify`, as nginx, Traefik and Caddy ask it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raw } from '../support/flow.ts';
import { buildPerson } from '../support/server.ts';
import { apiSessionToken, audience, call, type Gateway, machineToken, personToken, startGateway } from './world.ts';

let server: Gateway;
let bearer: string;
beforeAll(async () => {
  server = await startGateway([
    { prefix: '/notes', methods: ['GET'], tokens: ['oauth'], audience, scopes: ['read'] },
    { prefix: '/notes', methods: ['PUT'], tokens: ['oauth'], audience, scopes: ['write'] },
    { prefix: '/mine', tokens: ['tinyoauth'] },
  ]);
  bearer = await machineToken(server);
});
afterAll(() => server.close());

const path = '/gateway/verify';
type Headers = Record<string, string>;
const dialects: Record<string, (method: string, uri: string) => Headers> = {
  nginx: (method, uri) => ({ 'x-original-method': method, 'x-original-uri': uri }),
  'Traefik and Caddy': (method, uri) => ({
    'x-forwarded-method': method,
    'x-forwarded-uri': uri,
    'x-forwarded-host': 'api.example.com',
    'x-forwarded-proto': 'https',
  }),
};

describe.each(Object.keys(dialects))('asked by %s', (name) => {
  const asked = (method: string, uri: string) => dialects[name]?.(method, uri) ?? {};

  test('a good token is 200 with the identity and nothing else', async () => {
    const { token, person, client } = await personToken(server);
    for (const method of ['GET', 'POST', 'HEAD']) {
      const answer = await call(server, { method, path, bearer: token, headers: asked('GET', '/notes/1?x=%2f') });
      expect([answer.status, answer.text, answer.headers['cache-control'], answer.headers['content-length']]).toEqual([
        200,
        '',
        'no-store',
        '0',
      ]);
      expect(answer.headers).toMatchObject({
        'x-gatehouse-subject': person.subject,
        'x-gatehouse-username': person.username,
        'x-gatehouse-client': client.id,
        'x-gatehouse-scope': 'read',
        'x-gatehouse-token-kind': 'oauth',
      });
    }
  });

  test('otherwise 401 or 403, with the reason where nginx would make a 500 of it', async () => {
    const rows: readonly (readonly [string | undefined, string, string, number, string | undefined])[] = [
      [undefined, 'GET', '/notes', 401, undefined],
      ['nonsense', 'GET', '/notes', 401, undefined],
      [bearer, 'GET', '/mine', 401, undefined],
      [bearer, 'PUT', '/notes', 403, undefined],
      [bearer, 'DELETE', '/notes', 403, 'method_not_allowed'],
      [bearer, 'GET', '/nothing', 403, 'not_found'],
      [bearer, 'GET', '/notes/../mine', 403, 'not_found'],
      [bearer, 'GET', '//notes', 403, 'not_found'],
      [bearer, 'GET', '/notes?x#y', 403, 'invalid_request'],
      [bearer, 'GET', 'http://evil/notes', 403, 'not_found'],
      [undefined, 'GET', '/nothing', 403, 'not_found'],
    ];
    for (const [token, method, uri, status, reason] of rows) {
      const answer = await call(server, { path, bearer: token, headers: asked(method, uri) });
      expect([method, uri, answer.status, answer.headers['x-gatehouse-reason']]).toEqual([method, uri, status, reason]);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect('www-authenticate' in answer.headers).toBe(reason === undefined);
      expect(Object.keys(answer.headers).filter((header) => /gatehouse-(subject|client)/.test(header))).toEqual([]);
    }
  });
});

test('a header for everything that can be said of a caller, empty where there is nothing', async () => {
  const { headers } = await call(server, { path, bearer, headers: dialects.nginx?.('GET', '/notes') ?? {} });
  expect(Object.keys(headers).filter((name) => name.startsWith('x-gatehouse-') && headers[name] === '')).toEqual([
    'x-gatehouse-subject',
    'x-gatehouse-username',
    'x-gatehouse-session',
  ]);
});

test('a query, which may be the caller’s, does not make another question of it', async () => {
  const { token: mine } = await apiSessionToken(server, 'tinyoauth');
  for (const asked of Object.values(dialects)) {
    for (const query of ['tokens=tinyoauth', 'tokens=oauth,tinyoauth', 'x=1', '?']) {
      const answer = await call(server, { path: `${path}?${query}`, bearer: mine, headers: asked('GET', '/notes') });
      expect([query, answer.status, answer.headers['x-gatehouse-reason']]).toEqual([query, 403, 'bad_question']);
    }
    expect((await call(server, { path: `${path}?`, bearer, headers: asked('GET', '/notes') })).status).toBe(200);
    expect((await call(server, { path: `${path}?`, bearer: mine, headers: asked('GET', '/notes') })).status).toBe(401);
  }
});

test('what is not said, said twice or said in two ways is 403', async () => {
  const rows: readonly Headers[] = [
    {},
    { 'x-original-uri': '/notes' },
    { 'x-original-method': 'GET' },
    { ...dialects.nginx?.('GET', '/notes'), 'x-forwarded-uri': '/other' },
    { ...dialects.nginx?.('GET', '/notes'), 'x-forwarded-method': 'PUT' },
    { ...dialects['Traefik and Caddy']?.('GET', '/notes'), 'x-original-uri': '/mine' },
  ];
  for (const headers of rows) {
    const answer = await call(server, { path, bearer, headers });
    expect([headers, answer.status, answer.headers['x-gatehouse-reason']]).toEqual([headers, 403, 'bad_question']);
  }
  const twice = await raw(
    server,
    `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer}\r\nX-Original-Method: GET\r\nX-Original-URI: /notes\r\nX-Original-URI: /mine\r\nConnection: close\r\n\r\n`,
  );
  expect(twice).toMatch(/^HTTP\/1\.1 403 [\s\S]*bad_question/);
});

describe('with the demand in the query', () => {
  const ask = (query: string, token: string | undefined = bearer, headers: Headers = {}) =>
    call(server, { path: `${path}/token?${query}`, bearer: token, headers });

  test('the table is not needed, and what a caller says of the address does not count', async () => {
    const oauth = `tokens=oauth&audience=${encodeURIComponent(audience)}`;
    expect((await ask(oauth)).status).toBe(200);
    expect((await ask(`${oauth}&scope=read`)).status).toBe(200);
    expect((await ask(`${oauth}&scope=read+write`)).status).toBe(403);
    expect((await ask(`tokens=oauth&audience=https://other.example/`)).status).toBe(401);
    expect((await ask(oauth, '')).status).toBe(401);
    const { token } = await apiSessionToken(server, 'identity', await buildPerson(server));
    expect((await ask('tokens=identity,tinyoauth', token)).status).toBe(200);
    expect((await ask('tokens=tinyoauth', token)).status).toBe(401);
    expect((await ask('tokens=tinyoauth', token, { 'x-original-uri': '/mine', 'x-forwarded-uri': '/x' })).status).toBe(
      401,
    );
  });

  test.each([
    'tokens=',
    'tokens=jwt',
    'tokens=oauth',
    'tokens=identity&audience=x',
    'tokens=identity&scope=read',
    'tokens=identity&tokens=oauth',
    'audience=x',
    'tokens=identity&colour=red',
    'x',
    '',
  ])('"%s" is not understood', async (query) => {
    const answer = await ask(query);
    expect([answer.status, answer.headers['x-gatehouse-reason']]).toEqual([403, 'bad_question']);
  });
});

test('in another spelling it is not there', async () => {
  for (const other of [
    '/gateway/verify/',
    '/gateway/verify/token/',
    '/gateway/verify/x',
    '/gateway//verify',
    '/Gateway/verify',
    '/gateway',
    '/gateway/%76erify',
  ]) {
    expect((await call(server, { path: other, bearer })).status).toBe(404);
  }
});
