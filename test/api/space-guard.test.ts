/** space guard as its callers see it: golden tables of request -> exact answer, and the flow of the original. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, type Call, type CallAnswer, call, posting } from '../support/call.ts';
import { describedBy } from '../support/document.ts';
import { claimsOf, comeBack, headerOf, travel } from '../support/flow.ts';
import { expectNoInsides } from '../support/leaks.ts';
import { eventually } from '../support/redis-server.ts';
import { adminKey, buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const withinASecond = 1_000;
const base = '/space-guard/api/v1';
const key = ['X-Admin-Key', adminKey] as const;
const machine = { redirect_uris: [], grant_types: ['client_credentials'] };

describeStorages('space guard', (storage) => {
  let server: TestServer;
  let described: Awaited<ReturnType<typeof describedBy>>;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start();
    described = await describedBy(server);
    client = await buildClient(server, machine);
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  /** Every answer is one that the OpenAPI document knows, says its status twice, and carries what every answer must. */
  async function ask(made: Call, at = server): Promise<CallAnswer> {
    const answer = await call(at, made);
    described.check(made.method ?? 'GET', made.path, answer);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expectNoInsides(answer.text);
    if (answer.text !== '') expect(JSON.parse(answer.text).code).toBe(answer.status);
    return answer;
  }
  async function exactly(made: Call, body: { code: number; message: unknown; data?: unknown }): Promise<CallAnswer> {
    const answer = await ask(made);
    expect(JSON.parse(answer.text)).toEqual(body);
    return answer;
  }
  const to = (endpoint: string, ...headers: (readonly [string, string])[]): Call => ({
    method: 'POST',
    path: base + endpoint,
    headers,
  });
  /** As the original writes it. */
  const written = (value: string) => ['Authorization', `Bearer: ${value}`] as const;
  const noToken = { code: 401, message: 'a valid client token is needed' };
  const noPair = { code: 401, message: 'a valid client token and its refresh token are needed' };

  async function clientTokenOf(of: { id: string }, lifetime: number | null = null, at = server): Promise<string> {
    const made = await at.app.clients.issueToken(of.id, { label: '', lifetime });
    if (made.outcome !== 'issued') throw new Error(made.outcome);
    return made.value;
  }
  async function begin(clientToken: string, at = server) {
    const { status, text } = await ask(to('/register-client', written(clientToken)), at);
    expect(status).toBe(200);
    const { jwtAccessToken: access, jwtRefreshToken: refresh } = JSON.parse(text).data;
    return { clientToken, access, refresh, pair: `${clientToken}:${refresh}` } as Record<
      'clientToken' | 'access' | 'refresh' | 'pair',
      string
    >;
  }
  const opened = async (of: { id: string } = client) => begin(await clientTokenOf(of));
  /** Whether the gateway takes the pair. */
  const gate = async (clientToken: string, access: string, at = server) =>
    (
      await call(at, {
        path: '/gateway/verify/token?tokens=space-guard',
        headers: [written(`${clientToken}:${access}`)],
      })
    ).status;

  test('the flow of the original', async () => {
    const clientToken = await clientTokenOf(client);
    expect(clientToken).toMatch(/^gatehouse_ct_[\w-]+$/);
    const registered = await exactly(to('/register-client', written(clientToken)), {
      code: 200,
      message: 'the client is registered',
      data: { jwtAccessToken: expect.any(String), jwtRefreshToken: expect.any(String) },
    });
    const jwt = '[\\w-]+\\.[\\w-]+\\.[\\w-]+';
    expect(registered.text).toMatch(
      new RegExp(`^{"code":200,"message":"[^"]+","data":{"jwtAccessToken":"${jwt}","jwtRefreshToken":"${jwt}"}}$`),
    );
    const { jwtAccessToken: first, jwtRefreshToken: refresh } = JSON.parse(registered.text).data;
    expect(await gate(clientToken, first)).toBe(200);

    travel(11 * 60);
    expect(await gate(clientToken, first)).toBe(401);
    const refreshed = await exactly(to('/refresh-client', written(`${clientToken}:${refresh}`)), {
      code: 200,
      message: 'the access token is refreshed',
      data: { jwtAccessToken: expect.any(String) },
    });
    const { jwtAccessToken: second } = JSON.parse(refreshed.text).data;
    expect(second).not.toBe(first);
    expect(await gate(clientToken, second)).toBe(200);

    const loggedOut = await exactly(to('/logout-client', written(`${clientToken}:${refresh}`)), {
      code: 200,
      message: 'the client is logged out',
    });
    expect(loggedOut.text).toBe('{"code":200,"message":"the client is logged out"}');
    expect(await gate(clientToken, second)).toBe(401);
    await exactly(to('/refresh-client', written(`${clientToken}:${refresh}`)), noPair);
    await exactly(to('/logout-client', written(`${clientToken}:${refresh}`)), noPair);
  });

  test('one client token has a hundred sessions at a time: the oldest end, those of another token live on', async () => {
    const [clientToken, otherToken] = [await clientTokenOf(client), await clientTokenOf(client)];
    const other = await begin(otherToken);
    const sessions: Awaited<ReturnType<typeof begin>>[] = [];
    for (let n = 0; n < 98; n++) sessions.push(await begin(clientToken));
    const at = storage.kind === 'postgres' ? await storage.join(server) : server;
    expect(await gate(clientToken, sessions[0]?.access ?? '', at)).toBe(200);
    // Many at once, as when all copies of a program start together.
    sessions.push(...(await Promise.all(Array.from({ length: 12 }, () => begin(clientToken)))));
    const open = await Promise.all(sessions.map(({ access = '' }) => gate(clientToken, access)));
    expect(open.map((status) => status === 200)).toEqual(sessions.map((_, n) => n >= 10));
    await exactly(to('/refresh-client', written(sessions[0]?.pair ?? '')), noPair);
    await eventually(
      'refused on the other node',
      async () => (await gate(clientToken, sessions[0]?.access ?? '', at)) === 401,
    );
    expect(await gate(otherToken, other.access)).toBe(200);
    const [event] = await server.core.stores.audit.list({ event: 'session.ended' }, 1);
    expect(event).toMatchObject({ clientId: client.id, detail: { why: 'too many' } });
  });

  test('what is logged out on one node is refreshed on no other, however fresh what that one remembers', async () => {
    const other = await storage.join(server, { REDIS_URL: '' });
    const clientToken = await clientTokenOf(client);
    for (let round = 0; round < 10; round++) {
      const { pair = '', access = '' } = await begin(clientToken);
      // It has looked at the session by now, and would know it for a second.
      expect(await gate(clientToken, access, other)).toBe(200);
      expect((await ask(to('/refresh-client', written(pair)), other)).status).toBe(200);
      expect((await ask(to('/logout-client', written(pair)))).status).toBe(200);
      expect([round, (await ask(to('/refresh-client', written(pair)), other)).status]).toEqual([round, 401]);
      expect([round, (await ask(to('/logout-client', written(pair)), other)).status]).toEqual([round, 401]);
    }
  });

  test('the tokens are JWTs of two kinds, for ten minutes and thirty days', async () => {
    const { access, refresh } = await opened();
    for (const [token, typ, seconds] of [
      [access, 'space-guard+jwt', 600],
      [refresh, 'space-guard-refresh+jwt', 30 * 86_400],
    ] as const) {
      expect(headerOf(token)).toMatchObject({ alg: 'ES256', typ, kid: expect.any(String) });
      const claims = claimsOf(token);
      expect(claims).toMatchObject({ iss: server.url, aud: `${server.url}/space-guard`, sub: client.id });
      expect(Number(claims.exp) - Number(claims.iat)).toBe(seconds);
    }
    expect(claimsOf(access).sid).toBe(claimsOf(refresh).sid);
    expect(claimsOf(access).jti).not.toBe(claimsOf(refresh).jti);
  });

  test('the refresh token is not replaced, and is good as often as it is used until the session ends', async () => {
    const { pair } = await opened();
    for (let day = 0; day < 3; day += 1) {
      travel(9 * 86_400);
      expect((await ask(to('/refresh-client', written(pair)))).status).toBe(200);
    }
    travel(4 * 86_400);
    await exactly(to('/refresh-client', written(pair)), noPair);
  });

  test('with and without the colon behind the scheme, in any case of it', async () => {
    const { clientToken, access, pair } = await opened();
    for (const scheme of ['Bearer:', 'Bearer', 'bearer:', 'BEARER']) {
      expect((await ask(to('/register-client', ['Authorization', `${scheme} ${clientToken}`]))).status).toBe(200);
      expect((await ask(to('/refresh-client', ['Authorization', `${scheme} ${pair}`]))).status).toBe(200);
      const verify = {
        path: '/gateway/verify/token?tokens=space-guard',
        headers: [['Authorization', `${scheme} ${clientToken}:${access}`] as const],
      };
      expect((await call(server, verify)).status).toBe(200);
      const { pair: another } = await begin(clientToken);
      expect((await ask(to('/logout-client', ['Authorization', `${scheme} ${another}`]))).status).toBe(200);
    }
  });

  test('bodies are ignored, whatever they are, up to 64 KiB', async () => {
    const { clientToken, pair } = await opened();
    for (const [endpoint, value] of [
      ['/register-client', clientToken],
      ['/refresh-client', pair],
      ['/logout-client', pair],
    ] as const) {
      const large = { ...to(endpoint, written(value)), body: 'x'.repeat(70_000) };
      await exactly(large, { code: 413, message: 'the body is larger than 65536 bytes' });
      const text = ['Content-Type', 'text/plain'] as const;
      for (const body of ['{', '\0', '{"clientToken":"x"}']) {
        const made = { ...to(endpoint, written(value), text), body };
        if (endpoint !== '/logout-client') expect((await ask(made)).status).toBe(200);
      }
    }
    expect((await ask({ ...to('/logout-client', written(pair)), body: '{' })).status).toBe(200);
  });

  describe('a bad half is 401, whichever it is', () => {
    test('at /register-client', async () => {
      const { clientToken, access, refresh, pair } = await opened();
      const other = await buildClient(server, machine);
      const swapped = clientToken.replace(
        Buffer.from(client.id).toString('base64url'),
        Buffer.from(other.id).toString('base64url'),
      );
      expect(swapped).not.toBe(clientToken);
      const values = [
        ...['', 'x', 'gatehouse_ct_', 'gatehouse_ct__', `gatehouse_ct_${'x'.repeat(43)}`, adminKey, client.id],
        ...[`gatehouse_ct_AA_${'x'.repeat(43)}`, `gatehouse_ct__w_${'x'.repeat(43)}`, client.secret],
        ...[swapped, `${clientToken}x`, clientToken.slice(0, -1), clientToken.toUpperCase(), access, refresh],
        ...[pair, `${clientToken}:${access}`, `${clientToken}:`, `:${clientToken}`, `${clientToken} ${clientToken}`],
        ...[`${clientToken},${clientToken}`, 'x'.repeat(10_000), `gatehouse_ct_${'x'.repeat(10_000)}`, ':', '::'],
      ];
      for (const value of values) {
        for (const scheme of ['Bearer:', 'Bearer', 'Basic', 'Bearer::']) {
          const made = to('/register-client', ['Authorization', `${scheme} ${value}`]);
          const answer = await exactly(made, noToken);
          expect(answer.headers['www-authenticate']).toBe(`Bearer realm="${server.url}/space-guard"`);
        }
      }
      await exactly(to('/register-client'), noToken);
      await exactly(to('/register-client', written(clientToken), written(clientToken)), noToken);
      await exactly(to('/register-client', ['Cookie', `token=${clientToken}`]), noToken);
      await exactly(to(`/register-client?token=${clientToken}`), noToken);
    });

    test.each(['/refresh-client', '/logout-client'])('at %s', async (endpoint) => {
      const one = await opened();
      const sameClient = await opened();
      const other = await opened(await buildClient(server, machine));
      const person = await buildPerson(server);
      const login = posting('/login', { username: person.username, password: person.password });
      const { token: tinyoauth } = JSON.parse((await call(server, login)).text);
      const values = [
        ...[
          one.clientToken,
          one.refresh,
          `${one.clientToken}:`,
          `:${one.refresh}`,
          `${one.refresh}:${one.clientToken}`,
        ],
        ...[`${one.clientToken}:${one.access}`, `${one.clientToken}:${tinyoauth}`, `${one.clientToken}:x`],
        ...[`${one.clientToken}:${other.refresh}`, `${other.clientToken}:${one.refresh}`],
        // Another token of the very same client: revoking one must not be undone by holding another.
        ...[`${one.clientToken}:${sameClient.refresh}`, `${sameClient.clientToken}:${one.refresh}`],
        ...[`${one.pair}x`, `${one.pair}:x`, `x${one.pair}`, `${one.clientToken}x:${one.refresh}`, `x:${one.refresh}`],
        ...[`${one.clientToken}:${'x'.repeat(8_000)}`, `${one.clientToken}:..`, ':'],
      ];
      for (const value of values) await exactly(to(endpoint, written(value)), noPair);
      await exactly(to(endpoint), noPair);
      await exactly(to(endpoint, written(one.pair), written(one.pair)), noPair);
      // None of them has ended anything.
      for (const { pair } of [one, sameClient, other]) {
        expect((await ask(to('/refresh-client', written(pair)))).status).toBe(200);
      }
    });

    test('at the gateway', async () => {
      const one = await opened();
      const other = await opened(await buildClient(server, machine));
      expect(await gate(one.clientToken, one.access)).toBe(200);
      for (const [clientToken, jwt] of [
        [one.clientToken, one.refresh],
        [one.clientToken, other.access],
        [other.clientToken, one.access],
        [one.clientToken, `${one.access}x`],
        ['x', one.access],
      ] as const) {
        expect(await gate(clientToken, jwt)).toBe(401);
      }
      const alone = { path: '/gateway/verify/token?tokens=space-guard', headers: [bearer(one.access)] };
      expect((await call(server, alone)).status).toBe(401);
    });
  });

  describe('what ends', () => {
    /** Both tokens of the pair at every door. */
    async function expectDead({ clientToken, access, pair }: Awaited<ReturnType<typeof opened>>): Promise<void> {
      expect(await gate(clientToken, access)).toBe(401);
      await exactly(to('/refresh-client', written(pair)), noPair);
      await exactly(to('/logout-client', written(pair)), noPair);
    }

    test('logout ends its own session and no other', async () => {
      const one = await opened();
      const two = await begin(one.clientToken);
      expect((await ask(to('/logout-client', written(one.pair)))).status).toBe(200);
      await expectDead(one);
      expect(await gate(two.clientToken, two.access)).toBe(200);
      const [event] = await server.core.stores.audit.list({ event: 'session.ended' }, 1);
      expect(event).toMatchObject({ clientId: client.id });
    });

    test('of a logout and refreshes at once nothing usable is left', async () => {
      const { clientToken, access, pair } = await opened();
      const answers = await Promise.all([
        ...Array.from({ length: 10 }, () => ask(to('/refresh-client', written(pair)))),
        ask(to('/logout-client', written(pair))),
        ...Array.from({ length: 10 }, () => ask(to('/refresh-client', written(pair)))),
      ]);
      const had = answers.flatMap(({ text }) => JSON.parse(text).data?.jwtAccessToken ?? []) as string[];
      for (const token of [access, ...had]) expect(await gate(clientToken, token)).toBe(401);
    });

    test('a revoked client token takes what was opened with it along, and leaves the client’s others alone', async () => {
      const [one, two] = [await opened(), await opened()];
      const record = await server.app.clients.find(client.id);
      const id = record?.tokens.find((token) => token.id === claimsOf(one.access).ctid)?.id ?? '';
      expect((await server.app.clients.revokeToken(client.id, id)).outcome).toBe('updated');
      await expectDead(one);
      await exactly(to('/register-client', written(one.clientToken)), noToken);
      expect(await gate(two.clientToken, two.access)).toBe(200);
      expect((await ask(to('/register-client', written(two.clientToken)))).status).toBe(200);
    });

    test('a disabled client is refused until it is enabled; a deleted one for good', async () => {
      const other = await buildClient(server, machine);
      const one = await opened(other);
      await server.app.clients.disable(other.id);
      await expectDead(one);
      await exactly(to('/register-client', written(one.clientToken)), noToken);
      await server.app.clients.enable(other.id);
      expect(await gate(one.clientToken, one.access)).toBe(200);
      await server.app.clients.remove(other.id);
      await expectDead(one);
      await exactly(to('/register-client', written(one.clientToken)), noToken);
    });

    test('a client token has an end of its own, beyond which nothing of it goes on', async () => {
      const clientToken = await clientTokenOf(client, 3600);
      const { access, refresh } = await begin(clientToken);
      expect(claimsOf(refresh).exp).toBeLessThanOrEqual(Number(claimsOf(access).iat) + 3600);
      travel(3600 - 60);
      const late = await begin(clientToken);
      expect(Number(claimsOf(late.access).exp) - Number(claimsOf(late.access).iat)).toBeLessThanOrEqual(60);
      travel(61);
      expect(await gate(clientToken, late.access)).toBe(401);
      await exactly(to('/register-client', written(clientToken)), noToken);
      await exactly(to('/refresh-client', written(`${clientToken}:${refresh}`)), noPair);
    });

    test('on another node within a second', async () => {
      const second = await storage.join(server);
      const ends: ((of: Awaited<ReturnType<typeof opened>>, id: string) => Promise<unknown>)[] = [
        ({ pair }) => ask(to('/logout-client', written(pair))),
        ({ access }, id) => server.app.clients.revokeToken(id, String(claimsOf(access).ctid)),
        (_one, id) => server.app.clients.disable(id),
        (_one, id) => server.app.clients.remove(id),
      ];
      for (const end of ends) {
        const other = await buildClient(server, machine);
        const one = await opened(other);
        await eventually(
          'known there',
          async () => (await gate(one.clientToken, one.access, second)) === 200,
          withinASecond,
        );
        await end(one, other.id);
        expect(await gate(one.clientToken, one.access)).toBe(401);
        const refused = async () => (await gate(one.clientToken, one.access, second)) === 401;
        await eventually('refused there', refused, withinASecond);
        expect((await ask(to('/refresh-client', written(one.pair)), second)).status).toBe(401);
      }
    });
  });

  test('verified in memory: no round trip a call, and seen a moment later', async () => {
    const { clientToken, access } = await opened();
    await gate(clientToken, access);
    const uid = String(claimsOf(access).sid);
    const costs: number[] = [];
    for (let time = 0; time < 100; time += 1) {
      const before = server.core.stores.roundTrips();
      expect(await gate(clientToken, access)).toBe(200);
      costs.push(server.core.stores.roundTrips() - before);
    }
    // Background work may come between, but not with every call.
    expect(costs.filter((cost) => cost === 0).length).toBeGreaterThan(50);
    const stored = async () => (await server.core.stores.engine.readSessionByUid(uid))?.session;
    await eventually('the mark is written', async () => (await stored())?.lastSeenAt !== null, 5_000);
    expect(await stored()).toMatchObject({ subject: null, origin: { door: 'space-guard', clientId: client.id } });
  });

  describe('client tokens, for admins', () => {
    const tokens = `${base}/client-tokens`;
    const issuing = (body: unknown, ...headers: (readonly [string, string])[]) => posting(tokens, body, ...headers);
    const listing = (id: string): Call => ({
      path: `${tokens}?${new URLSearchParams({ client_id: id })}`,
      headers: [key],
    });
    const revoking = (id: string, client_id: string): Call => ({
      method: 'DELETE',
      path: `${tokens}/${encodeURIComponent(id)}?${new URLSearchParams({ client_id })}`,
      headers: [key],
    });
    const noClient = { code: 404, message: 'there is no such client' };
    const noSuchToken = { code: 404, message: 'there is no such client token' };

    test('issued, used, listed, revoked', async () => {
      const of = await buildClient(server, machine);
      const issued = await exactly(issuing({ client_id: of.id, label: 'night report', expires_in: 3600 }, key), {
        code: 201,
        message: 'the client token is issued',
        data: {
          id: expect.stringMatching(/^[0-9a-f]{12}$/),
          label: 'night report',
          created_at: expect.any(Number),
          expires_at: expect.any(Number),
          client_id: of.id,
          client_token: expect.stringMatching(/^gatehouse_ct_[\w-]+_[\w-]{43}$/),
        },
      });
      const { id, created_at, expires_at, client_token } = JSON.parse(issued.text).data;
      expect(expires_at - created_at).toBe(3600);
      const one = await begin(client_token);

      const unlimited = JSON.parse((await ask(issuing({ client_id: of.id }, key))).text).data;
      expect(unlimited).toMatchObject({ label: '', expires_at: null });

      const listed = await exactly(listing(of.id), {
        code: 200,
        message: 'the client tokens',
        data: {
          client_id: of.id,
          tokens: [
            { id: unlimited.id, label: '', created_at: expect.any(Number), expires_at: null },
            { id, label: 'night report', created_at, expires_at },
          ],
        },
      });
      const hashes = (await server.app.clients.find(of.id))?.tokens.map(({ hash }) => hash) ?? [];
      for (const secret of [...hashes, client_token, client_token.slice(-43)])
        expect(listed.text).not.toContain(secret);
      const record = JSON.stringify(await server.core.stores.clients.find(of.id));
      expect(record).not.toContain(client_token.slice(-43));
      expect(server.logged.join('')).not.toContain(client_token.slice(-43));

      await exactly(revoking(id, of.id), { code: 200, message: 'the client token is revoked' });
      expect(await gate(one.clientToken, one.access)).toBe(401);
      await exactly(revoking(id, of.id), noSuchToken);
      const audited = async (event: string) =>
        (await server.core.stores.audit.list({ event }, 2)).map(({ detail, clientId }) => ({ detail, clientId }));
      expect(await audited('client.token_revoked')).toContainEqual({
        clientId: of.id,
        detail: { via: 'space-guard', token: id },
      });
      expect(await audited('client.token_issued')).toContainEqual({
        clientId: of.id,
        detail: { via: 'space-guard', token: id },
      });
    });

    test('without the admin key: 401 and nothing else', async () => {
      const one = await opened();
      const wrong: (readonly [string, string])[][] = [
        ...[[], [['X-Admin-Key', 'wrong'] as const], [key, key], [bearer(adminKey)], [written(one.clientToken)]],
        [written(one.pair)],
      ];
      const message = 'an admin key is needed in X-Admin-Key';
      for (const headers of wrong) {
        await exactly(issuing('{', ...headers), { code: 401, message });
        await exactly({ ...listing(client.id), headers }, { code: 401, message });
        await exactly({ ...revoking('x', client.id), headers }, { code: 401, message });
      }
    });

    test('unknown clients and tokens: 404', async () => {
      for (const id of ['nobody', '\0', "' OR 1=1", 'x'.repeat(3000), '../x', 'é']) {
        if (!id.includes('\0')) await exactly(issuing({ client_id: id }, key), noClient);
        await exactly(listing(id), noClient);
        await exactly(revoking('x', id), noSuchToken);
        await exactly(revoking(id, client.id), noSuchToken);
      }
    });

    test('a token is revoked by the name of its own client only', async () => {
      const [mine, other] = [await buildClient(server, machine), await buildClient(server, machine)];
      const { id } = JSON.parse((await ask(issuing({ client_id: mine.id }, key))).text).data;
      await exactly(revoking(id, other.id), noSuchToken);
      expect((await ask(revoking(id, mine.id))).status).toBe(200);
    });

    test.each<[string, unknown, string]>([
      ['no client_id', {}, 'client_id must be given, as a string'],
      ['client_id empty', { client_id: '' }, 'client_id must not be empty'],
      ['client_id a number', { client_id: 1 }, 'client_id must be a string'],
      ['label too long', { client_id: 'x', label: 'y'.repeat(101) }, 'label must not be longer than 100'],
      ['label null', { client_id: 'x', label: null }, 'label must be a string'],
      ['label with a line break', { client_id: 'x', label: 'a\nb' }, 'label must not contain control characters'],
      ['expires_in a string', { client_id: 'x', expires_in: '60' }, 'expires_in must be a number'],
      ['expires_in a fraction', { client_id: 'x', expires_in: 60.5 }, 'expires_in must be a whole number'],
      ['expires_in negative', { client_id: 'x', expires_in: -1 }, 'expires_in must not be less than 60'],
      ['expires_in too much', { client_id: 'x', expires_in: 1e12 }, 'expires_in must not be more than 316224000'],
      ['no JSON', '{', 'the body is not valid JSON'],
      ['U+0000', '{"client_id":"a\\u0000"}', 'the body holds U+0000 or half of a surrogate pair'],
    ])('%s: 400', async (_name, body, message) => {
      await exactly(issuing(body, key), { code: 400, message });
    });

    test('the query: a client_id, once', async () => {
      const without = { code: 400, message: 'client_id must be given, as a string' };
      const twice = { code: 400, message: 'client_id must be given once' };
      await exactly({ path: tokens, headers: [key] }, without);
      await exactly({ path: `${tokens}?client_id=`, headers: [key] }, without);
      await exactly({ path: `${tokens}?client_id=a&client_id=b`, headers: [key] }, twice);
      await exactly({ method: 'DELETE', path: `${tokens}/x`, headers: [key] }, without);
    });

    test('twenty live ones at most: 409, until one is revoked or has expired', async () => {
      const of = await buildClient(server, machine);
      const statuses = [];
      for (let many = 0; many < 20; many += 1) {
        statuses.push((await ask(issuing({ client_id: of.id, expires_in: 60 }, key))).status);
      }
      expect(statuses).toEqual(Array(20).fill(201));
      const message = 'the client has too many tokens: revoke one first';
      await exactly(issuing({ client_id: of.id }, key), { code: 409, message });
      travel(61);
      expect((await ask(issuing({ client_id: of.id }, key))).status).toBe(201);
      expect((await server.app.clients.find(of.id))?.tokens).toHaveLength(1);
    });

    test('issued at once, none is lost', async () => {
      const of = await buildClient(server, machine);
      const answers = await Promise.all(Array.from({ length: 5 }, () => ask(issuing({ client_id: of.id }, key))));
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
      expect((await server.app.clients.find(of.id))?.tokens).toHaveLength(5);
    });
  });

  test('other methods: 405 with Allow; another spelling: 404; OPTIONS says what there is', async () => {
    const rows: [string, string][] = [
      ['/register-client', 'POST, OPTIONS'],
      ['/refresh-client', 'POST, OPTIONS'],
      ['/logout-client', 'POST, OPTIONS'],
      ['/client-tokens', 'GET, POST, HEAD, OPTIONS'],
      ['/client-tokens/x', 'DELETE, OPTIONS'],
    ];
    for (const [path, allow] of rows) {
      const method = path === '/client-tokens/x' ? 'POST' : 'PUT';
      const answer = await exactly(
        { method, path: base + path },
        { code: 405, message: `this endpoint takes ${allow}` },
      );
      expect(answer.headers.allow).toBe(allow);
      expect((await ask({ method: 'OPTIONS', path: base + path })).headers.allow).toBe(allow);
      for (const spelled of [`${base}${path}/`, `${base}/${path}`, base + path.toUpperCase(), `/dev${base}${path}`]) {
        if (spelled === `${base}/client-tokens/X`) continue;
        expect((await call(server, { method: 'POST', path: spelled })).status).toBe(404);
      }
    }
  });
});

test('switched off, none of it is there', async () => {
  const server = await startServer({ env: { SURFACES: 'tinyoauth' } });
  try {
    for (const path of ['/register-client', '/refresh-client', '/logout-client', '/client-tokens']) {
      expect((await call(server, { method: 'POST', path: base + path })).status).toBe(404);
    }
  } finally {
    await server.close();
  }
});
