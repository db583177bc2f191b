/** How long a replaced refresh token returns its replacement, to whom, and what is noted about it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import {
  atOnce,
  codeFor,
  comeBack,
  recorded,
  redeem,
  refresh,
  served,
  stopClock,
  type TestClient,
  tokensFor,
  travel,
  userinfo,
} from '../support/flow.ts';
import { linkIn, mailsTo, mailTo } from '../support/mail.ts';
import { eventually } from '../support/redis-server.ts';
import { leastRoundTrips } from '../support/round-trips.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const publicClient = { token_endpoint_auth_method: 'none' };
const api = 'https://api.example.com';
const other = 'https://other.example.com';

/** The network of a caller, as a proxy on this machine names it. */
const from = (address: string) => ({ 'x-forwarded-for': address });

async function refreshedFrom(server: TestServer, client: TestClient, value: string | undefined, address: string) {
  const response = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    headers: from(address),
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: value ?? '', client_id: client.id }),
  });
  return (await response.json()) as { refresh_token?: string };
}

describeStorages('reuse of refresh tokens', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ TRUST_PROXY: '127.0.0.1,::1', THROTTLE_ADDRESS_LIMIT: '100000' });
    for (const identifier of [api, other])
      await server.core.apis.add({ identifier, name: identifier, scopes: [{ name: 'read', sentence: 'Read.' }] });
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  const refused = async (client: TestClient, value: string | undefined) =>
    expect((await refresh(server, client, value)).body).toMatchObject({ error: 'invalid_grant' });

  /** A family of two generations: the clock stands at the moment of the rotation. */
  async function family(metadata: Record<string, unknown> = {}, at = server) {
    stopClock();
    const client = await buildClient(at, { ...publicClient, ...metadata });
    const { body: first, person } = await tokensFor(at, client);
    const { body: second } = await refresh(at, client, first.refresh_token);
    expect(second.refresh_token).toEqual(expect.any(String));
    return { client, person, first: first.refresh_token, second: second.refresh_token };
  }

  const windows: Record<string, [Record<string, unknown>, number]> = {
    'without a rule: the 60 seconds of all public clients': [{}, 60],
    'window without seconds: the same': [{ refresh_reuse: 'window' }, 60],
    'window with seconds: at most 15 minutes': [{ refresh_reuse: 'window', refresh_reuse_seconds: 900 }, 900],
    'until-used: half an hour': [{ refresh_reuse: 'until-used' }, 1800],
  };
  for (const [name, [metadata, seconds]] of Object.entries(windows)) {
    test(`${name}; then the family ends`, async () => {
      const { client, first, second } = await family(metadata);
      travel(seconds - 1);
      stopClock();
      expect((await refresh(server, client, first)).body.refresh_token).toBe(second);
      travel(1);
      await refused(client, first);
      await refused(client, second);
    });

    test(`C11: ${name}; a token two generations old ends the family at once`, async () => {
      const { client, first, second } = await family(metadata);
      const { body } = await refresh(server, client, second);
      await refused(client, first);
      await refused(client, body.refresh_token);
    });
  }

  test('strict: the second use ends the family', async () => {
    const { client, first, second } = await family({ refresh_reuse: 'strict' });
    await refused(client, first);
    await refused(client, second);
  });

  test('a rule that an operator changes holds for tokens that were replaced before', async () => {
    const { client, first, second } = await family();
    travel(100);
    const patched = await server.app.clients.patch(
      client.id,
      (stored) => ({ ...stored, refresh_reuse: 'until-used' }),
      {
        by: 'cli',
      },
    );
    expect(patched.outcome).toBe('updated');
    expect((await refresh(server, client, first)).body.refresh_token).toBe(second);
  });

  test('the same replacement only for the same scope and resource; another request is refused and burns nothing', async () => {
    const client = await buildClient(server, publicClient);
    const scope = 'openid email offline_access read';
    const { body: first } = await tokensFor(server, client, { scope, extra: { resource: api, prompt: 'consent' } });
    const narrow = await refresh(server, client, first.refresh_token, { scope: 'email openid', resource: api });
    expect(narrow.status).toBe(200);
    const again = (extra: Record<string, string>) => refresh(server, client, first.refresh_token, extra);
    const same = await again({ scope: 'openid email', resource: api });
    expect(same.body).toMatchObject({ refresh_token: narrow.body.refresh_token, scope: narrow.body.scope });
    for (const extra of [{}, { resource: api }, { scope: 'openid' }, { scope: 'openid email read', resource: api }]) {
      const differs = await again(extra);
      expect([extra, differs.status, differs.body.error]).toEqual([extra, 400, 'invalid_grant']);
      expect(differs.body).not.toHaveProperty('access_token');
      await server.core.refusals.close();
      expect(await recorded(server, differs)).toMatchObject({
        check: 'refresh_differs',
        expected: 'the scope, resource and DPoP key of the request that replaced the token',
      });
    }
    expect((await refresh(server, client, narrow.body.refresh_token)).status).toBe(200);
  });

  test('parameters that say what is the default are no difference', async () => {
    const client = await buildClient(server, publicClient);
    const { body: first } = await tokensFor(server, client, { scope: 'openid email' });
    const { body: second } = await refresh(server, client, first.refresh_token);
    const { body: again } = await refresh(server, client, first.refresh_token, { scope: 'email openid' });
    expect(again.refresh_token).toBe(second.refresh_token);
  });

  test('another client gets nothing within the window, and nothing is burned', async () => {
    const { client, first, second } = await family();
    const stranger = await buildClient(server, publicClient);
    await refused(stranger, first);
    expect((await refresh(server, client, first)).body.refresh_token).toBe(second);
  });

  const sharedOf = async (client: TestClient, at = server) => {
    const noted = await at.core.stores.audit.list({ event: 'grant.shared', clientId: client.id }, 10);
    return noted.map(({ detail, subject, address }) => ({ ...detail, subject, address }));
  };

  test('a replacement that goes out more than three times is noted once, whatever comes after', async () => {
    const { client, person, first, second } = await family();
    const again = async () => expect((await refresh(server, client, first)).body.refresh_token).toBe(second);
    await again();
    await again();
    // A record that comes later shows that none was waiting.
    server.core.audit.note('sign_out', { clientId: client.id });
    await eventually('noted', async () => {
      const { length } = await server.core.stores.audit.list({ event: 'sign_out', clientId: client.id }, 1);
      return length === 1;
    });
    expect(await sharedOf(client)).toEqual([]);
    for (let more = 0; more < 3; more += 1) await again();
    await eventually('noted', async () => (await sharedOf(client)).length > 0);
    expect(await sharedOf(client)).toEqual([
      {
        grantId: expect.any(String),
        times: 4,
        second_network: false,
        subject: person.subject,
        address: expect.any(String),
      },
    ]);
  });

  test('of 50 at once over two nodes one is noted', async () => {
    const nodes = [server, await storage.join(server)];
    const client = await buildClient(server, publicClient);
    await eventually(
      'the other node knows the client',
      async () => (await nodes[1]?.core.cached.find(client.id)) !== undefined,
    );
    const { body } = await tokensFor(server, client);
    const { all } = await atOnce(50, (n) => served(() => refresh(nodes[n % 2] ?? server, client, body.refresh_token)));
    expect(new Set(all.map((answer) => answer.body.refresh_token)).size).toBe(1);
    await eventually('noted', async () => (await sharedOf(client)).length > 0);
    expect(await sharedOf(client)).toHaveLength(1);
  });

  test('one that goes to a second network is noted at once, with that address; the same network is not', async () => {
    const client = await buildClient(server, publicClient);
    const { body } = await tokensFor(server, client);
    const once = await refreshedFrom(server, client, body.refresh_token, '2001:db8:1:1::1');
    const near = await refreshedFrom(server, client, body.refresh_token, '2001:db8:1:1::2');
    const far = await refreshedFrom(server, client, body.refresh_token, '2001:db8:1:2::1');
    expect([near.refresh_token, far.refresh_token]).toEqual([once.refresh_token, once.refresh_token]);
    await eventually('noted', async () => (await sharedOf(client)).length > 0);
    expect(await sharedOf(client)).toMatchObject([{ times: 3, second_network: true, address: '2001:db8:1:2::1' }]);
  });

  test('a repeat costs two round trips, as the first use does', async () => {
    const { client, first } = await family();
    const repeat = async () => void expect((await refresh(server, client, first)).status).toBe(200);
    expect(await leastRoundTrips(server.core.stores, repeat)).toBe(2);
  });

  test('an old token that ends a family: the record says why, and it is noted with the caller', async () => {
    const { client, person, first, second } = await family();
    await refresh(server, client, second);
    const replay = await refresh(server, client, first);
    expect(replay.body).toMatchObject({ error: 'invalid_grant' });
    await server.core.refusals.close();
    expect(await recorded(server, replay)).toMatchObject({
      check: 'refresh_replayed',
      expected: 'a refresh token that was not replaced, or less than 60 seconds ago by one that is unused',
      received: 'used 0 seconds ago by the same client; its replacement was used too',
    });
    await eventually('noted', async () => {
      const [noted] = await server.core.stores.audit.list({ event: 'grant.replayed', clientId: client.id }, 10);
      return noted?.subject === person.subject && noted.detail.kind === 'refresh_token' && noted.address !== null;
    });
  });
});

describe('the settings of reuse', () => {
  afterEach(comeBack);

  const goesOn = async (server: TestServer, metadata: Record<string, unknown>, origin: 'admin' | 'dynamic') => {
    stopClock();
    const made = await buildClient(server, { ...publicClient, ...metadata });
    const client = origin === 'admin' ? made : { id: `dynamic-${made.id}` };
    if (origin === 'dynamic')
      await server.core.stores.clients.insert({ ...made.record, id: client.id, origin: origin as 'admin' });
    const { body: first } = await tokensFor(server, client);
    await refresh(server, client, first.refresh_token);
    travel(40);
    const { status } = await refresh(server, client, first.refresh_token);
    comeBack();
    return status === 200;
  };

  const cases: readonly [Record<string, string>, inWindow: boolean, dynamicInWindow: boolean][] = [
    [{ REFRESH_REUSE_WINDOW: '10' }, true, true],
    [{ REFRESH_REUSE_WINDOW: '0' }, false, false],
    [{ CLIENT_REFRESH_REUSE_WINDOW: '30' }, false, false],
    [{ CLIENT_REFRESH_REUSE_WINDOW: '0', DYNAMIC_CLIENT_REFRESH_REUSE_WINDOW: '900' }, false, true],
    [{ REFRESH_REUSE_WINDOW: '0', CLIENT_REFRESH_REUSE_WINDOW: '60' }, true, true],
    [{ DYNAMIC_CLIENT_REFRESH_REUSE_WINDOW: '0' }, true, false],
  ];
  for (const [env, registered, dynamic] of cases) {
    test(`${JSON.stringify(env)}`, async () => {
      const server = await startServer({ env });
      try {
        expect([await goesOn(server, {}, 'admin'), await goesOn(server, {}, 'dynamic')]).toEqual([registered, dynamic]);
        // A client's own rule comes first.
        expect(await goesOn(server, { refresh_reuse: 'strict' }, 'admin')).toBe(false);
        expect(await goesOn(server, { refresh_reuse: 'window', refresh_reuse_seconds: 41 }, 'admin')).toBe(true);
      } finally {
        await server.close();
      }
    });
  }
});

describe('the person whose application lost its access', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  async function replayed(client: TestClient, options: Parameters<typeof tokensFor>[2] = {}) {
    const { body: first, person, agent } = await tokensFor(server, client, options);
    const { body: second } = await refresh(server, client, first.refresh_token);
    await refresh(server, client, second.refresh_token);
    await refresh(server, client, first.refresh_token);
    await server.core.mails.settled();
    return { person, agent };
  }

  test('reads why in a mail and on the account page', async () => {
    const client = await buildClient(server, { ...publicClient, client_name: 'Bookshelf' });
    const { person, agent } = await replayed(client);
    const mail = await mailTo(server, person.email ?? '', 'access-ended');
    expect(mail.subject).toMatch(/^Bookshelf no longer has access to your account at /);
    expect(mail.text).toContain('An old token of Bookshelf was used again');
    expect(linkIn(mail)).toBe(`${server.url}/account/connections`);
    const page = await agent.go('/account/activity');
    expect(page.text).toContain('An old token was used again');
    expect(page.text).toContain('Bookshelf');
  });

  test('a name that no operator has reviewed is not mailed, and mails are limited', async () => {
    const client = await buildClient(server, { ...publicClient, client_name: 'Call +1 555 0100 at once' }, 'person');
    const { person, agent } = await replayed(client);
    const address = person.email ?? '';
    expect((await mailTo(server, address, 'access-ended')).subject).toContain(client.id);
    for (let more = 0; more < 6; more += 1) await replayed(client, { person, agent });
    const mails = (await mailsTo(server, address)).filter(({ kind }) => kind === 'access-ended');
    expect(mails).toHaveLength(5);
    expect(mails.some(({ text }) => text.includes('555'))).toBe(false);
  });

  test('a code that is redeemed twice ends its grant without a mail', async () => {
    const client = await buildClient(server, publicClient);
    const { grant, person, agent } = await codeFor(server, client, { agent: new Agent(server) });
    const { body } = await redeem(server, client, grant);
    await redeem(server, client, grant);
    expect((await userinfo(server, body.access_token)).status).toBe(401);
    const mails = await mailsTo(server, person.email ?? '');
    expect(mails.filter(({ kind }) => kind === 'access-ended')).toEqual([]);
    expect((await agent.go('/account/activity')).text).toContain('was used again');
  });
});
