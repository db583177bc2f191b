/** From whom PKCE is due, and which clients are listed because they send neither PKCE nor a nonce. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, codeOf, pkce, token } from '../support/agent.ts';
import { call } from '../support/call.ts';
import { comeBack, redeem, travel } from '../support/flow.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const callback = 'https://app.example.com/cb';

async function errorOf(server: TestServer, client_id: string, more: Record<string, string> = {}) {
  const query = new URLSearchParams({
    client_id,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: callback,
    ...more,
  });
  const { status, location = '' } = await new Agent(server).go(`/oauth/authorize?${query}`, { follow: false });
  const params = location.startsWith(more.redirect_uri ?? callback) ? new URL(location).searchParams : undefined;
  return status === 303
    ? `${params?.get('error') ?? 'goes on'} ${params?.get('error_description') ?? ''}`.trim()
    : 'a page';
}

describe('the rule', () => {
  const missing = 'invalid_request Authorization Server policy requires PKCE to be used for this request';
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  test('a confidential client of an operator may leave PKCE out, whichever way it was made', async () => {
    for (const origin of ['admin', 'register'] as const)
      expect(await errorOf(server, (await buildClient(server, {}, origin)).id)).toBe('goes on');
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example.com/jwks' };
    expect(await errorOf(server, (await buildClient(server, keys)).id)).toBe('goes on');
    // A redirect URI that makes it native changes nothing: the code is worth nothing without the secret.
    const redirect_uri = 'com.example.app:/cb';
    const native = { redirect_uris: [redirect_uri] };
    for (const origin of ['admin', 'register'] as const)
      expect(await errorOf(server, (await buildClient(server, native, origin)).id, { redirect_uri })).toBe('goes on');
    const { id } = await buildClient(server, native, 'person');
    expect(await errorOf(server, id, { redirect_uri })).toBe('a page');
  });

  test('it is due from public clients, from those that ask for it, and from unreviewed ones', async () => {
    for (const metadata of [{ token_endpoint_auth_method: 'none' }, { require_pkce: true }])
      expect(await errorOf(server, (await buildClient(server, metadata)).id)).toBe(missing);
    const { id } = await buildClient(server, {}, 'person');
    expect(await errorOf(server, id)).toBe('a page');
    await server.app.clients.review(id);
    expect(await errorOf(server, id)).toBe('goes on');
  });

  test('a client from before, that had to use PKCE or has no such member, still has to', async () => {
    const { id, record } = await buildClient(server, { require_pkce: true });
    const { require_pkce: _rule, ...older } = record.metadata;
    await server.app.clients.update(id, { client_name: 'Renamed', redirect_uris: [callback] }, 'cli');
    expect(await errorOf(server, id)).toBe(missing);
    await server.core.stores.clients.update({ ...record, metadata: older, version: 3 });
    await server.core.changes.check();
    expect(await errorOf(server, id)).toBe(missing);
    await server.app.clients.update(id, { require_pkce: false, redirect_uris: [callback] }, 'cli');
    expect(await errorOf(server, id)).toBe('goes on');
  });

  test('a challenge that is sent is enforced; a verifier without one is refused by name', async () => {
    const client = await buildClient(server);
    const person = await buildPerson(server);
    const { challenge } = pkce();
    const proof = { code_challenge: challenge, code_challenge_method: 'S256' };
    const sent = await new Agent(server).authorize(person, { client_id: client.id, scope: 'openid', ...proof });
    expect((await redeem(server, client, { code: codeOf(sent) })).body).toMatchObject({
      error: 'invalid_grant',
      check: 'verifier_missing',
    });
    const bare = await new Agent(server).authorize(person, { client_id: client.id, scope: 'openid' });
    const answer = await redeem(server, client, { code: codeOf(bare), code_verifier: pkce().verifier });
    expect(answer.body).toMatchObject({ error: 'invalid_grant', check: 'verifier_unexpected' });
  });

  test('REQUIRE_PKCE=all: due from every client in the browser, and not at tinyoauth for the owner', async () => {
    const strict = await startServer({ env: { REQUIRE_PKCE: 'all' } });
    try {
      const client = await buildClient(strict, { require_pkce: false }, 'register');
      expect(await errorOf(strict, client.id)).toBe(missing);
      const proof = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };
      expect(await errorOf(strict, client.id, proof)).toBe('goes on');

      const { username } = await buildPerson(strict);
      const json = async (path: string, body: object, headers: readonly (readonly [string, string])[] = []) =>
        JSON.parse(
          (
            await call(strict, {
              method: 'POST',
              path,
              body: JSON.stringify(body),
              headers: [['Content-Type', 'application/json'], ...headers],
            })
          ).text,
        );
      const { password } = await import('../support/server.ts');
      const { token: bearer } = await json('/login', { username, password });
      const authorization = ['Authorization', `Bearer ${bearer}`] as const;
      const own = await json('/client', { name: 'Bookshelf', redirect_uri: callback }, [authorization]);
      const query = new URLSearchParams({ response_type: 'code', client_id: own.client_id, redirect_uri: callback });
      const given = await call(strict, { path: `/authorize?${query}`, headers: [authorization] });
      const code = new URL(String(given.headers.location)).searchParams.get('code') ?? '';
      const form = { grant_type: 'authorization_code', code };
      expect((await token(strict, { id: own.client_id, secret: own.client_secret }, form)).status).toBe(200);
      expect(await errorOf(strict, own.client_id)).toBe('a page');
    } finally {
      await strict.close();
    }
  });
});

describeStorages('clients that send neither PKCE nor a nonce', (storage) => {
  let server: TestServer;
  let other: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    other = await storage.join(server);
  });
  afterAll(async () => {
    comeBack();
    await server.close();
  });

  const since = async (id: string) => (await server.core.stores.clients.find(id))?.metadata.unprotected_at;

  async function flow(
    on: TestServer,
    client: Awaited<ReturnType<typeof buildClient>>,
    more: Record<string, string> = {},
  ) {
    const answer = await new Agent(server).authorize(await buildPerson(server), {
      ...{ client_id: client.id, scope: 'openid', ...more },
    });
    expect((await redeem(on, client, { code: codeOf(answer) })).status).toBe(200);
    for (const node of [server, other]) await node.core.unprotected.flush();
  }

  test('are noted when they redeem such a code, once for all nodes and requests, and it outlasts a change', async () => {
    const client = await buildClient(server);
    expect(await since(client.id)).toBeUndefined();
    await flow(server, client, { nonce: 'n' });
    expect(await since(client.id)).toBeUndefined();
    await flow(server, client);
    const first = await since(client.id);
    expect(first).toEqual(expect.any(Number));
    const version = (await server.core.stores.clients.find(client.id))?.version;
    await flow(server, client);
    await flow(other, client);
    expect((await server.core.stores.clients.find(client.id))?.version).toBe(version);
    const told = [...server.logged, ...other.logged].filter(
      (line) => line.includes('neither PKCE nor a nonce') && line.includes(client.id),
    );
    expect(told).toHaveLength(1);

    await server.app.clients.update(client.id, { redirect_uris: [callback], unprotected_at: 1 }, 'cli');
    expect(await since(client.id)).toBe(first);
    travel(2 * 86_400);
    await flow(other, client);
    expect(await since(client.id)).toBeGreaterThan(Number(first) + 86_400);
    comeBack();
  });

  test('a request alone says nothing of a client: anyone can send it', async () => {
    const client = await buildClient(server);
    expect(await errorOf(server, client.id)).toBe('goes on');
    const answer = await new Agent(server).authorize(await buildPerson(server), {
      client_id: client.id,
      scope: 'openid',
    });
    expect((await redeem(server, { id: client.id, secret: 'wrong' }, { code: codeOf(answer) })).status).toBe(401);
    await server.core.unprotected.flush();
    expect(await since(client.id)).toBeUndefined();
  });
});
