/** private_key_jwt (RFC 7523): which assertions are believed, and that each is believed once. */
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { assertionClaims, assertionForm, type Claims, jwt, recorded } from '../support/flow.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://api.example.com';
const machine = { redirect_uris: [], grant_types: ['client_credentials'], scope: 'read' };
const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicJwk = (key: KeyObject, kid: string) => ({
  ...key.export({ format: 'jwk' }),
  alg: 'ES256',
  use: 'sig',
  kid,
});

describeStorages('private_key_jwt', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    await server.core.apis.add({ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }] });
  });
  afterAll(() => server.close());

  async function post(form: Record<string, string>) {
    const response = await fetch(`${server.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    const body = JSON.parse(await response.text());
    return { status: response.status, error: body.error, body };
  }

  async function keyed(count = 1) {
    const keys = Array.from({ length: count }, pair);
    const jwks = { keys: keys.map(({ publicKey }, i) => publicJwk(publicKey, `k${i}`)) };
    const client = await buildClient(server, { ...machine, token_endpoint_auth_method: 'private_key_jwt', jwks });
    const key = keys[0]?.privateKey;
    if (!key) throw new Error('no key');
    return { client, key, publicKey: keys[0]?.publicKey };
  }
  const present = (assertion: string, id?: string) =>
    post({
      grant_type: 'client_credentials',
      scope: 'read',
      resource: api,
      ...(id ? { client_id: id } : {}),
      ...assertionForm(assertion),
    });

  test('C7: a good assertion is good once, also of 20 at once, after a restart and on another node', async () => {
    const { client, key } = await keyed();
    const header = { alg: 'ES256', kid: 'k0' };
    const once = jwt(header, assertionClaims(server, client), key);
    const statuses = (await Promise.all(Array.from({ length: 20 }, () => present(once)))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, ...Array<number>(19).fill(401)]);
    const again = await present(once);
    expect(again.error).toBe('invalid_client');
    expect(await recorded(server, again)).toMatchObject({
      ...{ check: 'client_assertion', received: 'a jti that was used before' },
    });
    server = await server.restart();
    expect((await present(once)).error).toBe('invalid_client');
    const node = await storage.join(server);
    const there = await fetch(`${node.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', ...assertionForm(once) }),
    });
    expect(there.status).toBe(401);
    expect((await present(jwt(header, assertionClaims(server, client), key))).status).toBe(200);
  });

  test('C7: aud may be the issuer or the token endpoint, as one string', async () => {
    const { client, key } = await keyed();
    const by = async (change: Claims) =>
      present(jwt({ alg: 'ES256' }, { ...assertionClaims(server, client), ...change }, key));
    expect((await by({ aud: server.url })).status).toBe(200);
    expect((await by({ aud: `${server.url}/oauth/token` })).status).toBe(200);
  });

  test('C7: everything else is invalid_client', async () => {
    const { client, key, publicKey } = await keyed();
    const other = await keyed();
    const two = await keyed(2);
    const now = nowSeconds();
    const claims = (change: Claims = {}) =>
      JSON.parse(JSON.stringify({ ...assertionClaims(server, client), ...change })) as Claims;
    const signed = (change: Claims) => jwt({ alg: 'ES256', kid: 'k0' }, claims(change), key);
    const hs256 = (secret: Buffer | string) =>
      jwt({ alg: 'HS256', kid: 'k0' }, claims(), (input) => createHmac('sha256', secret).update(input).digest());
    const assertions: Record<string, string> = {
      'aud of another': signed({ aud: 'https://other.example.com' }),
      'aud with a trailing slash': signed({ aud: `${server.url}/` }),
      'aud as a list': signed({ aud: [server.url] }),
      'aud of several': signed({ aud: [server.url, 'https://other.example.com'] }),
      'no aud': signed({ aud: undefined }),
      'exp in the past': signed({ exp: now - 16 }),
      'exp too far ahead': signed({ exp: now + 660 }),
      'no exp': signed({ exp: undefined }),
      'exp as text': signed({ exp: String(now + 60) }),
      'nbf ahead': signed({ nbf: now + 61 }),
      'iat ahead': signed({ iat: now + 120 }),
      'no sub': signed({ sub: undefined }),
      'no iss': signed({ iss: undefined }),
      'iss of another': signed({ iss: other.client.id }),
      'sub of another': signed({ sub: other.client.id }),
      'no jti': signed({ jti: undefined }),
      'alg none': jwt({ alg: 'none', kid: 'k0' }, claims(), () => ''),
      'HS256 with the public key as PEM': hs256(publicKey?.export({ format: 'pem', type: 'spki' }) ?? ''),
      'HS256 with the public key as DER': hs256(publicKey?.export({ format: 'der', type: 'spki' }) ?? ''),
      'HS256 with the public key as JWK': hs256(JSON.stringify(publicKey?.export({ format: 'jwk' }))),
      'the key of another client': jwt({ alg: 'ES256', kid: 'k0' }, claims(), other.key),
      'an unknown kid': jwt({ alg: 'ES256', kid: 'x' }, claims(), pair().privateKey),
      'no kid with two keys': jwt({ alg: 'ES256' }, { ...claims(), iss: two.client.id, sub: two.client.id }, two.key),
      'a key in the header': jwt(
        { alg: 'ES256', jwk: publicKey?.export({ format: 'jwk' }) },
        claims(),
        pair().privateKey,
      ),
      garbage: 'a.b.c',
      empty: '..',
    };
    for (const [name, assertion] of Object.entries(assertions)) {
      const { status, error } = await present(
        assertion,
        name === 'no sub' || name === 'no iss' ? client.id : undefined,
      );
      const expected = ['garbage', 'empty', 'no sub', 'no iss'].includes(name)
        ? expect.stringMatching(/^invalid_(client|request)$/)
        : 'invalid_client';
      expect({ name, status: status === 400 || status === 401, error }).toEqual({
        name,
        status: true,
        error: expected,
      });
    }
    expect((await present(jwt({ alg: 'ES256' }, claims(), key), other.client.id)).status).toBeGreaterThanOrEqual(400);
  });

  test('C7: its secret is no way in for a client with keys, and an assertion none for a client with a secret', async () => {
    const { client } = await keyed();
    const secretive = await buildClient(server, machine);
    expect(
      (await post({ grant_type: 'client_credentials', client_id: client.id, client_secret: 'x'.repeat(43) })).error,
    ).toBe('invalid_client');
    expect((await present(jwt({ alg: 'ES256' }, assertionClaims(server, secretive), pair().privateKey))).error).toBe(
      'invalid_client',
    );
  });
});
