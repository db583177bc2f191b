/**
 * S8: guesses at admin keys and client credentials are limited per address and on record, and a right one from
 * elsewhere passes.
 */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openService, routesFile, type Service, spaceGuardPair } from '../gateway/world.ts';
import { basic } from '../support/agent.ts';
import { type Call, type CallAnswer, call } from '../support/call.ts';
import { assertionClaims, assertionForm, comeBack, jwt, travel } from '../support/flow.ts';
import { isTested } from '../support/needs.ts';
import { eventually, patiently, startTestRedis } from '../support/redis-server.ts';
import { leastRoundTrips } from '../support/round-trips.ts';
import { adminKey, buildClient, type TestServer } from '../support/server.ts';
import { describeStorages, type Storage } from '../support/storages.ts';

const limit = 5;
const windowSeconds = 600;
const env = { THROTTLE_ADDRESS_LIMIT: String(limit), THROTTLE_WINDOW: String(windowSeconds), TRUST_PROXY: '1' };
const machine = { redirect_uris: [], grant_types: ['client_credentials'], scope: 'user' };

let addresses = 0;
/** One that no test has used before. */
const fresh = (): string => {
  addresses += 1;
  return `198.51.${addresses >> 8}.${addresses & 255}`;
};

type Header = readonly [string, string];
/** A guess from an address; `right` sends the right credential. */
type Guess = (address: string, right?: boolean) => Promise<CallAnswer>;

const from = (server: TestServer, address: string, { headers = [], ...more }: Call) =>
  call(server, { ...more, headers: [...headers, ['X-Forwarded-For', address]] });

const form = (path: string, fields: Record<string, string>, ...headers: Header[]): Call => ({
  method: 'POST',
  path,
  headers: [['Content-Type', 'application/x-www-form-urlencoded'], ...headers],
  body: `${new URLSearchParams(fields)}`,
});

const withAdminKey =
  (server: TestServer, method: string, path: string): Guess =>
  (address, right = false) =>
    from(server, address, { method, path, headers: [['X-Admin-Key', right ? adminKey : 'wrong']] });

/** Every endpoint with a credential of a program: what a refusal looks like there, and a way to guess. */
interface Door {
  readonly open: (server: TestServer) => Promise<Guess>;
  /** Of a wrong one; of one too many. */
  readonly refused?: number;
  readonly throttled?: number;
  /** Of the right one. */
  readonly passes?: number;
  readonly body: object;
}

const oauthBody = { error: 'temporarily_unavailable', error_description: 'too many attempts, wait a while' };
const plainBody = { error: 'too_many_requests', error_description: 'too many attempts, wait a while' };
const guardBody = { code: 429, message: 'too many attempts, wait a while' };

async function clientGuess(server: TestServer, path: string, fields: Record<string, string>): Promise<Guess> {
  const client = await buildClient(server, machine);
  return (address, right = false) =>
    from(
      server,
      address,
      form(path, fields, ['Authorization', basic(client.id, right ? client.secret : 'wrong')] as const),
    );
}
const grant = { grant_type: 'client_credentials' };

/** The right client token of a pair, or another with the same client in it. */
function pairGuess(server: TestServer, call: (pair: string) => Call, half: 'access' | 'refresh' | 'none') {
  return async (): Promise<Guess> => {
    const { clientToken, ...jwts } = await spaceGuardPair(server);
    const wrong = `${clientToken.slice(0, -43)}${'x'.repeat(43)}`;
    return (address, right = false) => {
      const token = right ? clientToken : wrong;
      return from(server, address, call(half === 'none' ? token : `${token}:${jwts[half]}`));
    };
  };
}
const guard = (path: string, half: 'refresh' | 'none'): Door => ({
  open: (server) =>
    pairGuess(
      server,
      (pair) => ({ method: 'POST', path: `/space-guard/api/v1${path}`, headers: bearer(pair) }),
      half,
    )(),
  body: guardBody,
});
const bearer = (pair: string): Header[] => [['Authorization', `Bearer: ${pair}`]];

const doors: Record<string, Door> = {
  'POST /clients/register': {
    open: async (server) => withAdminKey(server, 'POST', '/clients/register'),
    passes: 400,
    body: { success: false, ...oauthBody },
  },
  'PATCH /clients/{id}': {
    open: async (server) => withAdminKey(server, 'PATCH', '/clients/some-client'),
    passes: 400,
    body: { success: false, ...oauthBody },
  },
  'POST /internal/reload-clients': {
    open: async (server) => withAdminKey(server, 'POST', '/internal/reload-clients'),
    body: { success: false, ...oauthBody },
  },
  'GET /space-guard/api/v1/client-tokens': {
    open: async (server) => withAdminKey(server, 'GET', '/space-guard/api/v1/client-tokens'),
    passes: 400,
    body: guardBody,
  },
  'POST /space-guard/api/v1/client-tokens': {
    open: async (server) => withAdminKey(server, 'POST', '/space-guard/api/v1/client-tokens'),
    passes: 400,
    body: guardBody,
  },
  'DELETE /space-guard/api/v1/client-tokens/x': {
    open: async (server) => withAdminKey(server, 'DELETE', '/space-guard/api/v1/client-tokens/x'),
    passes: 400,
    body: guardBody,
  },
  'GET /metrics': {
    open: async (server) => (address, right) =>
      from(server, address, { path: '/metrics', headers: [['Authorization', `Bearer ${right ? adminKey : 'wrong'}`]] }),
    body: plainBody,
  },
  'POST /oauth/token': {
    open: (server) => clientGuess(server, '/oauth/token', grant),
    body: { ...oauthBody, success: false },
  },
  'POST /token': {
    open: (server) => clientGuess(server, '/token', grant),
    body: { ...oauthBody, success: false },
  },
  'POST /oauth/introspect': {
    open: (server) => clientGuess(server, '/oauth/introspect', { token: 'x' }),
    body: oauthBody,
  },
  'POST /oauth/revoke': { open: (server) => clientGuess(server, '/oauth/revoke', { token: 'x' }), body: oauthBody },
  'a secret in the form': {
    async open(server) {
      const { id, secret } = await buildClient(server, machine);
      return (address, right) =>
        from(
          server,
          address,
          form('/oauth/token', { ...grant, client_id: id, client_secret: right ? secret : 'wrong' }),
        );
    },
    body: { ...oauthBody, success: false },
  },
  'an assertion': {
    async open(server) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const jwk = { ...own.publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'k' };
      const method = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } };
      const client = await buildClient(server, { ...machine, ...method });
      return (address, right) => {
        const { privateKey } = right ? own : other;
        const assertion = jwt({ alg: 'ES256', kid: 'k' }, assertionClaims(server, client), privateKey);
        return from(server, address, form('/oauth/token', { ...grant, ...assertionForm(assertion) }));
      };
    },
    body: { ...oauthBody, success: false },
  },
  'POST /space-guard/api/v1/register-client': guard('/register-client', 'none'),
  'POST /space-guard/api/v1/refresh-client': guard('/refresh-client', 'refresh'),
  'the gateway': {
    open: (server) =>
      pairGuess(server, (pair) => ({ method: 'POST', path: '/write-data', headers: bearer(pair) }), 'access')(),
    body: { ...plainBody, reference: expect.any(String) },
  },
  '/gateway/verify/token': {
    open: (server) =>
      pairGuess(
        server,
        (pair) => ({ path: '/gateway/verify/token?tokens=space-guard', headers: bearer(pair) }),
        'access',
      )(),
    // nginx makes a 500 of a 429.
    throttled: 403,
    body: { ...plainBody, reference: expect.any(String) },
  },
  '/gateway/verify': {
    open: (server) =>
      pairGuess(
        server,
        (pair) => ({
          path: '/gateway/verify',
          headers: [...bearer(pair), ['X-Original-Method', 'POST'], ['X-Original-URI', '/write-data']],
        }),
        'access',
      )(),
    throttled: 403,
    body: { ...plainBody, reference: expect.any(String) },
  },
};

const records = async (server: TestServer, event: string) => {
  // Notes are written a moment later: a record comes after those that were noted before it.
  await server.core.audit.record('sign_out', {});
  return server.core.stores.audit.list({ event }, 1000);
};

describeStorages('wrong credentials of programs', (storage: Storage) => {
  let server: TestServer;
  let service: Service;
  let routes: ReturnType<typeof routesFile>;
  beforeAll(async () => {
    service = await openService();
    routes = routesFile([{ prefix: '/write-data', tokens: ['space-guard'], upstream: service.url }]);
    server = await storage.start({ ...env, GATEWAY_ROUTES: routes.file });
  });
  afterAll(async () => {
    await server.close();
    await service.close();
    routes.remove();
  });
  afterEach(comeBack);

  describe.each(Object.entries(doors))('S8: %s', (_name, door) => {
    test('refuses, then puts off, and takes the right one from elsewhere and afterwards', async () => {
      const guess = await door.open(server);
      const address = fresh();
      for (let n = 0; n < limit; n += 1) expect([n, (await guess(address)).status]).toEqual([n, door.refused ?? 401]);
      // Refused unseen: the answer must not tell a right one from a wrong one.
      for (const right of [false, true]) {
        const { status, headers, text } = await guess(address, right);
        const { error_uri: _where, ...body } = JSON.parse(text);
        expect([right, status, body]).toEqual([right, door.throttled ?? 429, door.body]);
        const seconds = Number(headers['retry-after']);
        expect([seconds > windowSeconds - 60, seconds <= windowSeconds]).toEqual([true, true]);
        expect(headers['www-authenticate']).toBeUndefined();
        if (door.throttled === 403) expect(headers['x-gatehouse-reason']).toBe('too_many_requests');
      }
      expect((await guess(fresh(), true)).status).toBe(door.passes ?? 200);
      travel(windowSeconds + 1);
      expect((await guess(address, true)).status).not.toBe(429);
    });
  });

  test('S8: all endpoints with an admin key share one count, and nothing but a wrong key counts', async () => {
    const address = fresh();
    for (let n = 0; n < 3 * limit; n += 1) {
      expect((await from(server, address, { path: '/metrics' })).status).toBe(401);
      expect((await from(server, address, { method: 'POST', path: '/internal/reload-clients' })).status).toBe(401);
    }
    for (const door of ['GET /metrics', 'POST /clients/register', 'GET /space-guard/api/v1/client-tokens'])
      expect((await (await doors[door]?.open(server))?.(address))?.status).toBe(401);
    const reload = withAdminKey(server, 'POST', '/internal/reload-clients');
    for (let n = 3; n < limit; n += 1) expect((await reload(address)).status).toBe(401);
    expect((await reload(address, true)).status).toBe(429);
  });

  test('S8: an IPv6 network is one address', async () => {
    const reload = withAdminKey(server, 'POST', '/internal/reload-clients');
    for (let n = 0; n < limit; n += 1) await reload(`2001:db8:1:2::${n + 1}`);
    expect((await reload('2001:db8:1:2:ffff::1', true)).status).toBe(429);
    expect((await reload('2001:db8:1:3::1', true)).status).toBe(200);
  });

  test('S8: one client with an old secret does not hold back the others behind its address', async () => {
    const address = fresh();
    const [broken, good] = [
      await clientGuess(server, '/oauth/token', grant),
      await clientGuess(server, '/oauth/token', grant),
    ];
    for (let n = 0; n < 20 * limit; n += 1) await broken(address);
    expect((await broken(address)).status).toBe(429);
    expect((await good(address, true)).status).toBe(200);
  });

  test('S8: inventing ids is no way around it; a client that has proved itself from there is not held back', async () => {
    const address = fresh();
    const [known, other] = [
      await clientGuess(server, '/oauth/token', grant),
      await clientGuess(server, '/oauth/token', grant),
    ];
    expect((await known(address, true)).status).toBe(200);
    const invented = (n: number) =>
      from(server, address, form('/oauth/token', grant, ['Authorization', basic(`invented-${n}`, 'wrong')]));
    for (let n = 0; n < 10 * limit; n += 1) expect([n, (await invented(n)).status]).toEqual([n, 401]);
    expect((await invented(-1)).status).toBe(429);
    expect((await other(address, true)).status).toBe(429);
    expect((await other(fresh(), true)).status).toBe(200);
    expect((await known(address, true)).status).toBe(200);
  });

  test('S8: an id that no client has is put off as one that there is, and holds no client back', async () => {
    const address = fresh();
    const right = await clientGuess(server, '/oauth/token', grant);
    const none = () =>
      from(server, address, form('/oauth/token', grant, ['Authorization', basic('none-such', 'wrong')]));
    for (let n = 0; n < limit; n += 1) expect((await none()).status).toBe(401);
    expect((await none()).status).toBe(429);
    expect((await right(address, true)).status).toBe(200);
  });

  test('S8: a client that sends nothing to prove itself, a public one, and a malformed request count for nothing', async () => {
    const address = fresh();
    const confidential = await buildClient(server, machine);
    const requests = [
      form('/oauth/token', { ...grant, client_id: confidential.id }),
      form('/oauth/token', { ...grant, client_id: 'there-is-none' }),
      form('/oauth/token', grant),
      form('/oauth/token', grant, ['Authorization', 'Basic %%%']),
    ];
    for (const request of requests)
      for (let n = 0; n < 2 * limit; n += 1) expect((await from(server, address, request)).status).toBeLessThan(429);
    const right = form('/oauth/token', grant, ['Authorization', basic(confidential.id, confidential.secret)]);
    expect((await from(server, address, right)).status).toBe(200);
  });

  test('S8: an access token that has ended is no wrong credential', async () => {
    const address = fresh();
    const { clientToken, access } = await spaceGuardPair(server);
    const ask = (jwt: string) =>
      from(server, address, { method: 'POST', path: '/write-data', headers: bearer(`${clientToken}:${jwt}`) });
    for (let n = 0; n < 3 * limit; n += 1) expect((await ask(`${access.slice(0, -4)}AAAA`)).status).toBe(401);
    expect((await ask(access)).status).toBe(200);
  });

  test('S8: JSON, whatever the caller accepts', async () => {
    const guess = await buildClient(server, machine);
    const address = fresh();
    const html = ['Accept', 'text/html'] as const;
    const ask = () =>
      from(server, address, form('/oauth/token', grant, ['Authorization', basic(guess.id, 'wrong')], html));
    for (let n = 0; n < limit; n += 1) expect((await ask()).status).toBe(401);
    const { status, headers, text } = await ask();
    expect([status, headers['content-type']]).toEqual([429, 'application/json; charset=utf-8']);
    expect([Number(headers['retry-after']) > 0, JSON.parse(text).error]).toEqual([true, 'temporarily_unavailable']);
  });

  test('S8: of many guesses at once no more than the limit are looked at', async () => {
    const address = fresh();
    const guess = await clientGuess(server, '/oauth/token', grant);
    const statuses = await Promise.all(Array.from({ length: 60 }, async () => (await guess(address)).status));
    expect(statuses.filter((status) => status === 401)).toHaveLength(limit);
    expect(statuses.filter((status) => status === 429)).toHaveLength(60 - limit);
  });

  test('S8: the first failure and the crossing of the limit are on record, with the address and without the guess', async () => {
    const address = fresh();
    const client = await buildClient(server, machine);
    const secret = 'a-guess-at-a-secret';
    for (let n = 0; n < 4 * limit; n += 1) {
      await from(server, address, form('/oauth/token', grant, ['Authorization', basic(client.id, secret)]));
      await from(server, address, form('/oauth/token', grant, ['Authorization', basic('made-up', secret)]));
      await from(server, address, { path: '/metrics', headers: [['Authorization', `Bearer ${secret}`]] });
    }
    const ofHere = async (event: string) => (await records(server, event)).filter((each) => each.address === address);
    for (const event of ['client_auth.failed', 'client_auth.throttled']) {
      const found = await ofHere(event);
      expect(found.map(({ clientId, detail }) => ({ clientId, detail }))).toEqual([
        { clientId: client.id, detail: { via: 'oauth' } },
      ]);
    }
    for (const event of ['admin_key.failed', 'admin_key.throttled'])
      expect((await ofHere(event)).map(({ detail }) => detail)).toEqual([{ via: 'metrics' }]);
    expect(JSON.stringify([...(await ofHere('client_auth.failed')), ...server.logged])).not.toContain(secret);
  });

  test('S8: guesses from everywhere do not fill the audit trail, and the next record says how many are missing', async () => {
    const own = await storage.start(env);
    const reload = withAdminKey(own, 'POST', '/internal/reload-clients');
    for (let n = 0; n < 130; n += 1) expect((await reload(fresh())).status).toBe(401);
    expect(await records(own, 'admin_key.failed')).toHaveLength(100);
    travel(3601);
    await reload(fresh());
    const [newest, ...others] = await records(own, 'admin_key.failed');
    expect([newest?.detail, others.length]).toEqual([{ via: 'X-Admin-Key', omitted: 30 }, 100]);
    const { body } = await own.core.metrics.page();
    expect(body).toContain('gatehouse_credential_failures_total{kind="admin_key",outcome="refused"} 131');
    comeBack();
    await own.close();
  });

  test('S8: a right credential costs no round trip, also from an address that has failed before', async () => {
    const address = fresh();
    const client = await buildClient(server, { ...machine, scope: 'user' });
    await server.core.apis.add({
      identifier: 'https://cheap.example/',
      name: 'Cheap',
      scopes: [{ name: 'cheap', sentence: 'x' }],
    });
    const fields = { ...grant, resource: 'https://cheap.example/' };
    const ask = (secret: string) =>
      from(server, address, form('/oauth/token', fields, ['Authorization', basic(client.id, secret)]));
    expect((await ask('wrong')).status).toBe(401);
    const cost = await leastRoundTrips(server.core.stores, async () => {
      expect((await ask(client.secret)).status).toBe(200);
    });
    expect(cost).toBe(0);
  });
});

describeStorages('wrong credentials of programs on two nodes', (storage) => {
  const run = isTested('Redis') ? test : test.skip;

  run('S8: nodes with one Redis share the count; one that loses it goes on with its own', async () => {
    const redis = await startTestRedis();
    const withRedis = { ...env, REDIS_URL: patiently(redis.url) };
    const one = await storage.start(withRedis);
    const two = await storage.join(one, withRedis);
    try {
      const client = await buildClient(one, machine);
      const asked = async (server: TestServer, address: string, secret: string) => {
        const request = form('/oauth/token', grant, ['Authorization', basic(client.id, secret)]);
        return (await from(server, address, request)).status;
      };
      await eventually(
        'the second node knows the client',
        async () => (await asked(two, fresh(), client.secret)) === 200,
      );
      const address = fresh();
      const statuses: number[] = [];
      for (let n = 0; n < 4 * limit; n += 1) {
        statuses.push(await asked(one, address, 'wrong'));
        statuses.push(await asked(two, address, 'wrong'));
      }
      expect(statuses.filter((status) => status === 401)).toHaveLength(limit);
      for (const node of [one, two]) {
        expect(await asked(node, address, client.secret)).toBe(429);
        expect(await asked(node, fresh(), client.secret)).toBe(200);
      }

      const admin = fresh();
      for (let n = 0; n < 2 * limit; n += 1)
        await withAdminKey(n % 2 === 0 ? one : two, 'POST', '/internal/reload-clients')(admin);
      for (const node of [one, two])
        expect((await withAdminKey(node, 'POST', '/internal/reload-clients')(admin, true)).status).toBe(429);

      await redis.kill();
      const later = fresh();
      const alone = [];
      for (let n = 0; n < limit + 3; n += 1) alone.push(await asked(one, later, 'wrong'));
      expect(alone).toEqual([...Array<number>(limit).fill(401), 429, 429, 429]);
      expect(await asked(one, fresh(), client.secret)).toBe(200);
    } finally {
      await one.close();
      await redis.close();
    }
  });
});
