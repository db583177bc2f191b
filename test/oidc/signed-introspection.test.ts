/** Introspection responses as JWTs (RFC 9701). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { nowSeconds } from '../../src/base/clock.ts';
import { basic, token } from '../support/agent.ts';
import { ask, claimsOf, headerOf, tokensFor, userApiTakes, userinfo } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const type = 'application/token-introspection+jwt';
const typ = 'token-introspection+jwt';
const machine = { redirect_uris: [], grant_types: ['client_credentials'] };
type Client = { readonly id: string; readonly secret: string };

describeStorages('signed introspection', (storage) => {
  let server: TestServer;
  let other: TestServer;
  let plain: Client;
  let signed: Client;
  beforeAll(async () => {
    server = await storage.start();
    other = await storage.join(server);
    plain = await buildClient(server);
    signed = await buildClient(server, { ...machine, introspection_signed_response_alg: 'ES256' });
  });
  afterAll(() => server.close());

  async function asked(client: Client, value: string, accept?: string, at = server) {
    const response = await fetch(`${at.url}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: basic(client.id, client.secret), ...(accept !== undefined && { accept }) },
      body: new URLSearchParams({ token: value }),
    });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  }
  const verified = async (client: Client, jwt: string) => {
    const keys = createRemoteJWKSet(new URL(`${server.url}/oauth/jwks`));
    return (await jwtVerify(jwt, keys, { issuer: server.url, audience: client.id, typ })).payload;
  };

  test('a request that accepts the type gets what it would get as JSON, signed for the client that asks', async () => {
    const { body } = await tokensFor(server, plain, { scope: 'user' });
    for (const value of [body.access_token, body.refresh_token]) {
      const answer = await asked(plain, value ?? '', type);
      expect([answer.status, answer.type]).toEqual([200, type]);
      expect(headerOf(answer.text)).toMatchObject({ alg: 'RS256', typ });
      const payload = await verified(plain, answer.text);
      expect(Object.keys(payload).sort()).toEqual(['aud', 'iat', 'iss', 'token_introspection']);
      expect(Math.abs(Number(payload.iat) - nowSeconds())).toBeLessThan(60);
      expect(payload.token_introspection).toEqual((await ask(server, 'introspect', plain, value)).body);
      expect(payload.token_introspection).toMatchObject({ active: true, client_id: plain.id });
    }
  });

  test('a client that is registered for it gets nothing else, with its algorithm', async () => {
    const { body } = await token(server, signed, { grant_type: 'client_credentials' });
    for (const accept of [undefined, 'application/json', '*/*', type]) {
      const answer = await asked(signed, body.access_token ?? '', accept);
      expect([accept, answer.type, headerOf(answer.text)]).toEqual([
        accept,
        type,
        expect.objectContaining({ typ, alg: 'ES256' }),
      ]);
      expect((await verified(signed, answer.text)).token_introspection).toMatchObject({ active: true });
    }
  });

  test.each([
    ['*/*', false],
    ['application/json', false],
    [`${type};q=0`, false],
    [`application/json, ${type};q=0.5`, false],
    [`application/json;q=0.5, ${type}`, true],
    [`${type}, application/json`, true],
    [type.toUpperCase(), true],
    ['application/*', false],
    [`${type}x`, false],
    [`x${type}`, false],
    [`${type};q=abc`, false],
    [`${type};q=1;q=0`, true],
    [`,,;;q=,${'a/b,'.repeat(500)}`, false],
  ])('Accept: %s', async (accept, isJwt) => {
    const { status, type: told } = await asked(plain, 'x', accept);
    expect([status, told?.startsWith(type)]).toEqual([200, isJwt]);
  });

  test('an unknown, foreign or dead token is inactive; a refusal stays JSON', async () => {
    const { body } = await tokensFor(server, plain, { scope: 'user' });
    for (const [client, value] of [
      [plain, 'x'],
      [plain, 'a.b.c'],
      [signed, body.access_token ?? ''],
    ] as const) {
      const { text } = await asked(client, value, type);
      expect((await verified(client, text)).token_introspection).toEqual({ active: false });
    }
    for (const client of [
      { ...plain, secret: 'wrong' },
      { id: 'unknown', secret: 'x' },
    ]) {
      const answer = await asked(client, 'x', type);
      expect([answer.status, JSON.parse(answer.text).error]).toEqual([401, 'invalid_client']);
    }
    const missing = await asked(plain, '', type);
    expect([missing.status, JSON.parse(missing.text).error]).toEqual([400, 'invalid_request']);
  });

  test('the response is no token: nothing here takes it for one', async () => {
    const { body } = await tokensFor(server, plain, { scope: 'openid user' });
    const { text } = await asked(plain, body.access_token ?? '', type);
    expect((await userinfo(server, text)).status).toBe(401);
    expect(await userApiTakes(server, text)).toBe(false);
    expect((await ask(server, 'introspect', plain, text)).body).toEqual({ active: false });
  });

  test('a revoked token is inactive on every node within a second', async () => {
    const { body } = await tokensFor(server, plain, { scope: 'user' });
    const value = body.access_token ?? '';
    const isActive = async () => {
      const { text } = await asked(plain, value, type, other);
      return (claimsOf(text).token_introspection as { active: boolean }).active;
    };
    expect(await isActive()).toBe(true);
    await ask(server, 'revoke', plain, value);
    await eventually('the other node says so', async () => !(await isActive()));
  });

  test('only algorithms of this server can be registered, and discovery names them', async () => {
    const made = await server.app.clients.register(
      { client_name: 'X', ...machine, introspection_signed_response_alg: 'HS256' },
      { origin: 'admin', owner: null },
    );
    expect(made).toMatchObject({ outcome: 'invalid' });
    const discovery = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
    expect(discovery).toMatchObject({ introspection_signing_alg_values_supported: ['RS256', 'ES256'] });
  });
});
