/** A real Caddy with deploy/Caddyfile, in front of a service. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCaddy } from '../support/caddy.ts';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import { expectNothingSpoofed } from './spoofed-headers.ts';
import {
  apiSessionToken,
  audience,
  call,
  caller,
  type Gateway,
  machineToken,
  openService,
  personToken,
  type Service,
  startGateway,
} from './world.ts';

describeWith('Caddy')('behind Caddy', () => {
  let service: Service;
  let server: Gateway;
  let caddy: Awaited<ReturnType<typeof startCaddy>>;
  let port: number;
  beforeAll(async () => {
    service = await openService((req, res) => res.end(JSON.stringify({ url: req.url, headers: req.headersDistinct })));
    server = await startGateway([
      { prefix: '/notes', methods: ['GET', 'POST'], tokens: ['oauth'], audience, scopes: ['read'] },
      { prefix: '/mine', tokens: ['tinyoauth'] },
    ]);
    port = await freePort();
    const example = readFileSync(join(import.meta.dirname, '../../deploy/Caddyfile'), 'utf8');
    const here = example
      .replace('\napi.example.com {', `\nhttp://127.0.0.1:${port} {`)
      .replace('forward_auth gatehouse:3000', `forward_auth localhost:${server.port}`)
      .replace('reverse_proxy service:8080', `reverse_proxy 127.0.0.1:${service.port}`);
    caddy = await startCaddy(here, port);
  });
  afterAll(async () => {
    await caddy?.close();
    await server?.close();
    await service?.close();
  });

  const ask = (path: string, bearer?: string, more: Record<string, string> = {}, method = 'GET') =>
    call(
      { port },
      {
        path,
        bearer,
        headers: { host: `127.0.0.1:${port}`, ...more },
        method,
        ...(method === 'POST' && { body: 'hello' }),
      },
    );
  /** What it has of a caller; a header without a value says as little as none. */
  const told = (headers: Record<string, string[]>) =>
    Object.fromEntries(
      Object.entries(headers).filter(([name, values]) => /gatehouse|original/i.test(name) && values.join('') !== ''),
    );

  test('a good token reaches the service as an identity, whatever the caller says of itself', async () => {
    const { token, person, client } = await personToken(server);
    const spoofed = {
      'x-gatehouse-subject': 'evil',
      'x-gatehouse-session': 'evil',
      'x-gatehouse-admin': 'evil',
      X_Gatehouse_Subject: 'evil',
      'X-Gatehouse_Session': 'evil',
      'X_gatehouse-Scope': 'evil',
      'x-forwarded-uri': '/mine',
      'x-forwarded-method': 'DELETE',
      'x-original-uri': '/mine',
      'x-original-method': 'DELETE',
      X_Original_URI: '/mine',
    };
    for (const method of ['GET', 'POST']) {
      const answer = await ask('/notes/1?x=1', token, spoofed, method);
      expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(/^\{/)]);
      const { url, headers } = JSON.parse(answer.text);
      expect(url).toBe('/notes/1?x=1');
      expect(told(headers)).toEqual({
        'x-gatehouse-token-kind': ['oauth'],
        'x-gatehouse-subject': [person.subject],
        'x-gatehouse-username': [person.username],
        'x-gatehouse-client': [client.id],
        'x-gatehouse-scope': ['read'],
      });
      expect(headers.authorization).toBe(undefined);
    }
  });

  test('S14: what other proxies say of a caller does not come from the caller', async () => {
    const { token, session } = await apiSessionToken(server, 'tinyoauth');
    await expectNothingSpoofed(session.sid, (headers) => ask('/mine', token, headers));
  });

  test('a query of the caller’s reaches the service and no question', async () => {
    const { token: mine, person, session } = await apiSessionToken(server, 'tinyoauth');
    const before = service.seen.length;
    for (const query of ['tokens=tinyoauth', 'tokens=tinyoauth&tokens=oauth', 'x=1', ''])
      expect([query, (await ask(`/notes?${query}`, mine)).status]).toEqual([query, 401]);
    expect(service.seen.length).toBe(before);
    const { url, headers } = JSON.parse((await ask('/mine?tokens=oauth', mine)).text);
    expect([url, told(headers)]).toEqual([
      '/mine?tokens=oauth',
      {
        'x-gatehouse-token-kind': ['tinyoauth'],
        'x-gatehouse-subject': [person.subject],
        'x-gatehouse-username': [person.username],
        'x-gatehouse-session': [session.sid],
      },
    ]);
  });

  test('401 and 403 are Gatehouse’s, and reach no service', async () => {
    const bearer = await machineToken(server);
    const before = service.seen.length;
    const anonymous = await ask('/notes');
    expect([anonymous.status, anonymous.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="gatehouse", scope="read"',
    ]);
    expect((await ask('/notes', 'nonsense')).headers['www-authenticate']).toContain('error="invalid_token"');
    expect((await ask('/mine', bearer)).status).toBe(401);
    expect((await ask('/notes', await machineToken(server, 'write'))).status).toBe(403);
    expect((await ask('/notes', bearer, {}, 'DELETE')).status).toBe(403);
    expect((await ask('/nothing', bearer)).status).toBe(403);
    expect((await ask('/notes/%2e%2e/mine', bearer)).status).toBe(403);
    expect((await ask('//mine', bearer)).status).toBe(403);
    expect(service.seen.length).toBe(before);
  });

  test('an ended session is refused', async () => {
    const { token } = await apiSessionToken(server, 'tinyoauth');
    expect((await ask('/mine', token)).status).toBe(200);
    await server.core.apiSessions.endByToken('tinyoauth', token, caller);
    expect((await ask('/mine', token)).status).toBe(401);
  });
});
