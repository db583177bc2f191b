/** A registered client reads, replaces and ends its registration (RFC 7592); E3 and E4 of security.md. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, token } from '../support/agent.ts';
import { call, posting } from '../support/call.ts';
import { claimsOf, codeFor, isActive, redeem, refresh, tokensFor, userApiTakes, userinfo } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { managing, registering } from './registering.ts';

const callback = 'https://agent.example.com/cb';
const agent = { client_name: 'Book agent', redirect_uris: [callback], token_endpoint_auth_method: 'none' };

describeStorages('the management of a registration', (storage) => {
  let server: TestServer;
  let second: TestServer;
  beforeAll(async () => {
    const ceiling = { DYNAMIC_CLIENT_SCOPES: 'openid profile user offline_access' };
    server = await storage.start({ REGISTRATION: 'open', ...ceiling });
    second = await storage.join(server, { REGISTRATION: 'open', ...ceiling });
  });
  afterAll(() => server.close());

  async function make(metadata: object = agent) {
    const { status, body } = await registering(server, metadata);
    expect([status, body.error_description]).toEqual([201, undefined]);
    return { id: String(body.client_id), token: String(body.registration_access_token), body };
  }
  const stored = (id: string) => server.core.stores.clients.find(id);

  test('it is read as it was answered, without the secret, and names its own address', async () => {
    const { id, token, body } = await make({ ...agent, token_endpoint_auth_method: 'client_secret_basic' });
    const { client_secret: secret, client_secret_expires_at: _at, ...rest } = body;
    expect(secret).toEqual(expect.any(String));
    expect(rest.registration_client_uri).toBe(`${server.url}/oauth/register/${id}`);
    const read = await managing(server, 'GET', { id, token });
    expect([read.status, read.body]).toEqual([200, rest]);
    expect(read.headers['cache-control']).toBe('no-store');
    expect((await managing(second, 'GET', { id, token })).status).toBe(200);
  });

  test('it is replaced: a missing member gets its default, the token stays, both nodes know', async () => {
    const { id, token, body } = await make({ ...agent, contacts: ['a@example.org'], scope: 'openid user' });
    // As clients do: the whole answer comes back with a change.
    const changed = await managing(
      server,
      'PUT',
      { id, token },
      { ...body, client_name: 'Other agent', contacts: null },
    );
    expect([changed.status, changed.body.dropped]).toEqual([200, undefined]);
    expect(changed.body).toMatchObject({ client_id: id, client_name: 'Other agent', scope: 'openid user' });
    expect(changed.body.registration_access_token).toBe(token);
    expect(changed.body).not.toHaveProperty('contacts');
    expect((await managing(second, 'GET', { id, token })).body).toEqual(changed.body);
    const [event] = await server.core.stores.audit.list({ event: 'client.updated', clientId: id }, 1);
    expect(event?.detail).toMatchObject({ via: 'registration', members: ['client_name', 'contacts'] });
  });

  test('a change that makes a secret necessary answers with one; a secret in the request must be the current one', async () => {
    const { id, token, body } = await make({ ...agent, token_endpoint_auth_method: 'client_secret_post' });
    const whole = { ...agent, client_id: id, token_endpoint_auth_method: 'client_secret_post' };
    const same = await managing(server, 'PUT', { id, token }, { ...whole, client_secret: body.client_secret });
    expect([same.status, same.body.client_secret]).toEqual([200, undefined]);
    const other = await managing(server, 'PUT', { id, token }, { ...whole, client_secret: 'x'.repeat(43) });
    expect(other).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } });
    const open = await managing(server, 'PUT', { id, token }, { ...whole, token_endpoint_auth_method: 'none' });
    expect([open.status, (await stored(id))?.secrets]).toEqual([200, []]);
    const again = await managing(server, 'PUT', { id, token }, whole);
    expect(again).toMatchObject({
      status: 200,
      body: { client_secret: expect.any(String), client_secret_expires_at: 0 },
    });
    for (const client_id of [undefined, 'another', 7]) {
      const refused = await managing(server, 'PUT', { id, token }, { ...whole, client_id });
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } });
    }
  });

  test('a change that does not say how the client authenticates leaves that as it is', async () => {
    for (const method of ['none', 'client_secret_post']) {
      const { id, token } = await make({ ...agent, token_endpoint_auth_method: method });
      const changed = await managing(
        server,
        'PUT',
        { id, token },
        { redirect_uris: [callback], client_id: id, token_endpoint_auth_method: null },
      );
      expect(changed).toMatchObject({ status: 200, body: { token_endpoint_auth_method: method } });
    }
  });

  test('a client of the profile for agents cannot leave it by a change', async () => {
    const { id, token, body } = await make();
    expect(body.profile).toBe('mcp-client');
    const whole = { ...agent, client_id: id, token_endpoint_auth_method: 'client_secret_basic', profile: 'standard' };
    const refused = await managing(server, 'PUT', { id, token }, whole);
    expect(refused.body.error_description).toMatch(/token_endpoint_auth_method must be none or private_key_jwt/);
    expect((await stored(id))?.version).toBe(1);
  });

  test('with another name, a new redirect URI or other keys, what people allowed ends; with less, it stays', async () => {
    const both = { ...agent, redirect_uris: [callback, 'http://localhost/cb'] };
    const changes: readonly (readonly [object, boolean])[] = [
      [{ redirect_uris: [callback] }, false],
      [{ contacts: ['a@example.org'] }, false],
      [{ redirect_uris: [callback, 'https://evil.example.com/cb'] }, true],
      [{ client_name: 'Another' }, true],
      [{ jwks_uri: 'https://agent.example.com/jwks' }, true],
    ];
    for (const [change, ends] of changes) {
      const { id, token } = await make(both);
      const extra = { redirect_uri: callback };
      const {
        grant,
        person,
        agent: browser,
      } = await codeFor(server, { id }, { scope: 'openid offline_access', extra });
      const { body } = await redeem(server, { id }, grant, extra);
      expect((await managing(second, 'PUT', { id, token }, { ...both, client_id: id, ...change })).status).toBe(200);
      expect([change, (await refresh(server, { id }, body.refresh_token)).status]).toEqual([change, ends ? 400 : 200]);
      expect((await userinfo(server, body.access_token)).status).toBe(ends ? 401 : 200);
      const silent = { client_id: id, scope: 'openid', prompt: 'none', response_type: 'code', ...extra };
      const proof = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };
      const answer = await browser.go(`/oauth/authorize?${new URLSearchParams({ ...silent, ...proof })}`, {
        follow: false,
      });
      expect([change, answer.location?.includes('code=')]).toEqual([change, ends ? undefined : true]);
      expect(await server.core.stores.consents.list(person.subject)).toHaveLength(ends ? 0 : 1);
    }
  });

  test('a client that changes itself while the consent page is open is shown again', async () => {
    const { id, token } = await make();
    const person = await buildPerson(server);
    const browser = new Agent(server);
    const query = { client_id: id, response_type: 'code', scope: 'openid', redirect_uri: callback };
    const proof = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };
    const page = await browser.submit(
      await browser.go(`/oauth/authorize?${new URLSearchParams({ ...query, ...proof })}`),
      { username: person.username, password: person.password },
    );
    const shown = (text: string) => /name="snapshot" value="([^"]+)"/.exec(text)?.[1] ?? '';
    await managing(server, 'PUT', { id, token }, { ...agent, client_id: id, client_name: 'Quite Another' });
    const again = await browser.submit(page, { answer: 'allow', snapshot: shown(page.text) });
    expect([again.status, again.text.includes('Quite Another')]).toEqual([200, true]);
    expect(await server.core.stores.consents.list(person.subject)).toEqual([]);
    const allowed = await browser.submit(again, { answer: 'allow', snapshot: shown(again.text) });
    expect(allowed.location).toContain('code=');
  });

  test('a client that changes itself over and over is told to wait, and leaves no further record', async () => {
    const { id, token } = await make();
    const put = (n: number) =>
      managing(server, 'PUT', { id, token }, { ...agent, client_id: id, contacts: [`a${n}@b.example`] });
    for (let n = 0; n < 60; n += 1) expect([n, (await put(n)).status]).toEqual([n, 200]);
    const waits = await put(60);
    expect(waits).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } });
    expect(Number(waits.headers['retry-after'])).toBeGreaterThan(0);
    expect(await server.core.stores.audit.list({ event: 'client.updated', clientId: id }, 100)).toHaveLength(60);
    expect((await managing(server, 'DELETE', { id, token })).status).toBe(204);
  });

  test('a client that no longer authenticates as before loses what people allowed', async () => {
    const confidential = { ...agent, token_endpoint_auth_method: 'client_secret_post' };
    const { id, token, body } = await make(confidential);
    const client = { id, secret: String(body.client_secret) };
    const { person } = await tokensFor(server, client, { scope: 'openid' });
    expect((await managing(server, 'PUT', { id, token }, { ...agent, client_id: id })).status).toBe(200);
    expect(await server.core.stores.consents.list(person.subject)).toEqual([]);
  });

  test('a change that another one overtakes ends no consent', async () => {
    const { id } = await make();
    const { person } = await tokensFor(server, { id }, { scope: 'openid' });
    const client = await stored(id);
    if (!client) throw new Error('no client');
    const { clients, consents } = server.core.stores;
    expect(await clients.update({ ...client, version: client.version + 2 }, { endConsents: true })).toBe(false);
    expect(await consents.list(person.subject)).toHaveLength(1);
    expect(await clients.update({ ...client, version: client.version + 1 }, { endConsents: true })).toBe(true);
    expect(await consents.list(person.subject)).toEqual([]);
  });

  test('a change by the client itself ends the review of an operator', async () => {
    const { id, token } = await make();
    await server.app.clients.review(id);
    expect((await stored(id))?.reviewedAt).toEqual(expect.any(Number));
    await managing(server, 'PUT', { id, token }, { ...agent, client_id: id, client_name: 'New name' });
    expect((await stored(id))?.reviewedAt).toBeNull();
    const [event] = await server.core.stores.audit.list({ event: 'client.review_revoked', clientId: id }, 1);
    expect(event?.detail).toEqual({ via: 'registration' });
  });

  test('the ceiling of scopes holds again after a revoked review, also for a refresh token from before', async () => {
    const { id } = await make();
    const { clients } = server.app;
    await clients.review(id);
    const scope = 'openid email profile offline_access user';
    await clients.patch(id, (metadata) => ({ ...metadata, scope }), { by: 'admin' });
    const before = await tokensFor(server, { id }, { scope: 'openid email profile offline_access' });
    expect(before.body.scope).toBe('openid email profile offline_access');
    await clients.unreview(id);
    await second.core.changes.check();
    const after = await refresh(second, { id }, before.body.refresh_token);
    expect([after.status, after.body.scope]).toEqual([200, 'openid profile offline_access']);
    expect(claimsOf(after.body.id_token)).not.toHaveProperty('email');
    expect(await (await userinfo(second, after.body.access_token)).json()).not.toHaveProperty('email');
  });

  describe('E3: mass assignment', () => {
    /** Each member beside a right registration, and what the stored client must not have. */
    const members: Readonly<Record<string, unknown>> = {
      client_secret: 'a-secret-that-the-client-chose-0123456789',
      client_secret_expires_at: 0,
      client_id_issued_at: 1,
      registration_access_token: 'gatehouse_rat_mine',
      trusted: true,
      skip_consent: true,
      reviewed: true,
      reviewed_at: 1,
      reviewedAt: 1,
      origin: 'admin',
      owner: 'someone',
      unprotected_at: 1,
      consent: 'never',
      profile: 'standard',
      require_pkce: false,
      second_factor: 'none',
      brand_accent: '#ff0000',
      brand_background: '#ff0000',
      allow_insecure_redirects: true,
      redirect_schemes: ['acme'],
      refresh_reuse: 'until-used',
      refresh_reuse_seconds: 900,
      loopback_ports: 'registered',
      made_by_register: true,
      registered_scope: 'admin',
      constructor: { prototype: { reviewed: true } },
      prototype: { reviewed: true },
    };
    const beyond = {
      grant_types: ['authorization_code', 'client_credentials', 'password', 'implicit'],
      scope: 'openid admin',
    };
    const asText = (metadata: object, more = '') => JSON.stringify(metadata).replace(/}$/, `${more}}`);
    const polluted = ',"__proto__":{"reviewed":true,"require_pkce":false}';

    async function expectPlain(id: string): Promise<void> {
      const client = await stored(id);
      if (!client) throw new Error('no client');
      expect(client).toMatchObject({ origin: 'dynamic', owner: null, reviewedAt: null, secrets: [], disabledAt: null });
      expect(client.metadata).toMatchObject({
        ...{ consent: 'new', profile: 'mcp-client', require_pkce: true, loopback_ports: 'any', scope: 'openid' },
        grant_types: ['authorization_code'],
      });
      const allowed = ['consent', 'profile', 'require_pkce', 'loopback_ports'];
      for (const name of [...Object.keys(members).filter((name) => !allowed.includes(name)), '__proto__', 'client_id'])
        expect([name, Object.hasOwn(client.metadata, name)]).toEqual([name, false]);
      expect(({} as Record<string, unknown>).reviewed).toBeUndefined();
    }

    test('E3: at POST nothing of it is stored', async () => {
      const body = asText({ ...agent, client_id: 'mine', ...members, ...beyond }, polluted);
      const made = await call(server, posting('/oauth/register', body));
      const told = JSON.parse(made.text);
      expect([made.status, told.error_description]).toEqual([201, undefined]);
      expect(told.client_id).not.toBe('mine');
      expect(told.client_secret).toBeUndefined();
      expect(told.dropped).toEqual(expect.arrayContaining(['trusted', 'consent', 'constructor']));
      await expectPlain(told.client_id);
      expect((await managing(server, 'GET', { id: told.client_id, token: 'gatehouse_rat_mine' })).status).toBe(401);
    });

    test('E3: at PUT nothing of it is stored', async () => {
      const { id, token } = await make();
      const { client_secret: _secret, ...others } = members;
      const body = asText({ ...agent, client_id: id, ...others, ...beyond }, polluted);
      const changed = await managing(server, 'PUT', { id, token }, body);
      expect([changed.status, changed.body.error_description]).toEqual([200, undefined]);
      await expectPlain(id);
    });

    const types: Readonly<Record<string, readonly unknown[]>> = {
      redirect_uris: [callback, { 0: callback, length: 1 }, [callback, { toString: 1 }], 7, true],
      client_name: [['Book agent'], { toString: 'Book agent' }, 7],
      grant_types: ['authorization_code', { 0: 'authorization_code' }, [['authorization_code']]],
      scope: [['openid', 'admin'], { split: 'openid' }, 7],
      token_endpoint_auth_method: [['none'], { none: true }, 0],
      require_pkce: ['false', 0, []],
      jwks: ['keys', { keys: 'keys' }, []],
      application_type: [['native'], 1],
    };
    test.each(Object.entries(types))('E3: another type of %s is refused at POST and at PUT', async (name, values) => {
      const { id, token } = await make();
      for (const value of values) {
        const metadata = { ...agent, [name]: value };
        const error = name === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata';
        // A setting of the server stands in place of this one.
        const expected = name === 'require_pkce' ? [201, 200] : [400, 400];
        const made = await registering(server, metadata);
        const changed = await managing(server, 'PUT', { id, token }, { ...metadata, client_id: id });
        expect([value, made.status, changed.status]).toEqual([value, ...expected]);
        if (expected[0] === 400) expect([made.body.error, changed.body.error]).toEqual([error, error]);
      }
    });
  });

  describe('E4: the registration access token', () => {
    test('E4: that of A neither reads nor changes nor deletes B; an unknown client is answered alike', async () => {
      const [a, b] = [await make(), await make()];
      const plain = await buildClient(server);
      const tokens = { 'of another': a.token, 'of nothing': 'gatehouse_rat_'.padEnd(57, 'x'), none: undefined };
      for (const [whose, token] of Object.entries(tokens)) {
        const answers = [];
        for (const id of [b.id, 'unknown', plain.id, a.id.slice(1), '%00', '__proto__']) {
          for (const method of ['GET', 'PUT', 'DELETE'] as const) {
            const metadata = method === 'PUT' ? { ...agent, client_id: id } : undefined;
            const { status, body, headers } = await managing(server, method, { id, token }, metadata);
            const { error_uri: _uri, ...told } = body;
            answers.push(JSON.stringify([status, told, headers['www-authenticate']]));
          }
        }
        expect([whose, new Set(answers).size]).toEqual([whose, 1]);
        expect(answers[0]).toContain('401');
        expect(answers[0]).toContain('invalid_token');
      }
      expect((await managing(server, 'GET', b)).body).toMatchObject({ client_name: 'Book agent' });
      expect((await stored(plain.id))?.version).toBe(1);
    });

    test('E4: what a deleted client had stops working, on both nodes', async () => {
      const { id, token } = await make();
      const client = { id };
      const machine = await buildClient(server, { grant_types: ['client_credentials'], redirect_uris: [] });
      const oidc = await tokensFor(server, client, { scope: 'openid offline_access' });
      const api = await tokensFor(server, client, { scope: 'user' });
      expect((await userinfo(second, oidc.body.access_token)).status).toBe(200);
      const gone = await managing(server, 'DELETE', { id, token });
      expect([gone.status, gone.text]).toEqual([204, '']);
      for (const node of [server, second]) {
        await eventually(
          'the tokens have ended',
          async () => {
            const statuses = [
              (await userinfo(node, oidc.body.access_token)).status,
              (await refresh(node, client, oidc.body.refresh_token)).status,
            ];
            return statuses.every((status) => status >= 400) && !(await userApiTakes(node, api.body.access_token));
          },
          1_000,
        );
        expect(await isActive(node, machine, oidc.body.access_token)).toBe(false);
        for (const method of ['GET', 'DELETE'] as const)
          expect((await managing(node, method, { id, token })).status).toBe(401);
      }
      expect(await server.core.stores.registrations.find(id)).toBeUndefined();
      for (const { person } of [oidc, api]) expect(await server.core.connections.list(person.subject)).toEqual([]);
      const [event] = await server.core.stores.audit.list({ event: 'client.deleted', clientId: id }, 1);
      expect(event?.detail).toEqual({ via: 'registration' });
    });

    test('E4: a disabled client does not manage itself, and does again once it is enabled', async () => {
      const client = await make();
      await server.app.clients.disable(client.id);
      expect((await managing(server, 'GET', client)).status).toBe(401);
      await server.app.clients.enable(client.id);
      expect((await managing(server, 'GET', client)).status).toBe(200);
    });

    test('E4: the token opens nothing else, and no other token opens the registration', async () => {
      const client = await make();
      const { body } = await tokensFor(server, { id: client.id }, { scope: 'openid' });
      expect((await managing(server, 'GET', { id: client.id, token: body.access_token })).status).toBe(401);
      expect((await userinfo(server, client.token)).status).toBe(401);
      const secret = { id: client.id, secret: client.token };
      expect((await token(server, secret, { grant_type: 'client_credentials' })).status).toBe(401);
    });
  });
});
