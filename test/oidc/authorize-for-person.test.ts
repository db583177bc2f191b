/**
 * A program authorizes in the place of a person whose token it holds: the engine's own checks, without a browser or a
 * page.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { digest } from '../../src/base/secrets.ts';
import type { AuthorizationOutcome } from '../../src/core/api-sessions/authorize.ts';
import { Agent, pkce } from '../support/agent.ts';
import { claimsOf, comeBack, isActive, redeem, refresh, travel, userApiTakes, userinfo } from '../support/flow.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const registered = 'https://app.example.com/cb';
const caller = { via: 'identity', address: '192.0.2.7', userAgent: 'a program', requestId: 'test' };
const hour = 3600;

type Person = Awaited<ReturnType<typeof buildPerson>>;
type Client = Awaited<ReturnType<typeof buildClient>>;
type Parameters = Record<string, string> | [string, string][];

describeStorages('authorizing for a person', (storage) => {
  let server: TestServer;
  let person: Person;
  let client: Client;
  let session: string;
  beforeAll(async () => {
    server = await storage.start();
    person = await buildPerson(server);
    client = await buildClient(server, {}, 'person');
    session = await begin();
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  const standard = () => ({ response_type: 'code', client_id: client.id, redirect_uri: registered, state: 'a state' });

  async function begin(of: Person = person, lifetime = hour): Promise<string> {
    const holder = { account: of };
    const { uid } = await server.core.sessions.begin({ door: 'tinyoauth', holder, lifetime, amr: ['pwd'], caller });
    return uid;
  }

  const authorize = (parameters: Parameters, sessionUid = session, of = person, node = server) =>
    node.app.protocol.authorizer.authorize({
      parameters: Array.isArray(parameters) ? parameters : Object.entries(parameters),
      subject: of.subject,
      sessionUid,
      caller,
    });

  async function codeFor(parameters: Parameters, sessionUid = session, of = person, node = server): Promise<string> {
    return codeIn(await authorize(parameters, sessionUid, of, node));
  }

  async function tokensFor(parameters: Record<string, string>, sessionUid = session) {
    const { status, body } = await redeem(server, client, { code: await codeFor(parameters, sessionUid) });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body;
  }

  const stored = async (uid: string) => (await server.core.stores.engine.readSessionByUid(uid))?.session;

  test('the code is worth what a browser’s is: tokens, the user API, refreshing and introspection', async () => {
    const answer = await authorize(standard());
    const location = new URL(answer.outcome === 'redirect' ? answer.location : '');
    expect(location.origin + location.pathname).toBe(registered);
    expect([...location.searchParams.keys()].sort()).toEqual(['code', 'iss', 'state']);
    expect(location.searchParams.get('state')).toBe('a state');
    expect(location.searchParams.get('iss')).toBe(server.url);

    expect((await redeem(server, { id: client.id }, { code: codeIn(answer) })).body.error).toBe('invalid_client');
    const { status, body } = await redeem(server, client, { code: codeIn(answer) });
    expect({ status, ...body }).toMatchObject({ status: 200, scope: 'user', username: person.username });
    const info = await fetch(`${server.url}/user/info`, { headers: { authorization: `Bearer ${body.access_token}` } });
    expect(info.status).toBe(200);
    expect(await isActive(server, client, body.refresh_token)).toBe(true);
    const refreshed = await refresh(server, client, body.refresh_token);
    expect(refreshed.status).toBe(200);
    expect(await userApiTakes(server, refreshed.body.access_token)).toBe(true);
    expect((await redeem(server, client, { code: codeIn(answer) })).body.error).toBe('invalid_grant');
  });

  test('OpenID Connect: the ID token tells who it is and when they signed in', async () => {
    const body = await tokensFor({
      ...standard(),
      scope: 'openid email',
      nonce: 'n',
      claims: '{"userinfo":{"name":null},"id_token":{"auth_time":null}}',
    });
    const claims = claimsOf(body.id_token);
    expect(claims).toMatchObject({ sub: person.subject, nonce: 'n', aud: client.id });
    expect(claims.auth_time).toBe((await stored(session))?.createdAt);
    const seen = await userinfo(server, body.access_token);
    expect(await seen.json()).toMatchObject({ sub: person.subject, email: person.email, name: expect.any(String) });
    expect(await isActive(server, client, body.access_token)).toBe(true);
  });

  test('redirect_uri may be left out where one is registered, PKCE where the client may, and prompt means nothing', async () => {
    const { redirect_uri: _left, ...rest } = standard();
    await codeFor(rest);
    for (const prompt of ['login', 'consent', 'none', 'select_account', 'login none']) {
      await codeFor({ ...standard(), prompt });
    }
    await codeFor([...Object.entries(standard()), ['prompt', 'login'], ['prompt', 'consent']]);
  });

  test('a challenge that is sent is enforced', async () => {
    const { verifier, challenge } = pkce();
    const proof = { code_challenge: challenge, code_challenge_method: 'S256' };
    const wrong = { code: await codeFor({ ...standard(), ...proof }), code_verifier: pkce().verifier };
    expect((await redeem(server, client, wrong)).body.error).toBe('invalid_grant');
    const without = { code: await codeFor({ ...standard(), ...proof }) };
    expect((await redeem(server, client, without)).body.error).toBe('invalid_grant');
    const right = { code: await codeFor({ ...standard(), ...proof }), code_verifier: verifier };
    expect((await redeem(server, client, right)).status).toBe(200);
  });

  test('a client on a loopback address, of which a browser always asks, is allowed by the call', async () => {
    const native = await buildClient(
      server,
      {
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['http://127.0.0.1/cb'],
      },
      'person',
    );
    const { verifier, challenge } = pkce();
    const redirect_uri = 'http://127.0.0.1:8123/cb';
    const code = await codeFor({
      ...standard(),
      client_id: native.id,
      redirect_uri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const { id } = native;
    expect((await redeem(server, { id }, { code, code_verifier: verifier }, { redirect_uri })).status).toBe(200);
  });

  describe('what the application must not hear of is refused, and leaves nothing behind', () => {
    const addresses = [
      ...[`${registered}/`, `${registered}/x`, 'https://app.example.com/x/../cb', 'https://app.example.com/CB'],
      ...['https://APP.example.com/cb', 'HTTPS://app.example.com/cb', `${registered}?x=1`, `${registered}?`],
      ...[`${registered}#x`, `${registered}#`, 'https://app.example.com:8443/cb', 'https://app.example.com:443/cb'],
      ...['http://app.example.com/cb', 'https://user@app.example.com/cb', 'https://app.example.com@evil.example/cb'],
      ...['https://a@b@app.example.com/cb', 'https://app.example.com/%2e%2e/cb', `${registered}%0d%0aX-Evil:%201`],
      ...[`${registered}\r\nX-Evil: 1`, 'https://app.example.com\\cb', 'https://evil.example\\@app.example.com/cb'],
      ...['https://app.example.com/c\tb', ` ${registered}`, 'https://app.example.com.evil.example/cb'],
      ...['https://appxexample.com/cb', 'https://app.example.com./cb', 'https://аpp.example.com/cb', '/cb'],
      ...['https://app．example．com/cb', '//app.example.com/cb', 'https://app.example.com/c%62', 'null', '\u0000'],
      'javascript:alert(1)//https://app.example.com/cb',
    ];

    async function expectRefused(parameters: Parameters, error: string): Promise<void> {
      const fresh = await begin();
      const before = await stored(fresh);
      const answer = await authorize(parameters, fresh);
      expect(answer).toEqual({ outcome: 'refused', status: 400, error, description: expect.any(String) });
      expect({ ...(await stored(fresh)), lastSeenAt: null }).toEqual({ ...before, lastSeenAt: null });
    }

    test.each(addresses)('A1: redirect_uri %j', async (redirect_uri) => {
      await expectRefused({ ...standard(), redirect_uri }, 'invalid_redirect_uri');
      await expectRefused(
        { ...standard(), redirect_uri, response_type: 'token', scope: 'nonsense' },
        'invalid_redirect_uri',
      );
    });

    test('A2: an unknown, malformed, doubled or disabled client', async () => {
      const disabled = await buildClient(server, {}, 'person');
      await server.app.clients.disable(disabled.id);
      for (const client_id of ['nobody', '\u0000', "' OR 1=1", 'x'.repeat(5000), disabled.id]) {
        await expectRefused({ ...standard(), client_id }, 'invalid_client');
      }
      const { client_id: _none, ...without } = standard();
      await expectRefused(without, 'invalid_request');
      await expectRefused({ ...standard(), client_id: '' }, 'invalid_request');
      await expectRefused([...Object.entries(standard()), ['client_id', client.id]], 'invalid_request');
    });

    test('A3: no redirect_uri where two are registered', async () => {
      const two = await buildClient(server, { redirect_uris: [registered, `${registered}2`] }, 'person');
      const { redirect_uri: _none, ...rest } = standard();
      await expectRefused({ ...rest, client_id: two.id }, 'invalid_request');
    });

    test('half a character, and more than a browser could send', async () => {
      await expectRefused({ ...standard(), state: 'a\ud800' }, 'invalid_request');
      expect(await authorize({ ...standard(), state: 'x'.repeat(13_000) })).toMatchObject({
        outcome: 'refused',
        status: 413,
      });
    });
  });

  describe('any other error is the one that a browser brings to the application', () => {
    // An unreviewed client hears of no error from a browser whose person has not agreed to it (S11).
    beforeAll(async () => {
      await server.app.clients.review(client.id);
    });
    afterAll(async () => {
      await server.app.clients.unreview(client.id);
    });

    const cases: Record<string, Parameters> = {
      'another response type': { response_type: 'token' },
      'a hybrid response type': { response_type: 'code id_token' },
      'no response type': { response_type: '' },
      'an unknown response mode': { response_mode: 'web_message' },
      'a challenge in the clear': { code_challenge: pkce().verifier, code_challenge_method: 'plain' },
      'a challenge without a method': { code_challenge: pkce().challenge },
      'a method without a challenge': { code_challenge_method: 'S256' },
      'a challenge that is too short': { code_challenge: 'short', code_challenge_method: 'S256' },
      'characters that no scope has': { scope: 'user "x"' },
      'a resource that is not there': { resource: 'https://nothing.example' },
      'a resource that is no address': { resource: 'nothing' },
      'a nonce without openid': { nonce: 'n' },
      'a max_age that is none': { scope: 'openid', max_age: '-1' },
      'claims that are no JSON': { scope: 'openid', claims: '{' },
      'a request object': { request: 'eyJhbGciOiJub25lIn0.e30.' },
      'a request elsewhere': { request_uri: 'https://evil.example/r' },
      'a forged hint': { scope: 'openid', id_token_hint: 'eyJhbGciOiJub25lIn0.e30.' },
      ...Object.fromEntries(
        ['redirect_uri', 'scope', 'state', 'response_type', 'code_challenge', 'max_age', 'response_mode'].map(
          (name): [string, Parameters] => [
            `${name} twice`,
            [
              [name, 'x'],
              [name, 'y'],
            ],
          ],
        ),
      ),
    };
    test.each(Object.entries(cases))('%s', async (_name, more) => {
      const extra = Array.isArray(more) ? more : Object.entries(more);
      const parameters = [...Object.entries(standard()).filter(([name]) => !(name in Object.fromEntries(extra)))];
      const both = [...parameters, ...extra] as [string, string][];
      const browser = await new Agent(server).go(
        `/oauth/authorize?${new URLSearchParams([...both, ['prompt', 'none']])}`,
        { follow: false },
      );
      const answer = await authorize(both);
      expect(browser.location).toMatch(/[?&#]error=/);
      expect(browser.location).not.toContain('login_required');
      const bare = (location = '') => location.replace(/why%2F[\w-]+/, 'why%2F…');
      expect(answer).toEqual({ outcome: 'redirect', location: expect.stringMatching(/error_uri=.*why%2F/) });
      expect(bare((answer as { location?: string }).location)).toBe(bare(browser.location));
    });

    test('a page that would post itself is no answer for a program: the application is told so', async () => {
      const answer = await authorize({ ...standard(), response_mode: 'form_post' });
      expect(errorIn(answer)).toBe('unsupported_response_mode');
    });

    test('a person who signed in too long ago, or is another one than was asked for', async () => {
      const uid = await begin();
      const before = await stored(uid);
      const hint = (await tokensFor({ ...standard(), scope: 'openid' })).id_token ?? '';
      const other = await buildPerson(server);
      const asOther = await authorize(
        { ...standard(), scope: 'openid', id_token_hint: hint },
        await begin(other),
        other,
      );
      expect(errorIn(asOther)).toBe('login_required');
      travel(100);
      expect(errorIn(await authorize({ ...standard(), scope: 'openid', max_age: '60' }, uid))).toBe('login_required');
      expect(errorIn(await authorize({ ...standard(), scope: 'openid', max_age: '0' }, uid))).toBe('login_required');
      expect((await stored(uid))?.payload).toBe(before?.payload);
      await codeFor({ ...standard(), scope: 'openid', max_age: '300' }, uid);
    });

    test.each(['a+b c%2Bd', 'Grüße, 世界 👋🏽', '"><svg/onload=alert(1)>&x=y;#', 'x'.repeat(2048)])(
      'A7: state %# comes back as it was sent, with a code and with an error',
      async (state) => {
        for (const more of [{}, { response_type: 'code token' }]) {
          const answer = await authorize({ ...standard(), ...more, state });
          const { searchParams, hash } = new URL(answer.outcome === 'redirect' ? answer.location : '');
          const sent = searchParams.has('iss') ? searchParams : new URLSearchParams(hash.slice(1));
          expect([sent.get('state'), sent.get('iss')]).toEqual([state, server.url]);
        }
      },
    );
  });

  describe('the session', () => {
    const ended = { outcome: 'refused', status: 401, error: 'login_required', description: expect.any(String) };

    test('its end, its key and its origin are its own; only its clients come to it', async () => {
      const uid = await begin();
      const before = await stored(uid);
      travel(60);
      await codeFor({ ...standard(), scope: 'openid' }, uid);
      const after = await stored(uid);
      expect(after?.payload).not.toBe(before?.payload);
      expect(after).toMatchObject({
        key: digest(server.core.sessions.valueOf(uid)),
        expiresAt: before?.expiresAt,
        origin: before?.origin,
        grants: { [client.id]: expect.any(String) },
      });
      await codeFor({ ...standard(), scope: 'openid' }, uid);
      expect((await stored(uid))?.payload).toBe(after?.payload);
    });

    test('one grant serves all requests of a client, with whatever they ask for', async () => {
      const uid = await begin();
      await tokensFor({ ...standard(), scope: 'openid' }, uid);
      const grant = (await stored(uid))?.grants[client.id];
      await tokensFor({ ...standard(), scope: 'openid email' }, uid);
      await tokensFor({ ...standard(), scope: 'user' }, uid);
      expect((await stored(uid))?.grants).toEqual({ [client.id]: grant });
      expect(await server.core.stores.consents.find(person.subject, client.id)).toBeUndefined();
    });

    test('it is on record once for what is new', async () => {
      const uid = await begin();
      const own = await buildClient(server, {}, 'person');
      for (const scope of ['openid', 'openid', 'openid email']) {
        await codeFor({ ...standard(), client_id: own.id, scope }, uid);
      }
      await authorize({ ...standard(), client_id: own.id, scope: 'openid profile', max_age: '0' }, uid);
      const events = await server.core.stores.audit.list({ subject: person.subject }, 1000);
      const given = events.filter(({ event, clientId }) => event === 'consent.granted' && clientId === own.id);
      expect(given.map(({ detail }) => detail)).toEqual(
        expect.arrayContaining([
          { via: 'tinyoauth', scopes: ['openid'], resources: {} },
          { via: 'tinyoauth', scopes: ['email'], resources: {} },
        ]),
      );
      expect(given).toHaveLength(2);
      expect(given[0]).toMatchObject({ subject: person.subject, address: caller.address, requestId: 'test' });
    });

    test('ended, expired or of another person it serves no one, and what hangs on it is dead', async () => {
      const uid = await begin();
      const body = await tokensFor({ ...standard(), scope: 'openid' }, uid);
      const code = await codeFor({ ...standard(), scope: 'openid' }, uid);
      const other = await buildPerson(server);
      expect(await authorize(standard(), uid, other)).toEqual(ended);
      await server.core.sessions.end(uid, {});
      expect(await authorize(standard(), uid)).toEqual(ended);
      expect(await authorize(standard(), 'no-such-session')).toEqual(ended);
      expect((await redeem(server, client, { code })).body.error).toBe('invalid_grant');
      expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
      expect((await userinfo(server, body.access_token)).status).toBe(401);

      const short = await begin(person, 60);
      const shortBody = await tokensFor({ ...standard(), scope: 'openid' }, short);
      travel(61);
      expect(await authorize(standard(), short)).toEqual(ended);
      expect((await refresh(server, client, shortBody.refresh_token)).body.error).toBe('invalid_grant');
    });

    test('a person who is disabled or gone has none', async () => {
      const disabled = await buildPerson(server);
      const gone = await buildPerson(server);
      const [first, second] = [await begin(disabled), await begin(gone)];
      await server.core.stores.accounts.update(disabled.subject, { disabledAt: 1 }, 1);
      await server.core.stores.accounts.delete(gone.subject);
      expect(await authorize(standard(), first, disabled)).toEqual(ended);
      expect(await authorize(standard(), second, gone)).toEqual(ended);
    });

    test('no cookie can stand for it, and the browser’s own session knows nothing of it', async () => {
      const own = await buildClient(server, {}, 'person');
      await server.app.clients.review(own.id);
      const mine = { ...standard(), client_id: own.id };
      const agent = new Agent(server);
      await agent.authorize(person, { client_id: own.id, scope: 'openid' });
      const cookies = [...agent.cookies.values()];
      const uid = await begin();
      await codeFor({ ...mine, scope: 'openid' }, uid);
      expect([...agent.cookies.values()]).toEqual(cookies);
      const silent = await agent.go(`/oauth/authorize?${new URLSearchParams({ ...mine, prompt: 'none' })}`, {
        follow: false,
      });
      // Implied in one place, asked for in the other.
      expect(new URL(silent.location ?? '').searchParams.get('error')).toBe('consent_required');
      const forged = await fetch(`${server.url}/oauth/authorize?${new URLSearchParams({ ...mine, prompt: 'none' })}`, {
        redirect: 'manual',
        headers: { cookie: `gatehouse=${server.core.sessions.valueOf(uid)}; gatehouse.sig=${'x'.repeat(27)}` },
      });
      expect(forged.headers.get('location')).toContain('login_required');
    });
  });

  test('50 calls of one session at once: 50 codes, all of them good, whatever they ask for', async () => {
    const uid = await begin();
    const scopes = ['openid', 'openid email', 'user', 'openid profile', 'openid email profile'];
    const codes = await Promise.all(
      Array.from({ length: 50 }, (_, n) => codeFor({ ...standard(), scope: scopes[n % scopes.length] ?? '' }, uid)),
    );
    expect(new Set(codes).size).toBe(50);
    const redeemed = await Promise.all(codes.map((code) => redeem(server, client, { code })));
    expect(redeemed.map(({ status, body }) => [status, body.scope])).toEqual(
      codes.map((_, n) => [200, scopes[n % scopes.length]]),
    );
    const refreshed = await Promise.all(redeemed.map(({ body }) => refresh(server, client, body.refresh_token)));
    expect(refreshed.map(({ status }) => status)).toEqual(codes.map(() => 200));
  });

  test('two nodes at once for one session: every code is good on both', async () => {
    const other = await storage.join(server);
    for (let round = 0; round < 5; round += 1) {
      const uid = await begin();
      const codes = await Promise.all(
        [server, other, server, other].map((node) => codeFor({ ...standard(), scope: 'openid' }, uid, person, node)),
      );
      const redeemed = await Promise.all(codes.map((code, n) => redeem(n < 2 ? other : server, client, { code })));
      expect(redeemed.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    }
  });

  test('clients of one session at once: each has its part', async () => {
    const uid = await begin();
    const clients = await Promise.all(Array.from({ length: 8 }, () => buildClient(server, {}, 'person')));
    const codes = await Promise.all(
      clients.map(({ id }) => codeFor({ ...standard(), client_id: id, scope: 'openid' }, uid)),
    );
    const redeemed = await Promise.all(clients.map((own, n) => redeem(server, own, { code: codes[n] ?? '' })));
    expect(redeemed.map(({ status }) => status)).toEqual(clients.map(() => 200));
  });
});

test('where the server is at an https address its cookies have other names and flags, and it is all the same', async () => {
  const server = await startServer({
    env: { ISSUER: 'https://id.example.com', DEVELOPMENT_ON: 'https://id.example.com' },
  });
  try {
    const account = await buildPerson(server);
    const { id } = await buildClient(server, {}, 'person');
    const session = { door: 'tinyoauth', holder: { account }, lifetime: hour, caller };
    const { uid } = await server.core.sessions.begin(session);
    const answer = await server.app.protocol.authorizer.authorize({
      parameters: Object.entries({ response_type: 'code', client_id: id }),
      subject: account.subject,
      sessionUid: uid,
      caller,
    });
    expect(new URL(answer.outcome === 'redirect' ? answer.location : '').searchParams.get('iss')).toBe(
      'https://id.example.com',
    );
    expect(codeIn(answer)).not.toBe('');
  } finally {
    await server.close();
  }
});

function codeIn(answer: AuthorizationOutcome): string {
  const code = answer.outcome === 'redirect' && new URL(answer.location).searchParams.get('code');
  if (!code) throw new Error(`no code: ${JSON.stringify(answer)}`);
  return code;
}

function errorIn(answer: AuthorizationOutcome): string | null {
  const location = new URL(answer.outcome === 'redirect' ? answer.location : 'about:blank');
  expect(location.origin + location.pathname).toBe(registered);
  expect(location.searchParams.has('code')).toBe(false);
  return location.searchParams.get('error');
}
