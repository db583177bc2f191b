/** S16: what the bearer of a tinyoauth token, which a password alone gives, may consent to at `/authorize`. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, codeOf, pkce } from '../support/agent.ts';
import { bearer, call, posting } from '../support/call.ts';
import { codeFor, redeem, refresh } from '../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const callback = 'https://app.example.com/cb';
const orders = 'https://orders.example/api';

describeStorages('consent by a tinyoauth token', (storage) => {
  let server: TestServer;
  let person: Awaited<ReturnType<typeof buildPerson>>;
  let token: string;
  let own: { id: string; secret: string };
  beforeAll(async () => {
    server = await storage.start();
    const scopes = [
      { name: 'orders:read', sentence: 'See your orders' },
      { name: 'user', sentence: 'Another scope of this name' },
    ];
    const added = await server.core.apis.add({ identifier: orders, name: 'Orders', scopes });
    expect(added.outcome).toBe('saved');
    person = await buildPerson(server);
    token = await tokenOf(person.username);
    own = await applicationOf(token);
  });
  afterAll(() => server.close());

  async function tokenOf(username: string): Promise<string> {
    return JSON.parse((await call(server, posting('/login', { username, password }))).text).token;
  }
  async function applicationOf(of: string) {
    const metadata = { name: 'Bookshelf', redirect_uri: callback };
    const { client_id: id, client_secret: secret } = JSON.parse(
      (await call(server, posting('/client', metadata, bearer(of)))).text,
    );
    return { id, secret };
  }
  type Pairs = [string, string][];
  /** By GET, by a form and by JSON: one answer. */
  async function authorize(
    client: { id: string },
    more: Record<string, string> | Pairs = {},
  ): Promise<URLSearchParams> {
    const extra: Pairs = Array.isArray(more) ? more : Object.entries(more);
    const given: Pairs = [
      ...Object.entries({ response_type: 'code', client_id: client.id, redirect_uri: callback, state: 'xyz' }),
      ...extra,
    ];
    const query = new URLSearchParams(given.filter(([, value]) => value !== ''));
    const form = ['Content-Type', 'application/x-www-form-urlencoded'] as const;
    const answers = [
      await call(server, { path: `/authorize?${query}`, headers: [bearer(token)] }),
      await call(server, { method: 'POST', path: '/authorize', headers: [bearer(token), form], body: `${query}` }),
      await call(server, posting('/authorize', Object.fromEntries(query), bearer(token))),
    ];
    const found = answers.map(({ status, headers }) => {
      const location = new URL(String(headers.location), server.url);
      expect([status, location.origin + location.pathname]).toEqual([302, callback]);
      return location.searchParams;
    });
    const summary = found.map((params) => [params.get('error'), params.get('state'), params.has('code')]);
    expect(summary).toEqual([summary[0], summary[0], summary[0]]);
    expect(found[0]?.get('state')).toBe('xyz');
    return found[0] ?? new URLSearchParams();
  }
  const errorOf = async (...asked: Parameters<typeof authorize>) => (await authorize(...asked)).get('error');

  const { challenge } = pkce();
  const proof = { code_challenge: challenge, code_challenge_method: 'S256' };

  test.each<[string, Record<string, unknown>, 'admin' | 'register']>([
    ['a public client', { token_endpoint_auth_method: 'none' }, 'admin'],
    [
      'a public client that was to leave PKCE out',
      { token_endpoint_auth_method: 'none', require_pkce: false },
      'admin',
    ],
    ['a confidential client', { require_pkce: false }, 'admin'],
    ['a client of /clients/register', {}, 'register'],
  ])('S16: %s of an operator is unauthorized_client, with PKCE and without', async (_name, metadata, origin) => {
    const client = await buildClient(server, metadata, origin);
    for (const more of [{}, proof, { scope: 'openid' }, { ...proof, scope: 'orders:read' }])
      expect(await errorOf(client, more)).toBe('unauthorized_client');
    expect(await server.core.stores.consents.find(person.subject, client.id)).toBeUndefined();
  });

  test('S16: a built-in client too; an unknown one, or another redirect URI, is 400 and never a redirect', async () => {
    const params = { response_type: 'code', client_id: 'gatehouse-account', ...proof, scope: 'openid' };
    const asked = await call(server, { path: `/authorize?${new URLSearchParams(params)}`, headers: [bearer(token)] });
    expect(new URL(String(asked.headers.location)).searchParams.get('error')).toBe('unauthorized_client');
    const operators = await buildClient(server);
    for (const change of [
      { client_id: 'nobody' },
      { client_id: operators.id, redirect_uri: 'https://evil.example/' },
    ]) {
      const query = new URLSearchParams({ ...params, ...change });
      const answer = await call(server, { path: `/authorize?${query}`, headers: [bearer(token)] });
      expect([answer.status, answer.headers.location]).toEqual([400, undefined]);
    }
  });

  test('S16: an application of any person may be allowed, before a review and after it', async () => {
    const theirs = await applicationOf(await tokenOf((await buildPerson(server)).username));
    for (const client of [own, theirs]) expect((await authorize(client)).has('code')).toBe(true);
    await server.app.clients.review(theirs.id);
    expect((await authorize(theirs)).has('code')).toBe(true);
  });

  test('S16: a public application of a person needs PKCE', async () => {
    const metadata = { token_endpoint_auth_method: 'none' };
    const open = await buildClient(server, metadata, 'person');
    expect(await errorOf(open)).toBe('invalid_request');
    expect((await authorize(open, proof)).has('code')).toBe(true);
  });

  describe('scopes', () => {
    test.each(['user', 'openid', 'openid profile email', 'openid user', 'profile', 'user unknown:scope', ''])(
      'S16: %j is allowed',
      async (scope) => {
        const code = (await authorize(own, { scope })).get('code') ?? '';
        expect((await redeem(server, own, { code })).status).toBe(200);
      },
    );

    test.each(['orders:read', 'user orders:read', 'openid orders:read', 'offline_access', 'openid offline_access'])(
      'S16: %j is invalid_scope',
      async (scope) => {
        expect(await errorOf(own, { scope })).toBe('invalid_scope');
      },
    );

    test.each(['phone_number', 'phone_number_verified', 'address', 'groups'])(
      'S16: %s by the claims parameter is invalid_request, as its scope would be refused',
      async (claim) => {
        for (const use of ['userinfo', 'id_token']) {
          const claims = JSON.stringify({ [use]: { email: null, [claim]: null } });
          expect(await errorOf(own, { scope: 'openid', claims })).toBe('invalid_request');
        }
        expect(await errorOf(own, { scope: 'openid', claims: '{"userinfo":{"email":null,"name":null}}' })).toBe(null);
      },
    );

    test.each(['unknown:scope', 'unknown:scope another'])(
      'S16: nothing is left of %j: invalid_scope',
      async (scope) => {
        expect(await errorOf(own, { scope })).toBe('invalid_scope');
      },
    );
  });

  describe('resources', () => {
    test('S16: the user API may be named; any other is invalid_target, also for a scope of the same name', async () => {
      const userApi = `${server.url}/user`;
      const code = (await authorize(own, { resource: userApi, scope: 'user' })).get('code') ?? '';
      expect((await redeem(server, own, { code })).body.scope).toBe('user');
      for (const resource of [orders, 'https://nothing.example'])
        for (const scope of ['user', 'openid', 'orders:read', ''])
          expect(await errorOf(own, { resource, scope })).toBe('invalid_target');
    });
  });

  describe('scopes that an API has marked for bearers', () => {
    const stock = 'https://stock.example';
    beforeAll(async () => {
      const mark = (name: string, marks: object) => ({ name, sentence: 'It.', ...marks });
      const scopes = [
        mark('stock:see', { bearer: true, default: true }),
        mark('stock:all', { bearer: true, held: true }),
        mark('stock:sell', {}),
        mark('shop:buy', {}),
      ];
      await server.core.apis.add({ identifier: stock, name: 'Stock', scopes });
      const shop = { identifier: 'https://shop.example', name: 'Shop' };
      await server.core.apis.add({ ...shop, scopes: [mark('shop:buy', { bearer: true })] });
    });

    test.each<[Record<string, string>, string]>([
      [{ scope: 'stock:see' }, 'stock:see'],
      [{ scope: 'openid stock:see' }, 'openid stock:see'],
      [{ scope: 'stock:see', resource: stock }, 'stock:see'],
      [{ resource: stock, scope: '' }, 'stock:see'],
    ])('S16: %j is allowed', async (asked, granted) => {
      const mine = await applicationOf(token);
      const { body } = await redeem(server, mine, { code: (await authorize(mine, asked)).get('code') ?? '' });
      expect(body.scope).toBe(granted);
    });

    test.each(['stock:sell', 'stock:see stock:sell', 'stock:all', 'shop:buy', 'openid stock:sell'])(
      'S16: %j of that API is invalid_scope, also where another API has marked one of this name',
      async (scope) => {
        expect(await errorOf(own, { scope, resource: stock })).toBe('invalid_scope');
      },
    );
  });

  describe('what the person has allowed in the browser', () => {
    test('S16: is not widened by a call, neither for the browser nor for what the call itself gives', async () => {
      const { agent } = await codeFor(server, own, { person });
      const before = await server.core.stores.consents.find(person.subject, own.id);
      expect(before).toMatchObject({ scopes: ['openid'], resources: {} });
      const code = (await authorize(own, { scope: 'user' })).get('code') ?? '';
      const { body } = await redeem(server, own, { code });
      expect(body.scope).toBe('user');
      expect((await refresh(server, own, body.refresh_token, { scope: 'user orders:read' })).body.error).toBe(
        'invalid_scope',
      );
      expect(await server.core.stores.consents.find(person.subject, own.id)).toEqual(before);
      for (const scope of ['openid email', 'user']) {
        const query = { ...proof, response_type: 'code', client_id: own.id, prompt: 'none', scope };
        const silent = await agent.go(`/oauth/authorize?${new URLSearchParams(query)}`, { follow: false });
        expect(new URL(silent.location ?? '').searchParams.get('error')).toBe('consent_required');
      }
    });

    test('S16: a wide consent of the browser does not let a call have more', async () => {
      const mine = await applicationOf(token);
      await codeFor(server, mine, { person, scope: 'openid offline_access', extra: { prompt: 'consent' } });
      await codeFor(server, mine, { person, scope: 'orders:read', extra: { resource: orders } });
      expect(await errorOf(mine, { scope: 'openid offline_access' })).toBe('invalid_scope');
      expect(await errorOf(mine, { scope: 'orders:read' })).toBe('invalid_scope');
      expect(await errorOf(mine, { scope: 'orders:read', resource: orders })).toBe('invalid_target');
    });
  });

  test('S16: in the browser an operator’s client, and other APIs, are asked for as before', async () => {
    const client = await buildClient(server);
    const answer = await new Agent(server).authorize(person, {
      ...proof,
      client_id: client.id,
      scope: 'orders:read',
      resource: orders,
    });
    expect(codeOf(answer)).not.toBe('');
  });
});
