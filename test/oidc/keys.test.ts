/** The published keys and their rotation, as relying parties live through it. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { Agent } from '../support/agent.ts';
import { comeBack, headerOf, refresh, tokensFor, travel, userApiTakes } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const day = 86_400;

describeStorages('keys', (storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start({ SPACE_GUARD_REFRESH_TTL: '86400' });
    client = await buildClient(server);
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  async function published(of: TestServer = server): Promise<JSONWebKeySet> {
    const response = await fetch(`${of.url}/oauth/jwks`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^application\/(jwk-set\+)?json/),
    ]);
    return (await response.json()) as JSONWebKeySet;
  }
  const verifies = async (jwt: string | undefined, keys: JSONWebKeySet) =>
    (await jwtVerify(jwt ?? '', createLocalJWKSet(keys), { issuer: server.url })).protectedHeader.kid;

  test('D7: only public members, one kid each, an algorithm and a use, and no caching beyond the max-age', async () => {
    const { keys } = await published();
    for (const key of keys) {
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) expect(key).not.toHaveProperty(member);
      expect(key).toMatchObject({ kid: expect.any(String), use: 'sig', alg: expect.stringMatching(/^(RS256|ES256)$/) });
    }
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    expect(new Set(keys.map(({ alg }) => alg))).toEqual(new Set(['RS256', 'ES256']));
    const age = (await fetch(`${server.url}/oauth/jwks`)).headers.get('cache-control');
    expect(age).toBe(`public, max-age=${server.core.config.keys.jwksMaxAge}`);
  });

  test('D7: the next key is published before it signs, and an early rotation is refused', async () => {
    await server.core.keys.upkeep();
    await server.core.changes.changed();
    const nexts = () => server.core.keys.ring().filter(({ status }) => status === 'next');
    await eventually('there are next keys', () => nexts().length === 2);
    const next = nexts().map(({ id }) => id);
    await eventually('the next keys are published', async () => {
      const kids = (await published()).keys.map(({ kid }) => kid);
      return next.every((id) => kids.includes(id));
    });
    const { body } = await tokensFor(server, client);
    expect(next).not.toContain(headerOf(body.id_token).kid);
    expect((await server.core.keys.rotate()).outcome).toBe('too-early');
  });

  test('D7: after a rotation new tokens have the new key, which a cached JWKS already knows, and old ones still verify', async () => {
    const other = await storage.join(server);
    const [oidc, api] = [await tokensFor(server, client), await tokensFor(server, client, { scope: 'user' })];
    const cachedByRelyingParty = await published();
    const before = headerOf(oidc.body.id_token).kid;

    travel(3_601);
    expect((await server.core.keys.rotate()).outcome).toBe('rotated');
    await server.core.changes.changed();
    const signed = async (of: TestServer) =>
      headerOf((await refresh(of, client, oidc.body.refresh_token)).body.id_token).kid;
    await eventually(
      'both nodes sign with the new key',
      async () => (await signed(server)) !== before && (await signed(other)) === (await signed(server)),
    );

    const fresh = await refresh(other, client, oidc.body.refresh_token);
    expect(await verifies(fresh.body.id_token, cachedByRelyingParty)).toBe(await signed(server));
    comeBack();
    for (const node of [server, other]) {
      expect(await verifies(oidc.body.id_token, await published(node))).toBe(before);
      expect(await userApiTakes(node, api.body.access_token)).toBe(true);
    }
    const agent = new Agent(server);
    expect((await agent.go(`/oauth/logout?id_token_hint=${oidc.body.id_token}`)).status).toBe(200);
  });

  test('D7: the old key stays published longer than the longest token lives, and then goes', async () => {
    const { body } = await tokensFor(server, client);
    const { kid } = headerOf(body.id_token);
    expect((await server.core.keys.rotate({ force: true })).outcome).toBe('rotated');
    await server.core.changes.changed();
    const isPublished = async () => {
      await server.core.keys.upkeep();
      await server.core.keys.load();
      server.app.protocol.swap();
      return (await published()).keys.some((key) => key.kid === kid);
    };
    travel(day);
    expect(await isPublished()).toBe(true);
    travel(day);
    expect(await isPublished()).toBe(false);
  });
});
