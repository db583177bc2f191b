/** Refresh tokens: rotation for public clients, the reuse window, families, and how long everything lasts. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import {
  atOnce,
  claimsOf,
  comeBack,
  headerOf,
  isActive,
  refresh,
  served,
  type TestClient,
  tokensFor,
  travel,
  userApiTakes,
  userinfo,
} from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const days = 86_400;
const publicClient = { token_endpoint_auth_method: 'none' };

describeStorages('refresh tokens', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  const refused = async (client: TestClient, value: string | undefined) =>
    expect((await refresh(server, client, value)).body).toMatchObject({ error: 'invalid_grant' });

  test('C8: a rotated token used again after the window ends the whole family, and that is noted', async () => {
    const client = await buildClient(server, publicClient);
    const asked = { scope: 'openid user', extra: { resource: `${server.url}/user` } };
    const { body: first } = await tokensFor(server, client, asked);
    const { body: second } = await refresh(server, client, first.refresh_token);
    const { body: third } = await refresh(server, client, second.refresh_token);
    const api = await refresh(server, client, third.refresh_token, { resource: `${server.url}/user` });
    expect(await userApiTakes(server, api.body.access_token)).toBe(true);
    travel(61);
    await refused(client, first.refresh_token);
    await refused(client, api.body.refresh_token);
    for (const { access_token } of [first, second, third])
      expect((await userinfo(server, access_token)).status).toBe(401);
    expect(await userApiTakes(server, api.body.access_token)).toBe(false);
    await eventually('the replay is in the audit log', async () =>
      (await server.core.stores.audit.list({ event: 'grant.replayed' }, 100)).some(
        ({ clientId }) => clientId === client.id,
      ),
    );
  });

  test('C9: a replay is still seen after a restart', async () => {
    const client = await buildClient(server, publicClient);
    const { body: first } = await tokensFor(server, client);
    const { body: second } = await refresh(server, client, first.refresh_token);
    server = await server.restart();
    travel(61);
    await refused(client, first.refresh_token);
    await refused(client, second.refresh_token);
  });

  test('C9: a replay on another node ends the family on both', async () => {
    const other = await storage.join(server);
    const client = await buildClient(server, publicClient);
    const { body: first } = await tokensFor(server, client);
    const { body: second } = await refresh(server, client, first.refresh_token);
    travel(61);
    expect((await refresh(other, client, first.refresh_token)).body.error).toBe('invalid_grant');
    await refused(client, second.refresh_token);
  });

  test('C10: of 50 concurrent refreshes all successes give one successor, over two nodes as well, and the client goes on', async () => {
    const nodes = [server, await storage.join(server)];
    const client = await buildClient(server, publicClient);
    await eventually(
      'the other node knows the client',
      async () => (await nodes[1]?.core.cached.find(client.id)) !== undefined,
    );
    for (const asked of [[server], nodes]) {
      const { body } = await tokensFor(server, client);
      const { all } = await atOnce(50, (i) =>
        served(() => refresh(asked[i % asked.length] ?? server, client, body.refresh_token)),
      );
      expect(all.map(({ status }) => status)).toEqual(Array<number>(50).fill(200));
      const successors = new Set(all.map((answer) => answer.body.refresh_token));
      expect(successors.size).toBe(1);
      const [next] = successors;
      expect((await refresh(server, client, next)).status).toBe(200);
    }
  });

  test('C10: without a window exactly one of 50 succeeds', async () => {
    const strict = await storage.start({ REFRESH_REUSE_WINDOW: '0' });
    try {
      const client = await buildClient(strict, publicClient);
      const { body } = await tokensFor(strict, client);
      const { all, turnedAway } = await atOnce(50, () => refresh(strict, client, body.refresh_token));
      const won = all.filter(({ status }) => status === 200).length;
      // Of those that a busy machine turned away, one may have been the first.
      expect(won === 1 || (won === 0 && turnedAway > 0)).toBe(true);
      expect(all.filter(({ status }) => status === 400)).toHaveLength(all.length - won);
    } finally {
      await strict.close();
    }
  });

  test('C11: the window is for the immediate predecessor only', async () => {
    const client = await buildClient(server, publicClient);
    const { body: first } = await tokensFor(server, client);
    const { body: second } = await refresh(server, client, first.refresh_token);
    const repeated = await refresh(server, client, first.refresh_token);
    expect(repeated.body.refresh_token).toBe(second.refresh_token);
    const { body: third } = await refresh(server, client, second.refresh_token);
    await refused(client, first.refresh_token);
    await refused(client, third.refresh_token);
  });

  test('C12: a wider scope or another resource is refused and burns nothing; a narrower one does not narrow the token', async () => {
    const client = await buildClient(server, publicClient);
    const { body } = await tokensFor(server, client, { scope: 'openid email' });
    expect((await refresh(server, client, body.refresh_token, { scope: 'openid email profile' })).body.error).toBe(
      'invalid_scope',
    );
    expect(
      (await refresh(server, client, body.refresh_token, { resource: 'https://api.example.com' })).body.error,
    ).toBe('invalid_target');
    const narrow = await refresh(server, client, body.refresh_token, { scope: 'openid' });
    expect(narrow.body.scope).toBe('openid');
    expect(await (await userinfo(server, narrow.body.access_token)).json()).not.toHaveProperty('email');
    const wide = await refresh(server, client, narrow.body.refresh_token);
    expect(wide.body.scope).toBe('openid email');
    expect(await (await userinfo(server, wide.body.access_token)).json()).toHaveProperty('email');
  });

  test("C13: another client gets nothing for it, and the owner's still works", async () => {
    const [client, other, confidential] = [
      await buildClient(server, publicClient),
      await buildClient(server, publicClient),
      await buildClient(server),
    ];
    const { body } = await tokensFor(server, client);
    await refused(other, body.refresh_token);
    await refused(confidential, body.refresh_token);
    const { body: next } = await refresh(server, client, body.refresh_token);
    travel(61);
    await refused(other, body.refresh_token);
    expect((await refresh(server, client, next.refresh_token)).status).toBe(200);
  });

  test('C14: 30 days from the redemption, however often it is used', async () => {
    for (const metadata of [publicClient, {}]) {
      const client = await buildClient(server, metadata);
      let { body } = await tokensFor(server, client, {
        scope: 'openid offline_access',
        extra: { prompt: 'consent' },
      });
      for (let week = 0; week < 4; week += 1) {
        travel(7 * days);
        ({ body } = await refresh(server, client, body.refresh_token));
        expect(body.access_token).toEqual(expect.any(String));
      }
      travel(2 * days - 60);
      ({ body } = await refresh(server, client, body.refresh_token));
      expect(body.access_token).toEqual(expect.any(String));
      travel(120);
      await refused(client, body.refresh_token);
      comeBack();
    }
  });

  test('C14: unused for longer than the idle time it ends before', async () => {
    const strict = await storage.start({ REFRESH_TOKEN_IDLE_TTL: String(2 * days) });
    try {
      for (const metadata of [publicClient, {}]) {
        const client = await buildClient(strict, metadata);
        let { body } = await tokensFor(strict, client, { scope: 'user' });
        for (let day = 0; day < 3; day += 1) {
          travel(days);
          ({ body } = await refresh(strict, client, body.refresh_token));
          expect(body.access_token).toEqual(expect.any(String));
        }
        travel(2 * days + 60);
        expect((await refresh(strict, client, body.refresh_token)).body.error).toBe('invalid_grant');
        comeBack();
      }
    } finally {
      await strict.close();
    }
  });

  test('a client that authenticates keeps its refresh token; a public one gets a new one each time', async () => {
    const [kept, rotated] = [await buildClient(server), await buildClient(server, publicClient)];
    const [a, b] = [await tokensFor(server, kept), await tokensFor(server, rotated)];
    expect((await refresh(server, kept, a.body.refresh_token)).body.refresh_token).toBe(a.body.refresh_token);
    expect((await refresh(server, rotated, b.body.refresh_token)).body.refresh_token).not.toBe(b.body.refresh_token);
  });
});

describeStorages('lifetimes', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  test('an access token lives 10 minutes, an ID token an hour; RS256 unless registered otherwise', async () => {
    for (const [metadata, alg] of [
      [{}, 'RS256'],
      [{ id_token_signed_response_alg: 'ES256' }, 'ES256'],
    ] as const) {
      const client = await buildClient(server, metadata);
      const { body } = await tokensFor(server, client);
      expect(body.expires_in).toBe(600);
      const { iat, exp } = claimsOf(body.id_token);
      expect(Number(exp) - Number(iat)).toBe(3600);
      expect(headerOf(body.id_token).alg).toBe(alg);
      travel(590);
      expect((await userinfo(server, body.access_token)).status).toBe(200);
      travel(40);
      expect((await userinfo(server, body.access_token)).status).toBe(401);
      expect(await isActive(server, client, body.access_token)).toBe(false);
      comeBack();
    }
  });

  test('a browser session lasts 14 days from the login and not a minute longer, however much it is used', async () => {
    const client = await buildClient(server);
    const { agent, person } = await tokensFor(server, client);
    const asks = async () => {
      const query = new URLSearchParams({
        client_id: client.id,
        response_type: 'code',
        scope: 'openid',
        prompt: 'none',
        code_challenge: 'c'.repeat(43),
        code_challenge_method: 'S256',
      });
      return new URL((await agent.go(`/oauth/authorize?${query}`, { follow: false })).location ?? '').searchParams.get(
        'error',
      );
    };
    for (let days7 = 0; days7 < 2; days7 += 1) {
      travel(7 * days - 30);
      expect(await asks()).toBeNull();
    }
    travel(120);
    expect(await asks()).toBe('login_required');
    expect(person.username).not.toBe('');
  });

  test('with openid and without offline_access a refresh token ends with the session, though its 30 days are not over', async () => {
    const client = await buildClient(server);
    const bound = await tokensFor(server, client);
    const free = await tokensFor(server, client, { scope: 'user' });
    travel(14 * days + 60);
    expect((await refresh(server, client, bound.body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(server, client, free.body.refresh_token)).status).toBe(200);
  });
});
