/** Keys and sector identifiers that clients name: fetched carefully, for the engine too. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { assertionClaims, assertionForm, comeBack, jwt, recorded, travel } from '../support/flow.ts';
import { type Canary, type Outside, startCanary, startOutside, startPlain } from '../support/outside.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const machine = {
  redirect_uris: [],
  scope: 'read',
  grant_types: ['client_credentials'],
  token_endpoint_auth_method: 'private_key_jwt',
};
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keySet = JSON.stringify({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'ES256' }],
});

describeStorages('keys and sector identifiers', (storage) => {
  let server: TestServer;
  let outside: Outside;
  let canary: Canary;
  beforeAll(async () => {
    outside = await startOutside();
    canary = await startCanary();
    server = await storage.start({ OUTBOUND_ALLOW: '127.0.0.2' }, outside.network);
    await server.core.apis.add({
      identifier: 'https://api.example.com',
      name: 'An API',
      scopes: [{ name: 'read', sentence: 'Read.' }],
    });
  });
  afterEach(comeBack);
  afterAll(async () => {
    await server.close();
    await canary.close();
    await outside.close();
  });

  async function authenticate(client: { id: string }) {
    const assertion = jwt({ alg: 'ES256', kid: 'k' }, assertionClaims(server, client), privateKey);
    const form = {
      grant_type: 'client_credentials',
      scope: 'read',
      resource: 'https://api.example.com',
      ...assertionForm(assertion),
    };
    const response = await fetch(`${server.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    const body = (await response.json()) as Record<string, unknown>;
    return {
      status: response.status,
      body,
      record: response.status === 200 ? undefined : await recorded(server, { body }),
    };
  }
  const keyed = (jwks_uri: string) => buildClient(server, { ...machine, jwks_uri });

  test('keys come from a public address, are read once and kept', async () => {
    const { url, requests } = outside.serve('keys.example', (_req, res) => void res.end(keySet));
    const client = await keyed(`${url}/jwks`);
    expect((await authenticate(client)).status).toBe(200);
    expect((await authenticate(client)).status).toBe(200);
    expect(requests).toEqual(['GET /jwks']);
  });

  test('E6: jwks_uri: no connection to loopback by address, by name, by redirect or by a second resolution', async () => {
    const { url: moved } = outside.serve('moved.example', (_req, res) => {
      res.writeHead(302, { location: `https://127.0.0.1:${canary.port}/jwks` }).end();
    });
    outside.name('inward.example', ['127.0.0.1']);
    outside.serve('rebound.example', (_req, res) => void res.writeHead(500).end());
    outside.name('rebound.example', ['93.184.215.14'], ['127.0.0.1']);
    const reasons: Record<string, unknown> = {};
    for (const uri of [
      `https://127.0.0.1:${canary.port}/jwks`,
      `http://localhost:${canary.port}/jwks`,
      `https://[::1]:${canary.port}/jwks`,
      `https://[::ffff:7f00:1]:${canary.port}/jwks`,
      `https://inward.example:${canary.port}/jwks`,
      `${moved}/jwks`,
    ]) {
      const { status, record } = await authenticate(await keyed(uri));
      expect([uri, status, record?.check]).toEqual([uri, 401, 'client_keys_unavailable']);
      reasons[uri] = record?.received;
    }
    expect(Object.values(reasons)).toEqual([
      expect.stringMatching(/not public/),
      expect.anything(),
      expect.stringMatching(/not public/),
      expect.stringMatching(/not public/),
      expect.stringMatching(/resolves to an address that is not public/),
      expect.stringMatching(/redirect/),
    ]);
    const rebound = await keyed('https://rebound.example/jwks');
    expect((await authenticate(rebound)).record?.received).toMatch(/status 500/);
    // The engine asks once a minute.
    travel(120);
    expect((await authenticate(rebound)).record?.received).toMatch(/not public/);
    expect(canary.seen()).toBe(0);
  });

  test('E6: jwks_uri: a long or slow answer is over within three seconds, and the record says why', async () => {
    const { url } = outside.serve('large.example', (_req, res) => {
      res.setHeader('content-length', 10 * 1024 * 1024);
      res.write(Buffer.alloc(1024 * 1024));
    });
    expect((await authenticate(await keyed(`${url}/jwks`))).record?.received).toBe(
      'The answer is longer than 65536 bytes.',
    );
    outside.serve('away.example', (_req, res) => void res.writeHead(500).end());
    const away = await authenticate(await keyed('https://away.example/jwks'));
    expect(away.record?.received).toBe('The address of the keys answered with status 500.');
  });

  test('OUTBOUND_ALLOW is for reviewed clients: an unreviewed one with the same address gets nothing', async () => {
    const plain = await startPlain((_req, res) => void res.end(keySet), '127.0.0.2');
    outside.name('internal.example', ['127.0.0.2']);
    // http is registered on loopback names only, so the rule for other names is the registration's.
    outside.name('localhost', ['127.0.0.2']);
    const reviewed = await keyed(`http://localhost:${plain.port}/jwks`);
    expect((await authenticate(reviewed)).status).toBe(200);
    const other = await keyed(`http://localhost:${plain.port}/jwks?2`);
    await server.app.clients.unreview(other.id);
    const refused = await authenticate(other);
    expect([refused.status, refused.record?.received]).toEqual([401, expect.stringMatching(/unreviewed client/)]);
    await plain.close();
  });

  test('E6: sector_identifier_uri is fetched at registration, carefully, and not when the client is used', async () => {
    const redirect = 'https://app.example.com/cb';
    const { url, requests } = outside.serve('sector.example', (_req, res) => void res.end(JSON.stringify([redirect])));
    const good = await buildClient(server, { redirect_uris: [redirect], sector_identifier_uri: `${url}/sector` });
    expect(requests).toEqual(['GET /sector']);
    await fetch(`${server.url}/oauth/authorize?client_id=${good.id}&response_type=code&scope=openid`, {
      redirect: 'manual',
    });
    expect(requests).toEqual(['GET /sector']);

    outside.name('inward.example', ['127.0.0.1']);
    for (const sector_identifier_uri of [
      `https://127.0.0.1:${canary.port}/`,
      `https://[::1]:${canary.port}/`,
      `https://inward.example:${canary.port}/`,
    ]) {
      const made = await server.app.clients.register(
        { redirect_uris: [redirect], sector_identifier_uri },
        { origin: 'person', owner: null },
      );
      expect(made).toMatchObject({
        outcome: 'invalid',
        description: expect.stringMatching(
          /^sector_identifier_uri cannot be fetched\. .*not public, which an unreviewed/,
        ),
      });
    }
    expect(canary.seen()).toBe(0);
  });
});
