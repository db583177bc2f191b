/** Alive, ready, metrics, drain: what an operator's machines ask. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { token } from '../support/agent.ts';
import { eventually } from '../support/redis-server.ts';
import { adminKey, buildClient, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers });

describe('E8: health tells a stranger nothing', () => {
  test.each([
    ['/healthz', { status: 'alive' }],
    ['/readyz', { status: 'ready' }],
  ])('%s', async (path, body) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual(body);
  });

  test.each([
    ['nobody', {}],
    ['a wrong key', { authorization: 'Bearer wrong' }],
    ['the key under another scheme', { authorization: `Basic ${adminKey}` }],
    ['the key in its other header', { 'x-admin-key': adminKey }],
  ])('/metrics is not for %s', async (_name, headers) => {
    const response = await get('/metrics', headers as Record<string, string>);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.text()).not.toContain('gatehouse_');
  });

  test('/metrics with the admin key counts what happened', async () => {
    const client = await buildClient(server, {
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    });
    const count = async () => {
      const text = await (await get('/metrics', { authorization: `Bearer ${adminKey}` })).text();
      return Number(/gatehouse_tokens_issued_total\{grant_type="client_credentials"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await count();
    await token(server, client, { grant_type: 'client_credentials' });
    expect(await count()).toBe(before + 1);
  });
});

test('an unknown method at a known address: 405 with Allow; an unknown address: 404; each as JSON and as a page', async () => {
  const wrong = await fetch(`${server.url}/healthz`, { method: 'DELETE' });
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get('allow')).toContain('GET');
  expect(await wrong.json()).toMatchObject({ error: 'method_not_allowed' });
  const unknown = await get('/healthz/');
  expect(unknown.status).toBe(404);
  expect(await unknown.json()).toMatchObject({ error: 'not_found' });
  const page = await get('/HEALTHZ', { accept: 'text/html' });
  expect(page.status).toBe(404);
  expect(page.headers.get('content-type')).toContain('text/html');
});

test('a server on its way out finishes what it has begun, says so, and takes nothing new', async () => {
  const leaving = await startServer();
  const client = await buildClient(leaving, {
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
  });
  // A request whose body has not come yet: under way when the server is told to stop.
  const body = 'grant_type=client_credentials';
  const headers = {
    authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(body.length),
    expect: '100-continue',
  };
  const slow = request(`${leaving.url}/oauth/token`, { method: 'POST', headers });
  const answer = new Promise<{ status: number | undefined }>((resolve, reject) => {
    slow.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode });
    });
    slow.on('error', reject);
  });
  const arrived = new Promise((resolve) => slow.once('continue', resolve));
  slow.flushHeaders();
  await arrived;
  const closed = leaving.app.close(25);
  await eventually('nothing new is taken', () =>
    fetch(`${leaving.url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  slow.end(body);
  expect(await answer).toEqual({ status: 200 });
  await closed;
});
