/** Logos of clients come from this server's own address, fetched carefully. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { comeBack, travel } from '../support/flow.ts';
import { type Canary, type Outside, startCanary, startOutside, startPlain } from '../support/outside.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let outside: Outside;
let canary: Canary;
const png = Buffer.from('89504e470d0a1a0a', 'hex');
beforeAll(async () => {
  outside = await startOutside();
  canary = await startCanary();
  server = await startServer({ env: { OUTBOUND_ALLOW: '127.0.0.2' }, network: outside.network });
});
afterEach(comeBack);
afterAll(async () => {
  await server.close();
  await canary.close();
  await outside.close();
});

const logoOf = (id: string) => fetch(`${server.url}/client-logo?${new URLSearchParams({ client_id: id })}`);

function picture(host: string, body: Buffer | string = png, type = 'image/png') {
  return outside.serve(host, (_req, res) => {
    res.writeHead(200, { 'content-type': type }).end(body);
  });
}

test('a page shows the logo from this server, and no address of the client', async () => {
  const { url, requests } = picture('brand.example');
  const client = await buildClient(server, { logo_uri: `${url}/logo.png` });
  const page = await new Agent(server).go(
    `/oauth/authorize?${new URLSearchParams({ client_id: client.id, response_type: 'code', scope: 'openid' })}`,
  );
  expect(page.text).not.toContain('brand.example/logo.png');
  const address = /<img src="(\/client-logo[^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  expect(address).toMatch(/^\/client-logo\?client_id=/);
  const shown = await fetch(server.url + address);
  expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/png']);
  expect(Buffer.from(await shown.arrayBuffer())).toEqual(png);
  expect(shown.headers.get('x-content-type-options')).toBe('nosniff');
  expect(shown.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
  expect(shown.headers.get('cache-control')).toBe('public, max-age=3600');
  await Promise.all(Array.from({ length: 20 }, () => fetch(server.url + address)));
  expect(requests).toEqual(['GET /logo.png']);
  travel(4000);
  await fetch(server.url + address);
  expect(requests).toHaveLength(2);
});

test('S11: no page shows the logo of an unreviewed client', async () => {
  picture('posing.example');
  const metadata = { client_name: 'Bookshelf', logo_uri: 'https://posing.example/logo.png' };
  const client = await buildClient(server, metadata, 'person');
  const address = `/oauth/authorize?${new URLSearchParams({ client_id: client.id, response_type: 'code', scope: 'openid' })}`;
  const before = (await new Agent(server).go(address)).text;
  expect(before).toContain('Bookshelf');
  expect(before).not.toContain('/client-logo?');
  await server.app.clients.review(client.id);
  expect((await new Agent(server).go(address)).text).toContain('/client-logo?');
});

test('concurrent requests share one fetch', async () => {
  const { url, requests } = picture('shared.example');
  const client = await buildClient(server, { logo_uri: `${url}/logo.png` });
  const all = await Promise.all(Array.from({ length: 20 }, () => logoOf(client.id)));
  expect(all.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(requests).toHaveLength(1);
});

test('what is no picture is no logo: other types, errors, too much, no client', async () => {
  picture('html.example', '<script>alert(1)</script>', 'text/html');
  picture('large.example', Buffer.alloc(300_000), 'image/png');
  outside.serve('gone.example', (_req, res) => void res.writeHead(404, { 'content-type': 'image/png' }).end(png));
  for (const host of ['html.example', 'large.example', 'gone.example']) {
    const client = await buildClient(server, { logo_uri: `https://${host}/logo` });
    const answer = await logoOf(client.id);
    expect([host, answer.status]).toEqual([host, 404]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  }
  const plain = await buildClient(server);
  for (const id of [plain.id, 'no-such-client', '', 'https://agent.example/client.json', '\0'])
    expect([id, (await logoOf(id)).status]).toEqual([id, 404]);
});

test('E6: logo: no connection to loopback by address, by name or by redirect, and OUTBOUND_ALLOW is for reviewed clients', async () => {
  outside.serve('moved.example', (_req, res) => {
    res.writeHead(302, { location: `https://127.0.0.1:${canary.port}/logo` }).end();
  });
  outside.name('inward.example', ['127.0.0.1']);
  for (const logo_uri of [
    `https://127.0.0.1:${canary.port}/logo`,
    `http://localhost:${canary.port}/logo`,
    `https://[::1]:${canary.port}/logo`,
    `https://[::ffff:7f00:1]:${canary.port}/logo`,
    `https://inward.example:${canary.port}/logo`,
    'https://moved.example/logo',
  ]) {
    const client = await buildClient(server, { logo_uri });
    expect([logo_uri, (await logoOf(client.id)).status]).toEqual([logo_uri, 404]);
  }
  expect(canary.seen()).toBe(0);

  const inside = await startPlain(
    (_req, res) => void res.writeHead(200, { 'content-type': 'image/png' }).end(png),
    '127.0.0.2',
  );
  outside.name('localhost', ['127.0.0.2']);
  const client = await buildClient(server, { logo_uri: `http://localhost:${inside.port}/logo` });
  expect((await logoOf(client.id)).status).toBe(200);
  await server.app.clients.unreview(client.id);
  expect((await logoOf(client.id)).status).toBe(404);
  await inside.close();
});
