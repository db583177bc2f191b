/** What there is without a route table: in development the originals' flows whole, in production their first half. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type TestServer } from '../support/server.ts';
import { apiSessionToken, call, spaceGuardPair } from './world.ts';

describe('in development', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  test('/protected/resource reaches a service that says who has come', async () => {
    const { token, person } = await apiSessionToken(server, 'tinyoauth');
    const answer = await call(server, {
      method: 'POST',
      path: '/protected/resource?x=1',
      bearer: token,
      body: 'hello',
    });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      200,
      {
        service: 'sample upstream',
        method: 'POST',
        path: '/protected/resource?x=1',
        identity: {
          'x-gatehouse-token-kind': 'tinyoauth',
          'x-gatehouse-subject': person.subject,
          'x-gatehouse-username': person.username,
          'x-gatehouse-session': expect.any(String),
        },
      },
    ]);
    expect((await call(server, { path: '/protected/resource' })).status).toBe(401);
    expect((await call(server, { path: '/protected/other', bearer: token })).status).toBe(502);
    const { token: identity } = await apiSessionToken(server, 'identity');
    expect((await call(server, { path: '/protected/resource', bearer: identity })).status).toBe(401);
  });

  test('/write-data takes space guard’s pair, by POST', async () => {
    const { pair, client } = await spaceGuardPair(server);
    const authorization = `Bearer: ${pair}`;
    const answer = await call(server, {
      method: 'POST',
      path: '/write-data',
      headers: { authorization },
      body: '{"a":1}',
    });
    expect([answer.status, JSON.parse(answer.text).identity['x-gatehouse-client']]).toEqual([200, client.id]);
    expect((await call(server, { path: '/write-data', headers: { authorization } })).status).toBe(405);
    expect((await call(server, { method: 'POST', path: '/write-data' })).status).toBe(401);
  });
});

describe('in production', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ env: { NODE_ENV: 'production', SURFACES: 'all' } });
  });
  afterAll(() => server.close());

  test('/protected is 401 without a token and 502 with one; /write-data is not there', async () => {
    const { token } = await apiSessionToken(server, 'tinyoauth');
    for (const path of ['/protected', '/protected/', '/protected/resource']) {
      expect((await call(server, { path })).status).toBe(401);
      expect((await call(server, { path, bearer: token })).status).toBe(502);
    }
    expect((await call(server, { method: 'POST', path: '/write-data' })).status).toBe(404);
  });
});

test('without the surfaces their paths belong to no route', async () => {
  const server = await startServer({ env: { SURFACES: 'none' } });
  try {
    for (const path of ['/protected/resource', '/write-data']) {
      expect((await call(server, { method: 'POST', path })).status).toBe(404);
    }
  } finally {
    await server.close();
  }
});
