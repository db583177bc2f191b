/**
 * Requests that once made the server say 500, write to its log, or cut a client off. `npm run hostile` looks for more.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { codeFor, raw, statusOf } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { adminKey, buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('requests of strangers', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());

  test.each([
    'GET http://[ HTTP/1.1',
    'GET http://evil.example/healthz HTTP/1.1',
    'POST http://evil.example/oauth/token HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'GET /user/info#x HTTP/1.1',
    'POST /user\\info#x HTTP/1.1',
  ])('%s: an address that is not a path is not found', async (line) => {
    const answer = await raw(server, `${line}\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    expect(statusOf(answer)).toBe(404);
  });

  test.each(['/oauth/token', '/oauth/userinfo', '/oauth/jwks', '/.well-known/openid-configuration'])(
    'OPTIONS %s, without what makes it a preflight, says the methods',
    async (path) => {
      const { status, headers } = await fetch(server.url + path, { method: 'OPTIONS' });
      expect([status, headers.get('allow')]).toEqual([204, expect.stringContaining('OPTIONS')]);
    },
  );

  test('a scope that could not stand in a header is no question for the gateway', async () => {
    const query = `tokens=oauth&audience=${server.url}/user&scope=%E2%80%8D`;
    const { status, headers } = await fetch(`${server.url}/gateway/verify/token?${query}`);
    expect([status, headers.get('x-gatehouse-reason')]).toEqual([403, 'bad_question']);
  });

  test('U+0000 in client_id of a browser that is signed in is an unknown client', async () => {
    const { agent } = await codeFor(server, await buildClient(server));
    const answer = await agent.go('/oauth/authorize?client_id=%00&response_type=code&prompt=none');
    expect(answer.status).toBe(400);
  });

  test('parameters beside an authorization that has gone are not taken for its own', async () => {
    const { id } = await buildClient(server);
    const answer = await new Agent(server).go(`/oauth/authorize/gone?client_id=${id}`);
    expect(answer.status).toBe(400);
  });

  describe('a client that goes away in the middle of its body is no failure', () => {
    test.each([
      ['/oauth/token', 'application/x-www-form-urlencoded'],
      ['/oauth/authorize', 'application/x-www-form-urlencoded'],
      ['/interaction/somebody', 'application/x-www-form-urlencoded'],
      ['/clients/register', 'application/json'],
    ])('%s', async (path, type) => {
      const before = server.logged.length;
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nX-Admin-Key: ${adminKey}\r\nContent-Type: ${type}\r\n`;
      const socket = connect(server.port, 'localhost');
      await new Promise((resolve) => socket.write(`${head}Content-Length: 100\r\n\r\nx=1`, resolve));
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.resetAndDestroy();
      await eventually('the server goes on', async () => (await fetch(`${server.url}/healthz`)).status === 200);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(server.logged.slice(before).filter((line) => /^\S+ (warn|error|fatal) |failed/.test(line))).toEqual([]);
    });
  });
});
