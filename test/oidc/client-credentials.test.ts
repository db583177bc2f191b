/** Tokens of a client's own, and the quality of every value that is handed out. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { token } from '../support/agent.ts';
import { claimsOf, headerOf, isActive, userApiTakes, userinfo } from '../support/flow.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';

const api = 'https://api.example.com';
const machine = { redirect_uris: [], grant_types: ['client_credentials'] };

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.core.apis.add({
    identifier: api,
    name: 'An API',
    scopes: [
      { name: 'read', sentence: 'Read.' },
      { name: 'write', sentence: 'Write.' },
    ],
  });
});
afterAll(() => server.close());

const own = (client: { id: string; secret?: string }, form: Record<string, string> = {}) =>
  token(server, client, { grant_type: 'client_credentials', ...form });

describe('C15: client_credentials', () => {
  test('C15: a scope that is unknown, of another API, or not registered for the client is invalid_scope', async () => {
    const client = await buildClient(server, { ...machine, scope: 'read' });
    const free = await buildClient(server, machine);
    for (const form of [
      { scope: 'write', resource: api },
      { scope: 'read write', resource: api },
      { scope: 'nonsense', resource: api },
      { scope: 'user' },
      { scope: 'write' },
    ]) {
      expect({ form, error: (await own(client, form)).body.error }).toEqual({ form, error: 'invalid_scope' });
    }
    expect((await own(free, { scope: 'read', resource: api })).body.error).toBe('invalid_scope');
    expect((await own(free, { scope: 'read' })).body.error).toBe('invalid_scope');
    expect((await own(client, { scope: 'read', resource: 'https://unknown.example.com' })).body.error).toBe(
      'invalid_target',
    );
  });

  test('C15: scopes that speak of a person are refused', async () => {
    const client = await buildClient(server, { ...machine, scope: 'openid offline_access profile email user read' });
    for (const scope of ['openid', 'offline_access', 'profile', 'email', 'openid read']) {
      for (const form of [{ scope }, { scope, resource: api }]) {
        expect({ form, error: (await own(client, form)).body.error }).toEqual({ form, error: 'invalid_scope' });
      }
    }
  });

  test('C15: a JWT for the API; no refresh token, no ID token, and a subject that can be no person’s', async () => {
    const client = await buildClient(server, { ...machine, scope: 'read user' });
    const { status, body } = await own(client, { scope: 'read', resource: api });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 600,
        scope: 'read',
      },
    });
    expect(headerOf(body.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    expect(claimsOf(body.access_token)).toMatchObject({
      iss: server.url,
      aud: api,
      client_id: client.id,
      sub: client.id,
      scope: 'read',
    });
    expect(await server.core.stores.accounts.bySubject(client.id)).toBeUndefined();
    expect((await userinfo(server, body.access_token)).status).toBe(401);
    expect(await userApiTakes(server, body.access_token)).toBe(false);
  });

  test('C15: a token of a client for the user API is no person’s token there', async () => {
    const client = await buildClient(server, { ...machine, scope: 'user' });
    const { body } = await own(client, { scope: 'user', resource: `${server.url}/user` });
    const verified = await server.core.tokens.verifyAccessToken(body.access_token ?? '', `${server.url}/user`);
    if (verified.outcome === 'valid') expect(verified.account).toBeUndefined();
    const info = await fetch(`${server.url}/user/info`, { headers: { authorization: `Bearer ${body.access_token}` } });
    expect(info.status).toBeGreaterThanOrEqual(400);
  });

  test('C15: without a resource the token is opaque, and userinfo refuses it', async () => {
    const client = await buildClient(server, machine);
    const { body } = await own(client);
    expect(body.access_token).toMatch(/^[\w-]{43}$/);
    expect(await isActive(server, client, body.access_token)).toBe(true);
    expect((await userinfo(server, body.access_token)).status).toBe(401);
  });
});

test('C18: of 10 000 values none repeats, none shares a beginning, and each holds at least 128 bits', async () => {
  const provider = server.app.protocol.provider();
  const ofKind = async (Model: { new (input: Record<string, never>): { generateTokenId?: () => string } }) => {
    const model = new Model({});
    if (typeof model.generateTokenId !== 'function') throw new Error('the engine makes its values another way');
    return Array.from({ length: 10_000 }, () => model.generateTokenId?.() ?? '');
  };
  const kinds = [
    provider.AccessToken,
    provider.RefreshToken,
    provider.AuthorizationCode,
    provider.Session,
    provider.Interaction,
    provider.Grant,
    provider.ClientCredentials,
  ];
  for (const Model of kinds) {
    const values = await ofKind(Model as unknown as Parameters<typeof ofKind>[0]);
    expectRandom(values);
  }
});

test('C18: what the server really hands out has that form: opaque tokens, client ids, secrets', async () => {
  const client = await buildClient(server, machine);
  const tokens = [];
  for (let i = 0; i < 200; i += 1) tokens.push((await own(client)).body.access_token ?? '');
  expectRandom(tokens);
  const clients = [];
  for (let i = 0; i < 50; i += 1) clients.push(await buildClient(server, machine));
  expectRandom(
    clients.map(({ id }) => id),
    false,
  );
  expectRandom(clients.map(({ secret }) => secret));
});

/** No repetition, no common beginning, every place uses the whole alphabet about evenly. */
function expectRandom(values: readonly string[], secret = true): void {
  expect(new Set(values).size).toBe(values.length);
  const length = values[0]?.length ?? 0;
  expect(length * 6).toBeGreaterThanOrEqual(128);
  if (secret) expect(length * 6).toBeGreaterThanOrEqual(125);
  expect(values.every((value) => value.length === length && /^[\w-]+$/.test(value))).toBe(true);
  if (values.length < 1000) {
    expect(new Set(values.map((value) => value.slice(0, 3))).size).toBeGreaterThan(values.length * 0.9);
    return;
  }
  let bits = 0;
  for (let place = 0; place < length; place += 1) {
    const counts = new Map<string, number>();
    for (const value of values) counts.set(value.charAt(place), (counts.get(value.charAt(place)) ?? 0) + 1);
    for (const count of counts.values()) bits -= (count / values.length) * Math.log2(count / values.length);
  }
  expect(bits).toBeGreaterThan(125);
}
