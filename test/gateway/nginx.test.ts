/** A real nginx with the configuration of deploy/nginx-auth-request.conf, in front of a service. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWith } from '../support/describe-with.ts';
import { buildProofKey, proofOf, tokenWith } from '../support/dpop.ts';
import { freePort } from '../support/free-port.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { buildClient } from '../support/server.ts';
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

const deploy = join(import.meta.dirname, '../../deploy');

describeWith('nginx')('behind nginx', () => {
  let service: Service;
  let server: Gateway;
  let nginx: Nginx;
  let port: number;
  beforeAll(async () => {
    service = await openService((req, res) => res.end(JSON.stringify({ url: req.url, headers: req.headersDistinct })));
    const routes = [
      { prefix: '/notes', methods: ['GET', 'POST'], tokens: ['oauth'], audience, scopes: ['read'] },
      { prefix: '/mine', tokens: ['tinyoauth'] },
    ];
    server = await startGateway(routes, { GATEWAY_ORIGINS: 'https://api.example.com' });
    port = await freePort();
    const example = readFileSync(join(deploy, 'nginx-auth-request.conf'), 'utf8');
    const here = example
      // `localhost` may be the IPv6 address only.
      .replace('127.0.0.1:3000', `localhost:${server.port}`)
      .replace('127.0.0.1:8080', `127.0.0.1:${service.port}`)
      .replace('listen 8000', `listen 127.0.0.1:${port}`);
    nginx = await startNginx(here, port);
  });
  afterAll(async () => {
    await nginx.close();
    await server.close();
    await service.close();
  });

  const ask = (path: string, bearer?: string, more: Record<string, string> = {}, method = 'GET') =>
    call(
      { port },
      {
        path,
        bearer,
        headers: { host: 'api.example.com', ...more },
        method,
        ...(method === 'POST' && { body: 'hello' }),
      },
    );

  test('a good token reaches the service as an identity, whatever the caller says of itself', async () => {
    const { token, person, client } = await personToken(server);
    const spoofed = {
      'x-gatehouse-subject': 'evil',
      'x-gatehouse-session': 'evil',
      'x-forwarded-uri': '/mine',
      'x-original-uri': '/mine',
    };
    for (const method of ['GET', 'POST']) {
      const answer = await ask('/notes/1?x=1', token, spoofed, method);
      expect(answer.status).toBe(200);
      const { url, headers } = JSON.parse(answer.text);
      expect(url).toBe('/notes/1?x=1');
      expect(headers['x-gatehouse-subject']).toEqual([person.subject]);
      expect(headers['x-gatehouse-username']).toEqual([person.username]);
      expect(headers['x-gatehouse-client']).toEqual([client.id]);
      expect([headers['x-gatehouse-session'], headers.authorization]).toEqual([undefined, undefined]);
    }
  });

  test('S14: what other proxies say of a caller does not come from the caller', async () => {
    const { token, session } = await apiSessionToken(server, 'tinyoauth');
    await expectNothingSpoofed(session.sid, (headers) => ask('/mine', token, headers));
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
    const lacking = await ask('/notes', await machineToken(server, 'write'));
    expect([lacking.status, lacking.headers['www-authenticate']]).toEqual([
      403,
      'Bearer realm="gatehouse", error="insufficient_scope", scope="read"',
    ]);
    const challenges = ({ rawHeaders }: typeof anonymous) => rawHeaders.filter((each) => /^www-auth/i.test(each));
    expect([challenges(anonymous).length, challenges(lacking).length]).toEqual([1, 1]);
    expect((await ask('/notes', bearer, {}, 'DELETE')).status).toBe(403);
    expect((await ask('/nothing', bearer)).status).toBe(403);
    // nginx itself would pass this on as /mine.
    expect((await ask('/notes/%2e%2e/mine', bearer)).status).toBe(403);
    expect((await ask('//mine', bearer)).status).toBe(403);
    expect(service.seen.length).toBe(before);
    expect(nginx.errors()).not.toMatch(/unexpected status/);
  });

  test('a bound token needs a proof for the address at nginx; a 401 carries the nonce; the service sees no proof', async () => {
    const key = buildProofKey();
    const client = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'], scope: 'read' });
    const form = { grant_type: 'client_credentials', resource: audience, scope: 'read' };
    const issued = await tokenWith(server, client, form, proofOf(key, { url: `${server.url}/oauth/token` }));
    const accessToken = issued.body.access_token ?? '';
    const shown = (nonce?: string, url = 'https://api.example.com/notes/1') => ({
      authorization: `DPoP ${accessToken}`,
      dpop: proofOf(key, { method: 'GET', url, accessToken, nonce }),
    });
    const wrong = await ask('/notes/1?x=1', undefined, shown('old'));
    expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([
      ...[401, expect.stringContaining('error="use_dpop_nonce"')],
    ]);
    const nonce = String(wrong.headers['dpop-nonce']);
    const good = await ask('/notes/1?x=1', undefined, shown(nonce));
    expect([good.status, good.headers['dpop-nonce']]).toEqual([200, nonce]);
    const { headers } = JSON.parse(good.text);
    expect([headers.dpop, headers.authorization, headers['x-gatehouse-client']]).toEqual([
      ...[undefined, undefined, [client.id]],
    ]);
    expect((await ask('/notes/1', undefined, shown(nonce, 'https://other.example.com/notes/1'))).status).toBe(401);
  });

  test('an ended session is refused', async () => {
    const { token } = await apiSessionToken(server, 'tinyoauth');
    expect((await ask('/mine', token)).status).toBe(200);
    await server.core.apiSessions.endByToken('tinyoauth', token, caller);
    expect((await ask('/mine', token)).status).toBe(401);
  });
});

test('the route table that is given as an example is a good one', async () => {
  const { readRoutes } = await import('../../src/gateway/read-routes.ts');
  const read = await readRoutes(join(deploy, 'gateway-routes.yaml'));
  expect(read.outcome === 'read' ? read.routes.map(({ prefix }) => prefix) : read.text).toEqual([
    '/reports',
    '/reports',
    '/notes',
    '/write-data',
  ]);
});
