/** Who gets past the gateway, and what the others learn. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { describePostgres, freshPostgres } from '../support/databases.ts';
import { comeBack, jwt, tokensFor, travel } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import {
  apiSessionToken,
  audience,
  call,
  caller,
  type Gateway,
  machineToken,
  opaqueAudience,
  openService,
  otherOpaqueAudience,
  personToken,
  type Service,
  spaceGuardPair,
  startGateway,
} from './world.ts';

const kinds = ['oauth', 'opaque', 'identity', 'security-service', 'tinyoauth', 'space-guard'] as const;
type Kind = (typeof kinds)[number];

describeStorages('tokens at the gateway', (storage) => {
  let service: Service;
  let server: Gateway;
  beforeAll(async () => {
    service = await openService((req, res) => res.end(JSON.stringify(req.headers)));
    const routes = [
      { prefix: '/at/oauth', tokens: ['oauth'], audience, upstream: service.url },
      { prefix: '/at/opaque', tokens: ['oauth'], audience: opaqueAudience, upstream: service.url },
      { prefix: '/at/other-opaque', tokens: ['oauth'], audience: otherOpaqueAudience, upstream: service.url },
      ...['identity', 'security-service', 'tinyoauth', 'space-guard'].map((kind) => ({
        prefix: `/at/${kind}`,
        tokens: [kind],
        upstream: service.url,
      })),
      { prefix: '/at/any', tokens: kinds.filter((kind) => kind !== 'opaque'), audience, upstream: service.url },
    ];
    server = await startGateway(routes, {}, (env) => storage.start(env));
  });
  afterEach(comeBack);
  afterAll(async () => {
    await server.close();
    await service.close();
  });

  async function credential(kind: Kind): Promise<string> {
    switch (kind) {
      case 'oauth':
        return (await personToken(server)).token;
      case 'opaque':
        return (await personToken(server, opaqueAudience)).token;
      case 'space-guard':
        return (await spaceGuardPair(server)).pair;
      default:
        return (await apiSessionToken(server, kind)).token;
    }
  }

  test('every kind passes where it is due and nowhere else', async () => {
    for (const kind of kinds) {
      const bearer = await credential(kind);
      const statuses: Record<string, number> = {};
      for (const at of kinds) statuses[at] = (await call(server, { path: `/at/${at}/x`, bearer })).status;
      expect([kind, statuses]).toEqual([kind, Object.fromEntries(kinds.map((at) => [at, at === kind ? 200 : 401]))]);
      expect([kind, (await call(server, { path: '/at/any', bearer })).status]).toEqual([
        kind,
        kind === 'opaque' ? 401 : 200,
      ]);
    }
  });

  test('an opaque token is for one API, and an engine’s other tokens are for none', async () => {
    const { token } = await personToken(server, opaqueAudience);
    expect((await call(server, { path: '/at/opaque', bearer: token })).status).toBe(200);
    expect((await call(server, { path: '/at/other-opaque', bearer: token })).status).toBe(401);
    const { body } = await tokensFor(server, await buildClient(server), { scope: 'openid offline_access' });
    for (const bearer of [body.access_token, body.refresh_token, body.id_token]) {
      expect(typeof bearer).toBe('string');
      for (const at of ['oauth', 'opaque', 'any']) {
        expect((await call(server, { path: `/at/${at}`, bearer })).status).toBe(401);
      }
    }
  });

  test('refresh tokens and halves of a pair pass nowhere', async () => {
    const pair = await spaceGuardPair(server);
    const other = await spaceGuardPair(server);
    for (const bearer of [
      pair.access,
      pair.clientToken,
      `${pair.clientToken}:${pair.refresh}`,
      `${other.clientToken}:${pair.access}`,
      `:${pair.access}`,
      `${pair.clientToken}:`,
    ]) {
      for (const at of ['space-guard', 'any']) {
        expect((await call(server, { path: `/at/${at}`, bearer })).status).toBe(401);
      }
    }
  });

  test('space guard’s pair is taken with the extra colon and without it', async () => {
    const { pair, client } = await spaceGuardPair(server);
    for (const authorization of [`Bearer: ${pair}`, `Bearer ${pair}`, `bearer: ${pair}`]) {
      const answer = await call(server, { path: '/at/space-guard', headers: { authorization } });
      expect(answer.status).toBe(200);
      const { 'x-gatehouse-client': id, 'x-gatehouse-subject': subject } = JSON.parse(answer.text);
      expect([id, subject]).toEqual([client.id, undefined]);
    }
  });

  test('an upstream is told who it is: of each kind what it has', async () => {
    const told = async (path: string, bearer: string) => {
      const headers = JSON.parse((await call(server, { path, bearer })).text);
      return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-gatehouse-')));
    };
    for (const resource of [audience, opaqueAudience]) {
      const at = resource === audience ? '/at/oauth' : '/at/opaque';
      const { token, person, client } = await personToken(server, resource);
      expect(await told(at, token)).toEqual({
        'x-gatehouse-token-kind': 'oauth',
        'x-gatehouse-subject': person.subject,
        'x-gatehouse-username': person.username,
        'x-gatehouse-client': client.id,
        'x-gatehouse-scope': 'read',
      });
      const machine = await told(at, await machineToken(server, 'read write', resource));
      expect(machine).toEqual({
        'x-gatehouse-token-kind': 'oauth',
        'x-gatehouse-client': expect.any(String),
        'x-gatehouse-scope': 'read write',
      });
    }
    const { token, person, session } = await apiSessionToken(server, 'tinyoauth');
    expect(await told('/at/tinyoauth', token)).toEqual({
      'x-gatehouse-token-kind': 'tinyoauth',
      'x-gatehouse-subject': person.subject,
      'x-gatehouse-username': person.username,
      'x-gatehouse-session': session.sid,
    });
  });

  test('a name that is no ASCII arrives percent-encoded', async () => {
    const person = await buildPerson(server, { username: 'Zoë.山' });
    const { token } = await apiSessionToken(server, 'identity', person);
    const answer = await call(server, { path: '/at/identity', bearer: token });
    const { 'x-gatehouse-username': name } = JSON.parse(answer.text);
    expect([name, decodeURIComponent(name)]).toEqual(['Zo%C3%AB.%E5%B1%B1', 'Zoë.山']);
  });

  test('what has ended is refused at once: session, account, client, grant', async () => {
    const ends: Record<string, () => Promise<{ path: string; bearer: string; end: () => Promise<unknown> }>> = {
      'a tinyoauth session': async () => {
        const { token } = await apiSessionToken(server, 'tinyoauth');
        const end = () => server.core.apiSessions.endByToken('tinyoauth', token, caller);
        return { path: '/at/tinyoauth', bearer: token, end };
      },
      'an account': async () => {
        const { token, person } = await apiSessionToken(server, 'security-service');
        return { path: '/at/security-service', bearer: token, end: () => server.core.accounts.disable(person.subject) };
      },
      'a space guard session': async () => {
        const { pair, clientToken, refresh } = await spaceGuardPair(server);
        const end = () => server.core.clientSessions.end(clientToken, refresh, caller);
        return { path: '/at/space-guard', bearer: pair, end };
      },
      'a client with a JWT': async () => {
        const { token, client } = await personToken(server);
        return { path: '/at/oauth', bearer: token, end: () => server.app.clients.disable(client.id) };
      },
      'a client with an opaque token': async () => {
        const { token, client } = await personToken(server, opaqueAudience);
        return { path: '/at/opaque', bearer: token, end: () => server.app.clients.disable(client.id) };
      },
      'a person with an opaque token': async () => {
        const { token, person } = await personToken(server, opaqueAudience);
        return { path: '/at/opaque', bearer: token, end: () => server.core.sessions.endAll(person.subject) };
      },
      'a person with an opaque token, disabled behind everybody’s back': async () => {
        const { token, person } = await personToken(server, opaqueAudience);
        const end = () => server.core.stores.accounts.update(person.subject, { disabledAt: 1 }, 1);
        return { path: '/at/opaque', bearer: token, end };
      },
      'a session with an opaque token': async () => {
        const { token, person } = await personToken(server, opaqueAudience);
        const [session] = await server.core.sessions.list(person.subject);
        return { path: '/at/opaque', bearer: token, end: () => server.core.sessions.end(session?.uid ?? '', {}) };
      },
      'a person with a JWT': async () => {
        const { token, person } = await personToken(server);
        return { path: '/at/oauth', bearer: token, end: () => server.core.sessions.endAll(person.subject) };
      },
    };
    for (const [name, build] of Object.entries(ends)) {
      const { path, bearer, end } = await build();
      expect([name, (await call(server, { path, bearer })).status]).toEqual([name, 200]);
      await end();
      expect([name, (await call(server, { path, bearer })).status]).toEqual([name, 401]);
    }
  });

  test('what has ended on another node is refused within a second', async () => {
    const other: TestServer = await storage.join(server);
    const { token } = await apiSessionToken(server, 'identity');
    expect((await call(server, { path: '/at/identity', bearer: token })).status).toBe(200);
    await other.core.apiSessions.endByToken('identity', token, caller);
    await eventually(
      'refused',
      async () => (await call(server, { path: '/at/identity', bearer: token })).status === 401,
      1_000,
    );
  });

  test('expired: refused, and told so', async () => {
    for (const kind of ['oauth', 'opaque', 'identity'] as const) {
      const bearer = await credential(kind);
      travel(3_700);
      const answer = await call(server, { path: `/at/${kind}`, bearer });
      expect([kind, answer.status, JSON.parse(answer.text).error_description]).toEqual([
        kind,
        401,
        'the token has expired',
      ]);
      comeBack();
    }
  });

  test('no token stands in the log', async () => {
    const bearer = await credential('tinyoauth');
    await call(server, { path: `/at/tinyoauth?access_token=${bearer}`, bearer });
    await call(server, { path: '/at/identity', bearer });
    expect(server.logged.join('\n')).not.toContain(bearer.slice(-40));
  });
});

describePostgres('a database that is away', () => {
  test('is 503: the gateway cannot know whether the token holds', async () => {
    const database = await freshPostgres();
    const server = await startGateway(
      [
        { prefix: '/x', tokens: ['oauth'], audience },
        { prefix: '/live', tokens: ['oauth'], audience, upstream: 'http://127.0.0.1:1' },
      ],
      { DATABASE_URL: database.url },
    );
    const admin = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
    const name = new URL(database.url).pathname.slice(1);
    await admin.connect();
    try {
      const { token: bearer } = await personToken(server);
      await admin.query(`alter database ${name} allow_connections false`);
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      const asked = { 'x-original-method': 'GET', 'x-original-uri': '/x' };
      for (const made of [{ path: '/x' }, { path: '/gateway/verify', headers: asked }]) {
        const answer = await call(server, { ...made, bearer });
        expect([answer.status, JSON.parse(answer.text).error, answer.headers['retry-after']]).toEqual([
          503,
          'temporarily_unavailable',
          '1',
        ]);
      }
      // Who has no token is refused all the same.
      expect((await call(server, { path: '/x' })).status).toBe(401);
      await admin.query(`alter database ${name} allow_connections true`);
      await eventually('back', async () => (await call(server, { path: '/x', bearer })).status === 502);
    } finally {
      await admin.query(`alter database ${name} allow_connections true`);
      await admin.end();
      await server.close();
      await database.drop();
    }
  });
});

describe('the order of the checks', () => {
  let service: Service;
  let server: Gateway;
  let read: string;
  beforeAll(async () => {
    service = await openService();
    server = await startGateway([
      { prefix: '/notes', methods: ['GET'], tokens: ['oauth'], audience, scopes: ['read'], upstream: service.url },
      { prefix: '/notes', methods: ['PUT'], tokens: ['oauth'], audience, scopes: ['write'], upstream: service.url },
      { prefix: '/nothing', tokens: ['oauth', 'tinyoauth'], audience, scopes: ['write'] },
      { prefix: '/small', tokens: ['oauth'], audience, upstream: service.url, maxBody: 10 },
    ]);
    read = await machineToken(server);
  });
  afterAll(async () => {
    await server.close();
    await service.close();
  });

  const expectRefusal = (answer: Awaited<ReturnType<typeof call>>, status: number, error: string) => {
    const body = JSON.parse(answer.text);
    expect([answer.status, body.error, answer.headers['cache-control']]).toEqual([status, error, 'no-store']);
    expect(Object.keys(body)).toEqual(['error', 'error_description', 'reference']);
    expect(body.reference).toBe(answer.headers['x-request-id']);
  };

  test('without a token 401, whatever the method, the body and the upstream', async () => {
    for (const { method, path } of [
      { method: 'GET', path: '/notes' },
      { method: 'DELETE', path: '/notes/1' },
      { method: 'TRACE', path: '/notes' },
      { method: 'GET', path: '/nothing' },
    ]) {
      const answer = await call(server, { method, path });
      expectRefusal(answer, 401, 'unauthorized');
      const scope = path === '/nothing' ? 'write' : method === 'GET' ? 'read' : undefined;
      expect(answer.headers.allow).toBeUndefined();
      // For a method that no route takes, the first route of the prefix decides.
      expect(answer.headers['www-authenticate']).toBe(
        `Bearer realm="gatehouse", scope="${scope ?? 'read'}", resource_metadata="${server.url}/.well-known/oauth-protected-resource${path === '/nothing' ? path : '/notes'}"`,
      );
    }
    const large = await call(server, { method: 'POST', path: '/small', body: 'x'.repeat(100) });
    expectRefusal(large, 401, 'unauthorized');
  });

  test('a bad token 401 with the reason', async () => {
    const header = { alg: 'none', typ: 'at+jwt' };
    for (const bearer of [
      'x',
      'x.y.z',
      `${read}x`,
      'x'.repeat(9000),
      jwt(header, {}, () => ''),
      jwt({ alg: 'ES256', typ: 5 }, {}, () => ''),
    ]) {
      const answer = await call(server, { path: '/notes', bearer });
      expectRefusal(answer, 401, 'invalid_token');
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    }
    for (const authorization of ['Bearer', 'Bearer  ', 'Bearer a b', 'Bearer %%%']) {
      const answer = await call(server, { path: '/notes', headers: { authorization } });
      expectRefusal(answer, 400, 'invalid_request');
      expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
    }
    for (const authorization of ['DPoP', 'DPoP a b'])
      expectRefusal(await call(server, { path: '/notes', headers: { authorization } }), 400, 'invalid_request');
    expectRefusal(await call(server, { path: '/notes', headers: { authorization: 'DPoP x' } }), 401, 'invalid_token');
    const basic = await call(server, { path: '/notes', headers: { authorization: 'Basic YTpi' } });
    expectRefusal(basic, 401, 'unauthorized');
  });

  test('a scope that is missing 403, before the method', async () => {
    const put = await call(server, { method: 'PUT', path: '/notes', bearer: read, body: 'x' });
    expectRefusal(put, 403, 'insufficient_scope');
    expect(put.headers['www-authenticate']).toBe(
      `Bearer realm="gatehouse", error="insufficient_scope", scope="write", resource_metadata="${server.url}/.well-known/oauth-protected-resource/notes"`,
    );
    const write = await machineToken(server, 'write');
    expect((await call(server, { method: 'PUT', path: '/notes', bearer: write, body: 'x' })).status).toBe(200);
    expectRefusal(await call(server, { path: '/notes', bearer: write }), 403, 'insufficient_scope');
    // For a method that no route of this prefix takes, the first of them decides.
    expectRefusal(await call(server, { method: 'DELETE', path: '/notes', bearer: write }), 403, 'insufficient_scope');
  });

  test('scopes are asked of OAuth tokens only', async () => {
    expectRefusal(await call(server, { path: '/nothing', bearer: read }), 403, 'insufficient_scope');
    const { token } = await apiSessionToken(server, 'tinyoauth');
    expectRefusal(await call(server, { path: '/nothing', bearer: token }), 502, 'bad_gateway');
  });

  test('another method 405 with what the prefix takes', async () => {
    const answer = await call(server, { method: 'DELETE', path: '/notes', bearer: read });
    expectRefusal(answer, 405, 'method_not_allowed');
    expect(answer.headers.allow).toBe('GET, HEAD, PUT');
    expect((await call(server, { method: 'HEAD', path: '/notes', bearer: read })).status).toBe(200);
    const trace = await call(server, { method: 'TRACE', path: '/small', bearer: read });
    expectRefusal(trace, 405, 'method_not_allowed');
  });

  test('then a body that is too large 413, and at last the upstream', async () => {
    const large = await call(server, { method: 'POST', path: '/small', bearer: read, body: 'x'.repeat(11) });
    expectRefusal(large, 413, 'payload_too_large');
    expect((await call(server, { method: 'POST', path: '/small', bearer: read, body: 'x'.repeat(10) })).status).toBe(
      200,
    );
    expect(service.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });
});

describe('tricks with the path', () => {
  let open: Service;
  let secret: Service;
  let server: Gateway;
  let bearer: string;
  beforeAll(async () => {
    open = await openService((req, res) => res.end(`open ${req.url}`));
    secret = await openService((_req, res) => res.end('secret'));
    server = await startGateway([
      { prefix: '/files', tokens: ['oauth'], audience, upstream: open.url },
      { prefix: '/files/secret', tokens: ['oauth'], audience, scopes: ['write'], upstream: secret.url },
      { prefix: '/cut', tokens: ['oauth'], audience, upstream: `${open.url}/base`, stripPrefix: true },
    ]);
    bearer = await machineToken(server);
  });
  afterAll(async () => {
    await server.close();
    await open.close();
    await secret.close();
  });

  const get = (path: string) => call(server, { path, bearer });

  test.each([
    '/files/../files/secret',
    '/files/./secret',
    '/files//secret',
    '//files/secret',
    '/files/%73ecret',
    '/files/secre%74',
    '/files/%2e%2e/secret',
    '/files/%2E%2E/secret',
    '/files/x/..%2fsecret',
    '/files%2fsecret',
    '/files/%2fsecret',
    '/files/x%5c..%5csecret',
    '/files/x\\..\\secret',
    '/files/;x/secret',
    '/files;/secret',
    '/files/secret;x=1',
    '/files/..;/files/secret',
    '/files/x%3b/../secret',
    '/files/%252e%252e/secret',
    '/files/SECRET',
    '/files/Secret/x',
    '/FILES/secret',
    '/files/secret%00',
    '/files/%c0%ae%c0%ae/secret',
    '/files/%ff',
    '/files/x%0d%0aHost:%20evil',
    '/files/%',
    '/files/%zz',
    '/files/"x"',
    '/files/{x}',
    '/filesecret',
    '/file',
    '/cut/../files/secret',
    '/cut//evil.example/x',
    '/cut/%2e%2e/x',
    `/files/${'a'.repeat(9000)}`,
  ])('%s is nothing', async (path) => {
    const before = [open.seen.length, secret.seen.length];
    const answer = await get(path);
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([404, 'not_found']);
    expect([open.seen.length, secret.seen.length]).toEqual(before);
  });

  test.each([
    ['/files', '/files'],
    ['/files/', '/files/'],
    ['/files/a.b/c~d/..e', '/files/a.b/c~d/..e'],
    ['/files/z%C3%BCrich%20x', '/files/z%C3%BCrich%20x'],
    ['/files/a@b:c,d=(e)', '/files/a@b:c,d=(e)'],
    ['/files/100%25', '/files/100%25'],
    ['/files/secrets', '/files/secrets'],
    ['/files?next=//evil/../x%2f&y=%00', '/files?next=//evil/../x%2f&y=%00'],
    ['/cut', '/base'],
    ['/cut/', '/base/'],
    ['/cut?x', '/base?x'],
    ['/cut/files/secret', '/base/files/secret'],
  ])('%s reaches the upstream as %s', async (path, expected) => {
    const answer = await get(path);
    expect([answer.status, answer.text]).toEqual([200, `open ${expected}`]);
  });

  test('the longer prefix has its own rules', async () => {
    expect((await get('/files/secret')).status).toBe(403);
    expect((await get('/files/secret/x')).status).toBe(403);
  });

  test('a query that may end elsewhere for the next parser is refused', async () => {
    const answer = await call(server, { path: '/files?x=1#y', bearer });
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([400, 'invalid_request']);
  });
});
