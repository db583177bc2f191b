/** tinyoauth as its callers see it: golden tables of request -> exact answer, and the flow of the original. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, basic, codeOf, pkce } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { bearer, type Call, type CallAnswer, call, posting } from '../support/call.ts';
import { describedBy } from '../support/document.ts';
import { claimsOf, comeBack, headerOf, redeem, refresh, travel, userApiTakes } from '../support/flow.ts';
import { expectNoInsides } from '../support/leaks.ts';
import { eventually } from '../support/redis-server.ts';
import { leastRoundTrips } from '../support/round-trips.ts';
import { adminKey, buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const withinASecond = 1_000;
const callback = 'https://app.example.com/cb';

describeStorages('tinyoauth', (storage) => {
  let server: TestServer;
  let described: Awaited<ReturnType<typeof describedBy>>;
  beforeAll(async () => {
    server = await storage.start();
    described = await describedBy(server);
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  /** Every answer is one that the OpenAPI document knows, and carries what every answer must. */
  async function ask(made: Call, at = server): Promise<CallAnswer> {
    const answer = await call(at, made);
    described.check(made.method ?? 'GET', made.path, answer);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expectNoInsides(answer.text);
    return answer;
  }
  async function exactly(made: Call, status: number, body: unknown): Promise<CallAnswer> {
    const answer = await ask(made);
    expect([answer.status, answer.text === '' ? '' : JSON.parse(answer.text)]).toEqual([status, body]);
    return answer;
  }

  const login = (username: string, ...headers: (readonly [string, string])[]) =>
    posting('/login', { username, password }, ...headers);
  async function tokenOf(person: { username: string }, at = server): Promise<string> {
    const { status, text } = await ask(login(person.username), at);
    expect(status).toBe(200);
    return JSON.parse(text).token;
  }
  async function signedIn(at = server) {
    const person = await buildPerson(at);
    return { person, token: await tokenOf(person, at) };
  }
  async function applicationOf(token: string, redirect_uri = callback) {
    const { status, text } = await ask(posting('/client', { name: 'Bookshelf', redirect_uri }, bearer(token)));
    expect(status).toBe(200);
    const { client_id: id, client_secret: secret } = JSON.parse(text) as { client_id: string; client_secret: string };
    return { id, secret };
  }
  const authorizing = (parameters: Record<string, string>, ...headers: (readonly [string, string])[]): Call => ({
    path: `/authorize?${new URLSearchParams(parameters)}`,
    headers,
  });
  const standard = (client: { id: string }, more: Record<string, string> = {}) => ({
    response_type: 'code',
    client_id: client.id,
    redirect_uri: callback,
    state: 'xyz',
    scope: 'user',
    ...more,
  });
  const formOf = (parameters: Record<string, string>, ...headers: (readonly [string, string])[]): Call => ({
    method: 'POST',
    path: '/authorize',
    headers: [['Content-Type', 'application/x-www-form-urlencoded'], ...headers],
    body: new URLSearchParams(parameters).toString(),
  });
  const locationOf = ({ headers }: CallAnswer) => new URL(String(headers.location), server.url);
  const failed = (reason: unknown) => ({ result: 'failed', reason });
  let names = 0;
  const freshName = () => `tiny-${++names}-${Date.now()}`;

  describe('the flow of the original', () => {
    test('register, login, client, authorize, token, and the token is good', async () => {
      const username = freshName();
      const registered = await exactly(posting('/register', { username, password }), 200, { result: 'succeeded' });
      expect(registered.text).toBe('{"result":"succeeded"}');
      const answer = await exactly(login(username), 200, { result: 'succeeded', token: expect.any(String) });
      expect(answer.text).toMatch(/^\{"result":"succeeded","token":"[\w-]+\.[\w-]+\.[\w-]+"\}$/);
      const { token } = JSON.parse(answer.text);

      const made = await ask(posting('/client', { name: 'Bookshelf', redirect_uri: callback }, bearer(token)));
      expect(made.text).toMatch(/^\{"result":"succeeded","client_id":"[\w-]{22}","client_secret":"[\w-]{43}"\}$/);
      const { client_id, client_secret } = JSON.parse(made.text);
      const client = { id: client_id, secret: client_secret };

      const sent = await ask(authorizing(standard(client), bearer(token)));
      expect([sent.status, sent.text]).toEqual([302, '']);
      const location = locationOf(sent);
      expect(location.origin + location.pathname).toBe(callback);
      expect(Object.fromEntries(location.searchParams)).toEqual({
        code: expect.stringMatching(/^[\w-]{20,}$/),
        state: 'xyz',
        iss: server.url,
      });

      const redeemed = await call(server, {
        method: 'POST',
        path: '/token',
        headers: [
          ['Content-Type', 'application/x-www-form-urlencoded'],
          ['Authorization', basic(client.id, client.secret)],
        ],
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: location.searchParams.get('code') ?? '',
        }).toString(),
      });
      described.check('POST', '/token', redeemed);
      expect(JSON.parse(redeemed.text)).toMatchObject({ username, scope: 'user' });
      expect(await userApiTakes(server, JSON.parse(redeemed.text).access_token)).toBe(true);
    });

    test('the account signs in everywhere, the application is the person’s own', async () => {
      const username = freshName();
      await ask(posting('/register', { username, password }));
      const client = await buildClient(server);
      expect(codeOf(await new Agent(server).authorize({ username }, { client_id: client.id, ...proof() }))).not.toBe(
        '',
      );
      const account = await server.core.accounts.findByUsername(username);
      const { id } = await applicationOf(await tokenOf({ username }));
      expect(await server.core.stores.clients.find(id)).toMatchObject({
        owner: account?.subject,
        origin: 'person',
        tokens: [],
        metadata: {
          client_name: 'Bookshelf',
          redirect_uris: [callback],
          require_pkce: false,
          grant_types: ['authorization_code', 'refresh_token'],
          token_endpoint_auth_method: 'client_secret_basic',
        },
      });
      const [event] = await server.core.stores.audit.list({ event: 'client.registered' }, 1);
      expect(event).toMatchObject({ clientId: id, subject: account?.subject, detail: { via: 'tinyoauth' } });
      const allowed = await new Agent(server).authorize({ username }, { client_id: id, ...proof() });
      expect(codeOf(allowed)).not.toBe('');
    });
  });
  const proof = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256', scope: 'openid' });

  describe('POST /register', () => {
    const registering = (body: unknown) => posting('/register', body);
    const weak = 'The password needs at least 15 characters.';
    test.each<[string, unknown, number, unknown]>([
      ['no username', { password }, 400, 'username must be given, as a string'],
      ['username empty', { username: '', password }, 400, 'username must not be empty'],
      ['username a number', { username: 1, password }, 400, 'username must be a string'],
      ['username null', { username: null, password }, 400, 'username must be a string'],
      ['no password', { username: 'somebody' }, 400, 'password must be given, as a string'],
      ['password empty', { username: 'somebody', password: '' }, 400, 'password must not be empty'],
      ['password an array', { username: 'somebody', password: [password] }, 400, 'password must be a string'],
      ['a weak password', { username: 'somebody', password: 'short' }, 400, weak],
      [
        'a name with a line break',
        { username: 'a\nb', password },
        400,
        expect.stringMatching(/^the name cannot be used: /),
      ],
      ['a name that is too long', { username: 'x'.repeat(2000), password }, 400, expect.any(String)],
      ['a password that is too long', { username: 'somebody', password: 'y'.repeat(5000) }, 400, expect.any(String)],
      ['not an object', '[]', 400, 'the body must be a JSON object'],
      ['no JSON', '{', 400, 'the body is not valid JSON'],
    ])('%s', async (_name, body, status, reason) => {
      await exactly(registering(body), status, failed(reason));
    });

    test('a name that is taken, in any spelling of it: 409', async () => {
      const { username } = await buildPerson(server);
      for (const spelling of [username, username.toUpperCase(), username.replace('p', 'ｐ')]) {
        await exactly(registering({ username: spelling, password }), 409, failed('the name is taken'));
      }
    });

    test('further members mean nothing', async () => {
      const username = freshName();
      await exactly(registering({ username, password, admin: true, verified: true, email: 'a@b.example' }), 200, {
        result: 'succeeded',
      });
      expect(await server.core.accounts.findByUsername(username)).toMatchObject({
        admin: false,
        verified: false,
        email: null,
      });
    });

    test('of many that want one name at once exactly one has it', async () => {
      const username = freshName();
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(registering({ username, password }))));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(409)]);
    });
  });

  describe('POST /login', () => {
    const nobody = { result: 'failed', token: null };

    test('the token is a JWT of its own kind, for a day', async () => {
      const { person, token } = await signedIn();
      expect(headerOf(token)).toMatchObject({ alg: 'ES256', typ: 'tinyoauth+jwt', kid: expect.any(String) });
      const claims = claimsOf(token);
      expect(claims).toMatchObject({
        iss: server.url,
        aud: `${server.url}/protected`,
        sub: person.subject,
        sid: expect.stringMatching(/^\w{32}$/),
        jti: expect.any(String),
      });
      expect(Number(claims.exp) - Number(claims.iat)).toBe(86_400);
    });

    test('wrong, unknown or disabled: 200 as written, and not to be told apart', async () => {
      const person = await buildPerson(server);
      const disabled = await buildPerson(server);
      await server.core.accounts.disable(disabled.subject);
      const tries = [
        posting('/login', { username: person.username, password: 'something else entirely' }),
        login('nobody-of-this-name'),
        login(disabled.username),
      ];
      for (const made of tries) {
        const answer = await exactly(made, 200, nobody);
        expect(answer.text).toBe('{"result":"failed","token":null}');
      }
    });

    test('names are compared folded, and a verified address signs in', async () => {
      const person = await buildPerson(server);
      for (const name of [person.username.toUpperCase(), ` ${person.username} `, person.email ?? '']) {
        expect(JSON.parse((await ask(login(name))).text)).toMatchObject({ result: 'succeeded' });
      }
    });

    test.each<[string, unknown, string]>([
      ['no username', { password }, 'username must be given, as a string'],
      ['no password', { username: 'x' }, 'password must be given, as a string'],
      ['a wrong type', { username: {}, password }, 'username must be a string'],
      ['a member twice', '{"username":"a","username":"b","password":"c"}', 'the body has a member twice'],
      ['U+0000', '{"username":"a\\u0000","password":"c"}', 'the body holds U+0000 or half of a surrogate pair'],
      [
        'half a surrogate pair',
        '{"username":"\\ud800","password":"c"}',
        'the body holds U+0000 or half of a surrogate pair',
      ],
      ['no body', '', 'the body is not valid JSON'],
    ])('%s: 400, and no token', async (_name, body, reason) => {
      await exactly(posting('/login', body), 400, { result: 'failed', token: null, reason });
    });

    test('a second factor: 401 with its methods, then the same call with a code', async () => {
      const person = await buildPerson(server);
      const app = await enrol(server.core.factors, person.subject);
      const asked = (why: string) => ({
        result: 'failed',
        token: null,
        reason: `${why}: send a code in X-OTP (totp, recovery-code)`,
      });
      const first = await exactly(login(person.username), 401, asked('a second factor is needed'));
      expect(first.headers['x-otp']).toBe('required; totp, recovery-code');
      expect(first.headers['www-authenticate']).toBe(`Bearer realm="${server.url}/protected"`);
      await exactly(login(person.username, ['X-OTP', app.wrong()]), 401, asked('the code is wrong'));
      const code = app.fresh();
      await exactly(login(person.username, ['X-OTP', code], ['X-OTP', code]), 401, asked('the code is wrong'));
      await exactly(login(person.username, ['X-OTP', code]), 200, { result: 'succeeded', token: expect.any(String) });
      await exactly(login(person.username, ['X-OTP', code]), 401, asked('the code has been used before'));
      // The password comes first: a person without it learns nothing of factors.
      await exactly(posting('/login', { username: person.username, password: 'wrong' }, ['X-OTP', code]), 200, nobody);
    });

    test('a call with the token does not write, and is seen a moment later', async () => {
      const { person, token } = await signedIn();
      const { sid } = claimsOf(token);
      const listed = async () => (await server.core.sessions.list(person.subject)).find(({ uid }) => uid === sid);
      expect(await listed()).toMatchObject({ origin: { door: 'tinyoauth', address: expect.any(String) } });
      const checked = async () =>
        (await call(server, { path: '/gateway/verify/token?tokens=tinyoauth', headers: [bearer(token)] })).status;
      expect(await checked()).toBe(200);
      await eventually('the mark of the login is written', async () => (await listed())?.lastSeenAt !== null, 5_000);

      travel(600);
      const later = Math.floor(Date.now() / 1000);
      const costs: number[] = [];
      for (let time = 0; time < 100; time += 1) {
        const before = server.core.stores.roundTrips();
        expect(await checked()).toBe(200);
        costs.push(server.core.stores.roundTrips() - before);
      }
      // Nothing but the look at the change log once a second, which is there without these calls as well.
      expect(costs.filter((cost) => cost === 0).length).toBeGreaterThan(50);
      await eventually('the time is visible', async () => ((await listed())?.lastSeenAt ?? 0) >= later, 5_000);
      const account = await server.core.accounts.findBySubject(person.subject);
      expect(account?.lastSeenAt).toBeGreaterThanOrEqual(later);
      // Online is who has a live session.
      await server.core.apiSessions.endByToken('tinyoauth', token, { via: 'tinyoauth', address: '', requestId: '' });
      expect(await server.core.sessions.list(person.subject)).toEqual([]);
    });
  });

  describe('POST /client', () => {
    const needed = failed('a live token from /login is needed');
    const application = { name: 'Bookshelf', redirect_uri: callback };

    test('without a live token: 401 with a challenge, before the body is looked at', async () => {
      const realm = `Bearer realm="${server.url}/protected"`;
      const none = await exactly(posting('/client', '{'), 401, needed);
      expect(none.headers['www-authenticate']).toBe(realm);
      const { person, token } = await signedIn();
      const others = [
        [bearer('x')],
        [bearer(`${token}x`)],
        [['Authorization', 'Bearer'] as const],
        [['Authorization', `Bearer ${token} ${token}`] as const],
        [bearer(token), bearer(token)],
        [['Authorization', `Bearer: ${token}`] as const],
      ];
      for (const headers of others) {
        const answer = await exactly(posting('/client', application, ...headers), 401, needed);
        expect(String(answer.headers['www-authenticate'])).toMatch(new RegExp(`^${realm}`));
      }
      for (const path of [`/client?access_token=${token}`, `/client?token=${token}`]) {
        await exactly({ ...posting(path, application) }, 401, needed);
      }
      await exactly(posting('/client', { ...application, access_token: token, token }), 401, needed);
      await exactly(posting('/client', application, ['Cookie', `token=${token}`]), 401, needed);
      const basicHeader = ['Authorization', basic(person.username, password)] as const;
      await exactly(posting('/client', application, basicHeader), 401, needed);
    });

    test('the application belongs to the person of the token, whatever the body says', async () => {
      const { person, token } = await signedIn();
      const other = await buildPerson(server);
      const smuggled = { owner: other.subject, origin: 'admin', client_id: 'mine', client_secret: 'mine', user: 'x' };
      const machine = { grant_types: ['client_credentials'], require_pkce: false, jwks_uri: 'https://127.0.0.1/' };
      const { text } = await ask(posting('/client', { ...application, ...smuggled, ...machine }, bearer(token)));
      const { client_id } = JSON.parse(text);
      expect(client_id).not.toBe('mine');
      const record = await server.core.stores.clients.find(client_id);
      expect(record).toMatchObject({
        owner: person.subject,
        origin: 'person',
        metadata: { grant_types: ['authorization_code', 'refresh_token'] },
      });
      expect(record?.metadata.jwks_uri).toBeUndefined();
    });

    test('a private-use scheme makes a native client, unreviewed as any other', async () => {
      const { token } = await signedIn();
      const { id } = await applicationOf(token, 'com.example.app:/cb');
      expect(await server.core.stores.clients.find(id)).toMatchObject({
        metadata: { application_type: 'native' },
        reviewedAt: null,
      });
    });

    describe('a field that is wrong: 400', () => {
      let token: string;
      beforeAll(async () => {
        token = (await signedIn()).token;
      });
      const uri = 'redirect_uri must be https, or http on localhost, 127.0.0.1 or [::1]';
      test.each<[string, object, string]>([
        ['no name', { name: undefined }, 'name must be given, as a string'],
        ['name empty', { name: '' }, 'name must not be empty'],
        ['name a number', { name: 7 }, 'name must be a string'],
        ['name too long', { name: 'x'.repeat(3000) }, 'name must not be longer than 2048 bytes'],
        ['name with a line break', { name: 'a\nb' }, 'name must not contain control characters or broken Unicode'],
        ['no redirect_uri', { redirect_uri: undefined }, 'redirect_uri must be given, as a string'],
        ['redirect_uri an array', { redirect_uri: [callback] }, 'redirect_uri must be a string'],
        ['http elsewhere', { redirect_uri: 'http://app.example.com/cb' }, uri],
        ['a fragment', { redirect_uri: `${callback}#x` }, 'redirect_uri must not have a fragment'],
        ['a wildcard', { redirect_uri: 'https://*.example.com/' }, 'redirect_uri must not have a wildcard'],
        ['credentials', { redirect_uri: 'https://a:b@example.com/' }, 'redirect_uri must not contain credentials'],
        ['relative', { redirect_uri: '/cb' }, 'redirect_uri must be an absolute URI'],
      ])('%s', async (_name, change, reason) => {
        await exactly(posting('/client', { ...application, ...change }, bearer(token)), 400, failed(reason));
      });
      test.each(['javascript:alert(1)', 'data:text/html,x', 'myapp:/cb', 'https://x:99999/', 'https:example.com'])(
        'redirect_uri %s',
        async (redirect_uri) => {
          const made = posting('/client', { ...application, redirect_uri }, bearer(token));
          await exactly(made, 400, failed(expect.stringMatching(/^redirect_uri /)));
        },
      );
    });

    test('one person may register so many in a while, then it is 429; others go on', async () => {
      const { token } = await signedIn();
      const statuses = [];
      for (let many = 0; many < 51; many += 1) {
        statuses.push((await ask(posting('/client', application, bearer(token)))).status);
      }
      expect(statuses).toEqual([...Array(50).fill(200), 429]);
      const refused = await exactly(
        posting('/client', application, bearer(token)),
        429,
        failed('too many applications, wait a while'),
      );
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      await applicationOf((await signedIn()).token);
    });
  });

  describe('/authorize', () => {
    let person: Awaited<ReturnType<typeof buildPerson>>;
    let token: string;
    let client: { id: string; secret: string };
    beforeAll(async () => {
      ({ person, token } = await signedIn());
      client = await applicationOf(token);
    });

    test('GET with a query, POST with a form and POST with JSON are one thing', async () => {
      const calls = [
        authorizing(standard(client), bearer(token)),
        formOf(standard(client), bearer(token)),
        posting('/authorize', standard(client), bearer(token)),
      ];
      for (const made of calls) {
        const answer = await ask(made);
        expect([answer.status, answer.text, answer.headers['set-cookie']]).toEqual([302, '', undefined]);
        const location = locationOf(answer);
        expect(location.href.startsWith(`${callback}?`)).toBe(true);
        expect(location.searchParams.get('state')).toBe('xyz');
        const { status, body } = await redeem(server, client, { code: location.searchParams.get('code') ?? '' });
        expect([status, body.username]).toEqual([200, person.username]);
      }
    });

    test('POST takes the parameters from the query too, without a body or beside one', async () => {
      const { state = '', ...rest }: Record<string, string> = standard(client);
      const all = new URLSearchParams({ ...rest, state });
      const some = new URLSearchParams(rest);
      const calls: Call[] = [
        { method: 'POST', path: `/authorize?${all}`, headers: [bearer(token)], body: '' },
        { ...formOf({ state }, bearer(token)), path: `/authorize?${some}` },
        { ...posting('/authorize', { state }, bearer(token)), path: `/authorize?${some}` },
      ];
      for (const made of calls) {
        const answer = await ask(made);
        expect(answer.status).toBe(302);
        expect(locationOf(answer).searchParams.get('state')).toBe(state);
        const { status } = await redeem(server, client, { code: locationOf(answer).searchParams.get('code') ?? '' });
        expect(status).toBe(200);
      }
      const twice = { ...formOf({ state }, bearer(token)), path: `/authorize?${all}` };
      await exactly(twice, 400, failed('state must be given once'));
      const nobody = await ask({ method: 'POST', path: `/authorize?${all}`, body: '' });
      expect([nobody.status, nobody.headers.location]).toEqual([303, expect.stringContaining('/oauth/authorize?')]);
    });

    test('a scope that no API offers is told to the application, also where it has been given others', async () => {
      for (const asked of [{}, { scope: 'user' }, {}]) {
        const location = locationOf(
          await ask(authorizing(standard(client, { scope: 'xxx', ...asked }), bearer(token))),
        );
        expect(Object.fromEntries(location.searchParams)).toMatchObject(
          'scope' in asked
            ? { code: expect.any(String) }
            : { error: 'invalid_scope', error_description: expect.stringMatching(/scope/), state: 'xyz' },
        );
      }
    });

    test('state comes back as it was sent, and is left out where there was none', async () => {
      for (const state of ['a b+c&d=é"<>', '%00', 'x'.repeat(2000)]) {
        const location = locationOf(await ask(authorizing(standard(client, { state }), bearer(token))));
        expect(location.searchParams.get('state')).toBe(state);
      }
      const { state: _left, ...rest } = standard(client);
      expect(locationOf(await ask(authorizing(rest, bearer(token)))).searchParams.has('state')).toBe(false);
    });

    test('scope and redirect_uri may be left out; an unknown parameter is passed over, an empty one left out', async () => {
      const { scope: _scope, redirect_uri: _uri, ...rest } = standard(client);
      const answer = await ask(authorizing({ ...rest, foo: 'bar', nonce: '' }, bearer(token)));
      const { body } = await redeem(server, client, { code: locationOf(answer).searchParams.get('code') ?? '' });
      expect(body.scope).toBe('user');
    });

    test('P6: the query of the redirect URI is kept byte for byte, with a code and with an error', async () => {
      for (const query of ['q=two%20words', 'x=%E4', 'flag']) {
        const uri = `${callback}?${query}`;
        const made = await buildClient(server, { redirect_uris: [uri] }, 'person');
        for (const [more, begins] of [
          [{}, 'code='],
          [{ code_challenge: 'c'.repeat(43), code_challenge_method: 'plain' }, 'error='],
        ] as const) {
          const asked = standard(made, { redirect_uri: uri, ...more });
          const { headers } = await ask(authorizing(asked, bearer(token)));
          expect(String(headers.location).slice(0, uri.length + 1 + begins.length)).toBe(`${uri}&${begins}`);
        }
      }
    });

    test('any application of a person’s may be asked for, and its own rules hold', async () => {
      const strict = await buildClient(server, { redirect_uris: [callback], require_pkce: true }, 'person');
      const without = locationOf(await ask(authorizing(standard(strict), bearer(token))));
      expect(Object.fromEntries(without.searchParams)).toMatchObject({ error: 'invalid_request', state: 'xyz' });
      const { verifier, challenge } = pkce();
      const more = { code_challenge: challenge, code_challenge_method: 'S256' };
      const given = locationOf(await ask(authorizing(standard(strict, more), bearer(token))));
      const code = given.searchParams.get('code') ?? '';
      expect((await redeem(server, strict, { code, code_verifier: 'x'.repeat(43) })).body.error).toBe('invalid_grant');
      const again = locationOf(await ask(authorizing(standard(strict, more), bearer(token))));
      const right = { code: again.searchParams.get('code') ?? '', code_verifier: verifier };
      expect((await redeem(server, strict, right)).status).toBe(200);
    });

    test('the secret is checked at the token endpoint, and a code is good once', async () => {
      const code = locationOf(await ask(authorizing(standard(client), bearer(token)))).searchParams.get('code') ?? '';
      expect((await redeem(server, { id: client.id, secret: 'wrong' }, { code })).body.error).toBe('invalid_client');
      expect((await redeem(server, client, { code })).status).toBe(200);
      expect((await redeem(server, client, { code })).body.error).toBe('invalid_grant');
    });

    test('no bearer token: to the browser flow with the same parameters, and from there back to the application', async () => {
      const parameters = standard(client, { state: 'a b&c', code_challenge: 'c'.repeat(43) });
      for (const made of [authorizing(parameters), formOf(parameters), posting('/authorize', parameters)]) {
        for (const headers of [[], [['Authorization', basic('a', 'b')] as const]]) {
          const answer = await ask({ ...made, headers: [...(made.headers ?? []), ...headers] });
          expect([answer.status, answer.text]).toEqual([303, '']);
          const location = locationOf(answer);
          expect(location.pathname).toBe('/oauth/authorize');
          expect(Object.fromEntries(location.searchParams)).toEqual(parameters);
        }
      }
      const sent = await ask(authorizing(standard(client, proof())));
      const agent = new Agent(server);
      const page = await agent.go(String(sent.headers.location));
      expect(page.text).toContain('name="password"');
      const consent = await agent.submit(page, { username: person.username, password });
      expect(codeOf(await agent.submit(consent, { answer: 'allow' }))).not.toBe('');
    });

    test('a bad token: 401, and neither a code nor a redirect', async () => {
      for (const made of [authorizing, formOf]) {
        for (const header of [bearer('x'), bearer(`${token}x`), ['Authorization', 'Bearer'] as const]) {
          const answer = await exactly(
            made(standard(client), header),
            401,
            failed('a live token from /login is needed'),
          );
          expect(answer.headers.location).toBeUndefined();
          expect(answer.headers['www-authenticate']).toBe(
            `Bearer realm="${server.url}/protected", error="invalid_token"`,
          );
        }
      }
    });

    describe('a bad client or redirect URI: 400, never a redirect', () => {
      test.each<[string, Record<string, string>]>([
        ['no client', { client_id: '' }],
        ['an unknown client', { client_id: 'nobody' }],
        ['another redirect URI', { redirect_uri: 'https://evil.example/cb' }],
        ['a longer one', { redirect_uri: `${callback}/x` }],
        ['one with a query', { redirect_uri: `${callback}?x=1` }],
        ['a fragment', { redirect_uri: `${callback}#x` }],
        ['javascript', { redirect_uri: 'javascript:alert(1)' }],
      ])('%s', async (_name, change) => {
        for (const made of [authorizing, formOf]) {
          const answer = await exactly(made(standard(client, change), bearer(token)), 400, failed(expect.any(String)));
          expect(answer.headers.location).toBeUndefined();
        }
      });

      test('a disabled client, and one that is gone', async () => {
        const other = await applicationOf(token);
        await server.app.clients.disable(other.id);
        await exactly(authorizing(standard(other), bearer(token)), 400, failed(expect.any(String)));
        await server.app.clients.remove(other.id);
        await exactly(authorizing(standard(other), bearer(token)), 400, failed(expect.any(String)));
      });
    });

    test.each<[string, Record<string, string>, string]>([
      ['no response_type', { response_type: '' }, 'invalid_request'],
      ['another response_type', { response_type: 'nonsense' }, 'unsupported_response_type'],
      ['a request object', { request: 'x.y.z' }, 'request_not_supported'],
      ['half of PKCE', { code_challenge_method: 'S256' }, 'invalid_request'],
      ['plain PKCE', { code_challenge: 'c'.repeat(43), code_challenge_method: 'plain' }, 'invalid_request'],
    ])('a later error goes to the application: %s', async (_name, change, error) => {
      const answer = await ask(authorizing(standard(client, change), bearer(token)));
      expect(answer.status).toBe(302);
      const location = locationOf(answer);
      expect(location.origin + location.pathname).toBe(callback);
      expect(Object.fromEntries(location.searchParams)).toMatchObject({ error, state: 'xyz', iss: server.url });
      expect(location.searchParams.has('code')).toBe(false);
    });

    test('a parameter twice, U+0000, another type, another body: 4xx in this API’s own words', async () => {
      const query = new URLSearchParams(standard(client)).toString();
      const rows: [Call, number, unknown][] = [
        [{ path: `/authorize?${query}&state=b`, headers: [bearer(token)] }, 400, 'state must be given once'],
        [{ path: `/authorize?${query}&scope=user`, headers: [bearer(token)] }, 400, 'scope must be given once'],
        [{ ...formOf({}, bearer(token)), body: `${query}&client_id=x` }, 400, 'the field "client_id" comes twice'],
        [{ path: `/authorize?${query}&nonce=%00`, headers: [bearer(token)] }, 400, 'nonce must not contain U+0000'],
        [formOf(standard(client, { nonce: '\0' }), bearer(token)), 400, 'nonce must not contain U+0000'],
        [posting('/authorize', { ...standard(client), max_age: 1 }, bearer(token)), 400, 'max_age must be a string'],
        [posting('/authorize', '[]', bearer(token)), 400, 'the body must be a JSON object'],
        [{ ...formOf(standard(client), bearer(token)), headers: [bearer(token)] }, 400, 'the body is not valid JSON'],
        [
          { ...formOf(standard(client), bearer(token)), headers: [bearer(token), ['Content-Type', 'text/plain']] },
          415,
          expect.any(String),
        ],
        [formOf(standard(client, { state: 'x'.repeat(20_000) }), bearer(token)), 413, expect.any(String)],
        [formOf(standard(client, { state: 'x'.repeat(20_000) })), 413, 'the request is too long'],
        [formOf(standard(client, { state: 'x'.repeat(80_000) }), bearer(token)), 413, expect.any(String)],
      ];
      for (const [made, status, reason] of rows) await exactly(made, status, failed(reason));
    });

    test('HEAD takes no code: 405', async () => {
      const cost = await leastRoundTrips(server.core.stores, async () => {
        const answer = await ask({ ...authorizing(standard(client), bearer(token)), method: 'HEAD' });
        expect([answer.status, answer.headers.allow, answer.headers.location]).toEqual([
          405,
          'GET, POST, OPTIONS',
          undefined,
        ]);
      });
      expect(cost).toBe(0);
    });

    test('what was allowed by a call is not remembered for the browser', async () => {
      const other = await applicationOf(token);
      expect(locationOf(await ask(authorizing(standard(other), bearer(token)))).searchParams.has('code')).toBe(true);
      const agent = new Agent(server);
      const page = await agent.go(`/oauth/authorize?${new URLSearchParams(standard(other, proof()))}`);
      const consent = await agent.submit(page, { username: person.username, password });
      expect(consent.text).toContain('name="answer"');
    });

    test('tokens had with a code end with the session of the token only where they hang on it', async () => {
      const { person: other, token: own } = await signedIn();
      const code = (of: string) => async (scope: string) =>
        locationOf(await ask(authorizing(standard(client, { scope }), bearer(of)))).searchParams.get('code') ?? '';
      const forUser = (await redeem(server, client, { code: await code(own)('user') })).body;
      const oidc = (await redeem(server, client, { code: await code(own)('openid') })).body;
      await server.core.apiSessions.endByToken('tinyoauth', own, { via: 'tinyoauth', address: '', requestId: '' });
      await exactly(authorizing(standard(client), bearer(own)), 401, failed(expect.any(String)));
      expect((await refresh(server, client, oidc.refresh_token)).body.error).toBe('invalid_grant');
      expect((await refresh(server, client, forUser.refresh_token)).status).toBe(200);
      await server.core.accounts.disable(other.subject);
      expect((await refresh(server, client, forUser.refresh_token)).body.error).toBe('invalid_grant');
    });
  });

  describe('POST /token is /oauth/token', () => {
    const tokenCall = (path: string, more: Partial<Call> = {}): Call => ({
      method: 'POST',
      path,
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
      body: 'grant_type=client_credentials',
      ...more,
    });
    const calls: [string, (path: string) => Call][] = [
      ['nothing', (path) => tokenCall(path, { body: '' })],
      ['an unknown client', (path) => tokenCall(path, { body: 'client_id=x&grant_type=authorization_code&code=y' })],
      ['GET', (path) => ({ path })],
      ['HEAD', (path) => ({ method: 'HEAD', path })],
      ['PUT', (path) => tokenCall(path, { method: 'PUT' })],
      ['JSON', (path) => posting(path, { grant_type: 'client_credentials' })],
      ['too large', (path) => tokenCall(path, { body: `x=${'y'.repeat(70_000)}` })],
      ['a query', (path) => tokenCall(`${path}?grant_type=client_credentials`)],
      ['two Authorization headers', (path) => tokenCall(path, { headers: [bearer('a'), bearer('b')] })],
      [
        'a preflight',
        (path) => ({
          method: 'OPTIONS',
          path,
          headers: [
            ['Origin', 'https://app.example.com'],
            ['Access-Control-Request-Method', 'POST'],
          ],
        }),
      ],
    ];
    test.each(calls)('%s: the same answer, to the header', async (_name, made) => {
      const [theirs, ours] = [await call(server, made('/oauth/token')), await call(server, made('/token'))];
      for (const { headers } of [theirs, ours]) {
        delete headers['x-request-id'];
        delete headers.date;
      }
      expect(withoutReferences(ours)).toEqual(withoutReferences(theirs));
      expect(ours.status).toBeLessThan(500);
    });

    test('machines and assertions are served; the audience is what it was', async () => {
      const machine = { grant_types: ['client_credentials'], redirect_uris: [] };
      const client = await buildClient(server, machine);
      const answer = await call(server, {
        ...tokenCall('/token'),
        headers: [
          ['Content-Type', 'application/x-www-form-urlencoded'],
          ['Authorization', basic(client.id, client.secret)],
        ],
      });
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
      for (const path of ['/Token', '/token/', '//token', '/%74oken', '/token;x=1']) {
        expect((await call(server, tokenCall(path))).status).toBe(404);
      }
      const metadata = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
      expect(metadata).toMatchObject({ token_endpoint: `${server.url}/oauth/token` });
    });
  });

  describe('methods, spellings and bodies', () => {
    const paths = ['/register', '/login', '/client'];
    test('other methods: 405 with Allow, in this API’s own words; OPTIONS says which there are', async () => {
      for (const path of paths) {
        for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
          const reason = 'this endpoint takes POST, OPTIONS';
          const token = path === '/login' ? { token: null } : {};
          const answer = await exactly({ method, path }, 405, { result: 'failed', ...token, reason });
          expect(answer.headers.allow).toBe('POST, OPTIONS');
        }
        const options = await ask({ method: 'OPTIONS', path });
        expect([options.status, options.headers.allow]).toEqual([204, 'POST, OPTIONS']);
      }
      const asked = await ask({ method: 'OPTIONS', path: '/authorize' });
      expect([asked.status, asked.headers.allow]).toEqual([204, 'GET, POST, OPTIONS']);
    });

    test('another spelling of a path: 404', async () => {
      for (const path of [...paths, '/authorize']) {
        for (const spelled of [`${path}/`, `/${path}`, path.toUpperCase(), `${path};x`, `${path}.json`]) {
          expect((await call(server, posting(spelled, {}))).status).toBe(404);
        }
      }
    });

    test('no content type: JSON; another: 415; larger than 64 KiB: 413', async () => {
      const { token } = await signedIn();
      for (const path of paths) {
        const own = path === '/login' ? { token: null } : {};
        const json = { method: 'POST', path, headers: [bearer(token)], body: '{}' };
        const reason = 'the body must be application/json in UTF-8, not compressed';
        const missing = `${path === '/client' ? 'name' : 'username'} must be given, as a string`;
        await exactly(json, 400, { result: 'failed', ...own, reason: missing });
        const form = { ...json, headers: [bearer(token), ['Content-Type', 'text/plain']] as const };
        await exactly(form, 415, { result: 'failed', ...own, reason });
        const large = posting(path, { username: 'x'.repeat(70_000) }, bearer(token));
        await exactly(large, 413, { result: 'failed', ...own, reason: 'the body is larger than 65536 bytes' });
      }
    });

    const hostile: readonly unknown[] = [
      ...['', 'a\u0000b', '\ufeff', '\ufffe', '\u202e', '\u200d', 'İıßſK', 'a'.repeat(16_384), '<svg/onload=1>', '%00'],
      ...["' OR '1'='1", '$1', '??', '{"$gt":""}', '`id`', '<%= 7*7 %>', '{{7*7}}', '../../etc/passwd'],
      ...[
        null,
        true,
        0,
        -0,
        1e300,
        [],
        {},
        [[[]]],
        { $gt: '' },
        { toString: 1 },
        { length: -1 },
        JSON.parse('{"then":1}'),
        { raw: '1' },
      ],
      `a${'\u0301'.repeat(10_000)}`,
    ];
    test('hostile values in every member: an answer of this API, never a 5xx', async () => {
      const { token } = await signedIn();
      const members: Record<string, readonly string[]> = {
        '/register': ['username', 'password'],
        '/login': ['username', 'password'],
        '/client': ['name', 'redirect_uri'],
        '/authorize': ['client_id', 'redirect_uri', 'state', 'scope', 'claims', 'resource'],
      };
      for (const [path, names] of Object.entries(members)) {
        for (const value of hostile) {
          for (const name of names) {
            const body = { ...Object.fromEntries(names.map((member) => [member, 'something'])), [name]: value };
            const answer = await ask(posting(path, body, bearer(token)));
            expect(answer.status).toBeLessThan(500);
            if (answer.text !== '') expect(JSON.parse(answer.text).result).toMatch(/^(succeeded|failed)$/);
          }
        }
        const texts = [
          '{"__proto__":{"username":"a","password":"b"}}',
          '"x"',
          'null',
          '1',
          '[',
          `${'['.repeat(10_000)}`,
        ];
        for (const text of [...texts, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])]) {
          expect((await ask(posting(path, text, bearer(token)))).status).toBe(400);
        }
      }
      for (const value of [
        '',
        ' ',
        'x',
        'Bearer',
        'Basic %%%',
        `Bearer ${'x'.repeat(10_000)}`,
        'Bearer a.b.c',
        'Bearer ..',
      ]) {
        for (const path of ['/client', '/authorize']) {
          const answer = await ask(posting(path, { name: 'x', redirect_uri: callback }, ['Authorization', value]));
          expect([401, 303]).toContain(answer.status);
        }
      }
    });
  });

  test('ended, disabled or deleted on one node, the token is refused on the other within a second', async () => {
    const second = await storage.join(server);
    const state = async (token: string) =>
      (await call(second, posting('/client', {}, bearer(token)))).status === 401 ? 'refused' : 'accepted';
    const ends: ((of: Awaited<ReturnType<typeof signedIn>>) => Promise<unknown>)[] = [
      ({ token }) =>
        server.core.apiSessions.endByToken('tinyoauth', token, { via: 'tinyoauth', address: '', requestId: '' }),
      ({ person }) => server.core.accounts.disable(person.subject),
      ({ person }) => server.core.accounts.remove(person.subject),
      ({ person }) => server.core.accounts.setPassword(person.subject, 'eight quinces in a row', { endSessions: true }),
    ];
    for (const end of ends) {
      const one = await signedIn();
      expect(await state(one.token)).toBe('accepted');
      await end(one);
      expect((await ask(posting('/client', {}, bearer(one.token)))).status).toBe(401);
      await eventually('the other node refuses it', async () => (await state(one.token)) === 'refused', withinASecond);
    }
  });

  test('after a day the token has ended', async () => {
    const { token } = await signedIn();
    travel(86_400 + 60);
    await exactly(posting('/client', {}, bearer(token)), 401, failed(expect.any(String)));
  });
});

describe('settings', () => {
  const inform = async (server: TestServer, made: Call) => {
    const answer = await call(server, made);
    return [answer.status, JSON.parse(answer.text), answer.headers['retry-after']];
  };

  test.each(['off', 'invite'])('SIGN_UP=%s: no one signs up without an invitation', async (value) => {
    const server = await startServer({ env: { SIGN_UP: value } });
    try {
      expect(await inform(server, posting('/register', { username: 'ada', password }))).toEqual([
        403,
        { result: 'failed', reason: 'sign-up is closed on this server' },
        undefined,
      ]);
      expect(await server.core.stores.accounts.count()).toBe(0);
    } finally {
      await server.close();
    }
  });

  test('failed attempts are counted: 429 with Retry-After, for the right password too; sign-ups count for the address', async () => {
    const server = await startServer({ env: { THROTTLE_ACCOUNT_LIMIT: '3', THROTTLE_ADDRESS_LIMIT: '9' } });
    try {
      const { username } = await buildPerson(server);
      for (let time = 0; time < 3; time += 1) {
        expect((await inform(server, posting('/login', { username, password: 'wrong' })))[0]).toBe(200);
      }
      const reason = 'too many attempts, wait a while';
      expect(await inform(server, posting('/login', { username, password }))).toEqual([
        429,
        { result: 'failed', token: null, reason },
        expect.stringMatching(/^\d+$/),
      ]);
      for (let time = 0; time < 6; time += 1) {
        const answer = await inform(server, posting('/register', { username: `somebody-${time}`, password }));
        expect(answer[0]).toBe(200);
      }
      expect(await inform(server, posting('/register', { username: 'one-more', password }))).toEqual([
        429,
        { result: 'failed', reason: 'too many attempts, wait a while' },
        expect.stringMatching(/^\d+$/),
      ]);
    } finally {
      await server.close();
    }
  });

  test('switched off, none of it is there, and /token neither; the protocol goes on', async () => {
    const server = await startServer({ env: { SURFACES: 'oauth-clients' } });
    try {
      for (const path of ['/login', '/register', '/client', '/authorize', '/token']) {
        expect((await call(server, posting(path, {}))).status).toBe(404);
      }
      expect((await call(server, posting('/oauth/token', {}))).status).toBe(400);
      const { document } = await describedBy(server);
      expect(document.paths['/token']).toBeUndefined();
    } finally {
      await server.close();
    }
  });

  test('no token, password or secret is in the log', async () => {
    const server = await startServer({ env: { LOG_LEVEL: 'debug' } });
    try {
      const { username } = await buildPerson(server);
      const { token } = JSON.parse((await call(server, posting('/login', { username, password }))).text);
      const application = posting('/client', { name: 'Bookshelf', redirect_uri: callback }, bearer(token));
      const { client_id, client_secret } = JSON.parse((await call(server, application)).text);
      const query = new URLSearchParams({ response_type: 'code', client_id });
      const sent = await call(server, { path: `/authorize?${query}`, headers: [bearer(token)] });
      const code = new URL(String(sent.headers.location)).searchParams.get('code') ?? '';
      const log = server.logged.join('\n');
      for (const secret of [token, token.split('.')[2] ?? '', password, client_secret, code]) {
        expect(secret).not.toBe('');
        expect(log.includes(secret)).toBe(false);
      }
      expect(log.includes(adminKey)).toBe(false);
    } finally {
      await server.close();
    }
  });
});

/** Each request has its own. */
function withoutReferences(answer: object): unknown {
  return JSON.parse(JSON.stringify(answer).replaceAll(/\/why\/[\w-]+/g, '/why/…'));
}
