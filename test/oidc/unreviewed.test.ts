/**
 * S11: people are sent to an unreviewed client only once they are signed in and have agreed to it; before that every
 * error is a page.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, pkce } from '../support/agent.ts';
import { claimsOf, codeFor, redeem, refresh, tokensFor } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const callback = 'https://app.example.com/cb';
const goodbye = 'https://app.example.com/bye';
type Client = Awaited<ReturnType<typeof buildClient>>;
type Parameters = Record<string, string>;

describeStorages('unreviewed clients', (storage) => {
  let server: TestServer;
  let client: Client;
  let reviewed: Client;
  beforeAll(async () => {
    server = await storage.start();
    const metadata = { post_logout_redirect_uris: [goodbye], require_pkce: false };
    client = await buildClient(server, { ...metadata, client_name: 'Bookshelf' }, 'person');
    reviewed = await buildClient(server, metadata);
  });
  afterAll(() => server.close());

  const { challenge } = pkce();
  const proof = { code_challenge: challenge, code_challenge_method: 'S256' };
  const request = (more: Parameters = {}, of: { id: string } = client) => ({
    ...{ client_id: of.id, response_type: 'code', redirect_uri: callback, scope: 'openid', state: 's' },
    ...proof,
    ...more,
  });
  function ask(agent: Agent, parameters: Parameters, follow = false): Promise<Answer> {
    const given = Object.entries(parameters).filter(([, value]) => value !== '');
    return agent.go(`/oauth/authorize?${new URLSearchParams(given)}`, { follow });
  }
  function expectPage(answer: Answer): void {
    expect([answer.status, answer.location]).toEqual([400, undefined]);
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(answer.text).toContain('This application has not been checked');
    expect(answer.text).toContain('<bdi>Bookshelf</bdi>');
    expect(answer.text).not.toMatch(/action="https:\/\/app\.example\.com|http-equiv|href="https:\/\/app/);
  }
  function expectSent(answer: Answer, error: string): void {
    const url = new URL(answer.location ?? 'about:blank');
    expect(url.origin + url.pathname).toBe(callback);
    expect(
      (url.searchParams.has('error') ? url.searchParams : new URLSearchParams(url.hash.slice(1))).get('error'),
    ).toBe(error);
  }

  const errors: Record<string, { ask: Parameters; error: string }> = {
    'an invalid scope': { ask: { scope: 'openid "x"' }, error: 'invalid_scope' },
    'PKCE missing': { ask: { code_challenge: '', code_challenge_method: '' }, error: 'invalid_request' },
    'plain PKCE': { ask: { code_challenge_method: 'plain' }, error: 'invalid_request' },
    'an unknown response type': { ask: { response_type: 'nonsense' }, error: 'unsupported_response_type' },
    'a hybrid response type': { ask: { response_type: 'code id_token' }, error: 'unsupported_response_type' },
    'no response type': { ask: { response_type: '' }, error: 'invalid_request' },
    'an unknown response mode': { ask: { response_mode: 'web_message' }, error: 'unsupported_response_mode' },
    'an unknown resource': { ask: { resource: 'https://nothing.example' }, error: 'invalid_target' },
    'a forged hint': { ask: { id_token_hint: 'eyJhbGciOiJub25lIn0.e30.' }, error: 'invalid_request' },
    'a request object': { ask: { request: 'eyJhbGciOiJub25lIn0.e30.' }, error: 'request_not_supported' },
    'prompt=none with another prompt': { ask: { prompt: 'none login' }, error: 'invalid_request' },
  };
  const modes = ['', 'query', 'fragment', 'form_post'];

  /**
   * Browsers whose person has not agreed: one without a session, and one whose person has allowed another client only.
   */
  async function strangers(): Promise<Agent[]> {
    const signedIn = new Agent(server);
    codeOf(await signedIn.authorize(await buildPerson(server), request({}, reviewed)));
    return [new Agent(server), signedIn];
  }

  describe('before the person has agreed every error is a page', () => {
    test.each(Object.entries(errors))('S11: %s', async (_name, { ask: more }) => {
      for (const agent of await strangers())
        for (const response_mode of 'response_mode' in more ? [more.response_mode ?? ''] : modes)
          expectPage(await ask(agent, request({ ...more, response_mode })));
    });

    test('S11: prompt=none, with a session and without, in every response mode', async () => {
      for (const agent of await strangers())
        for (const response_mode of modes) expectPage(await ask(agent, request({ prompt: 'none', response_mode })));
      const answer = await ask(new Agent(server), request({ prompt: 'none' }));
      expect(answer.text).toContain('wanted to know who you are without asking you');
      expect(answer.text).toContain('login_required');
    });

    test('S11: as a form, and by tinyoauth’s /authorize without a token', async () => {
      const agent = new Agent(server);
      expectPage(await agent.go('/oauth/authorize', { form: request({ prompt: 'none' }) }));
      expectPage(await agent.go(`/authorize?${new URLSearchParams(request({ prompt: 'none' }))}`));
    });

    test('S11: Cancel on the sign-in page, on the consent page, and the answer "deny"', async () => {
      const person = await buildPerson(server);
      for (const response_mode of modes) {
        const agent = new Agent(server);
        const page = await ask(agent, request({ response_mode, prompt: 'login' }), true);
        expect(page.text).toContain('name="password"');
        const cancelled = await agent.submit(page, { answer: 'cancel' });
        expectPage(cancelled);
        expect(cancelled.text).toContain('You did not allow <bdi>Bookshelf</bdi> to use your account.');
        for (const answer of ['deny', 'cancel']) {
          const again = await ask(agent, request({ response_mode, prompt: 'login' }), true);
          const consent = await agent.submit(again, { username: person.username, password });
          expect(consent.text).toContain('value="allow"');
          expectPage(await agent.submit(consent, { answer }));
        }
      }
    });

    test('S11: the interaction is over after its page: it can neither be resumed nor answered', async () => {
      const agent = new Agent(server);
      const page = await ask(agent, request(), true);
      const { pathname } = new URL(page.url);
      expectPage(await agent.submit(page, { answer: 'cancel' }));
      const resumed = await agent.go(pathname.replace('/interaction/', '/oauth/authorize/'), { follow: false });
      expect([resumed.status, resumed.location]).toEqual([400, undefined]);
    });

    test('S11: a reviewed client hears of every error', async () => {
      for (const [name, { ask: more, error }] of Object.entries(errors)) {
        if (name === 'PKCE missing') continue;
        expectSent(await ask(new Agent(server), request(more, reviewed)), error);
      }
      expectSent(await ask(new Agent(server), request({ prompt: 'none' }, reviewed)), 'login_required');
    });
  });

  describe('once the person has agreed', () => {
    test('S11: the client hears of every error, until they take it back', async () => {
      const { agent, person } = await codeFor(server, client);
      for (const { ask: more, error } of Object.values(errors)) expectSent(await ask(agent, request(more)), error);
      expectSent(await ask(agent, request({ prompt: 'none', scope: 'openid email' })), 'consent_required');
      expectSent(await ask(agent, request({ prompt: 'none', max_age: '0' })), 'login_required');
      codeOf(await ask(agent, request({ prompt: 'none' })));
      const wider = await ask(agent, request({ scope: 'openid email', prompt: 'consent' }), true);
      expectSent(await agent.submit(wider, { answer: 'deny' }), 'access_denied');

      await server.core.stores.engine.revokeGrantsOf(person.subject, client.id);
      expectPage(await ask(agent, request({ prompt: 'none' })));
    });

    test('S11: in this browser: another one, and the same one after a sign-out, has a page', async () => {
      const { agent } = await codeFor(server, client);
      expectPage(await ask(new Agent(server), request({ prompt: 'none' })));
      await agent.confirmLogout(await agent.go('/oauth/logout'));
      expectPage(await ask(agent, request({ prompt: 'none' })));
    });

    test('S11: what is allowed in this very flow leads to the client', async () => {
      const agent = new Agent(server);
      const person = await buildPerson(server);
      const page = await ask(agent, request(), true);
      const consent = await agent.submit(page, { username: person.username, password });
      expect(new URL((await agent.submit(consent, { answer: 'allow' })).location ?? '').searchParams.has('code')).toBe(
        true,
      );
    });
  });

  describe('PKCE', () => {
    const bare = { code_challenge: '', code_challenge_method: '' };

    test('S11, S16: an unreviewed client needs it; a reviewed one goes by its own rule', async () => {
      const own = await buildClient(server, { require_pkce: false }, 'person');
      const { agent } = await codeFor(server, own);
      expectSent(await ask(agent, request({ ...bare }, own)), 'invalid_request');
      await server.app.clients.review(own.id);
      codeOf(await ask(agent, request({ ...bare }, own)));
      await server.app.clients.unreview(own.id);
      expectSent(await ask(agent, request({ ...bare }, own)), 'invalid_request');
    });

    test('S16: a public client needs it whatever is stored of it', async () => {
      const open = await buildClient(server, { token_endpoint_auth_method: 'none', require_pkce: false });
      expect(open.record.metadata.require_pkce).toBe(true);
      const stored = await server.core.stores.clients.find(open.id);
      if (!stored) throw new Error('there is no client');
      const lax = { ...stored, metadata: { ...stored.metadata, require_pkce: false }, version: stored.version + 1 };
      expect(await server.core.stores.clients.update(lax)).toBe(true);
      await server.core.changes.changed();
      expectSent(await ask(new Agent(server), request({ ...bare }, open)), 'invalid_request');
    });
  });

  test('S11: a review, and its end, are known on every node within a second', async () => {
    const other = await storage.join(server);
    const own = await buildClient(server, {}, 'person');
    const kept = async () => (await ask(new Agent(other), request({ prompt: 'none' }, own))).location === undefined;
    await eventually('the other node knows it', kept, 1_000);
    await server.app.clients.review(own.id);
    await eventually('reviewed', async () => !(await kept()), 1_000);
    await server.app.clients.unreview(own.id);
    await eventually('unreviewed', kept, 1_000);
  });

  describe('logout', () => {
    const logout = (agent: Agent, more: Parameters = {}, of: { id: string } = client) =>
      agent.go(
        `/oauth/logout?${new URLSearchParams({ client_id: of.id, post_logout_redirect_uri: goodbye, state: 's', ...more })}`,
      );
    const answers: Parameters[] = [{ logout: 'yes' }, {}];

    test('S11: a person who has not agreed to the client is not sent on', async () => {
      for (const answer of answers)
        for (const agent of await strangers()) {
          const page = await logout(agent);
          expect(page.headers.get('content-security-policy')).not.toContain('app.example.com');
          const done = await agent.confirmLogout(page, answer);
          expect([done.status, done.location, new URL(done.url).pathname]).toEqual([
            200,
            undefined,
            '/oauth/logout/success',
          ]);
        }
    });

    test('S11: a person who has agreed is, and so is one whose own ID token comes along', async () => {
      for (const answer of answers) {
        const { agent } = await codeFor(server, client);
        expect((await agent.confirmLogout(await logout(agent), answer)).location).toBe(`${goodbye}?state=s`);
      }
      const { agent, body, person } = await tokensFor(server, client);
      await server.core.stores.engine.revokeGrantsOf(person.subject, client.id);
      const hinted = await logout(agent, { id_token_hint: body.id_token ?? '' });
      expect((await agent.confirmLogout(hinted)).location).toBe(`${goodbye}?state=s`);
    });

    test('S11: another person’s ID token does not send a person on, signed in or not', async () => {
      const attacker = await tokensFor(server, client);
      expect(claimsOf(attacker.body.id_token).sub).toBe(attacker.person.subject);
      for (const agent of await strangers()) {
        const done = await agent.confirmLogout(await logout(agent, { id_token_hint: attacker.body.id_token ?? '' }));
        expect([done.status, done.location]).toEqual([200, undefined]);
      }
    });

    test('S11: nor is a browser whose person signs in, or whose client is disabled, before the answer', async () => {
      const own = await buildClient(server, { post_logout_redirect_uris: [goodbye] }, 'person');
      const signingIn = new Agent(server);
      const asked = await logout(signingIn, {}, own);
      codeOf(await signingIn.authorize(await buildPerson(server), request({}, reviewed)));
      const gone = new Agent(server);
      const page = await logout(gone, {}, own);
      await server.app.clients.disable(own.id);
      for (const done of [await signingIn.confirmLogout(asked), await gone.confirmLogout(page)])
        expect(done.location).toBeUndefined();
    });

    test('S11: a reviewed client’s people are sent on as before', async () => {
      for (const agent of await strangers())
        expect((await agent.confirmLogout(await logout(agent, {}, reviewed))).location).toBe(`${goodbye}?state=s`);
    });
  });

  describe('the pages on the way', () => {
    const note = 'has not checked the application <bdi>Bookshelf</bdi>';

    test('S11: say that no operator has looked at the application, wherever a password may be typed', async () => {
      const agent = new Agent(server);
      const page = await ask(agent, request(), true);
      const { pathname } = new URL(page.url);
      expect(page.text).toContain(note);
      expect((await agent.go(`${pathname}/sign-up`)).text).toContain(note);
      expect((await agent.submit(page, { username: 'unknown-name', password })).text).toContain(note);
      const person = await buildPerson(server);
      const consent = await agent.submit(page, { username: person.username, password });
      expect(consent.text).toContain('value="allow"');
      expect(consent.text.match(/has not checked/g)).toHaveLength(1);
    });

    test('S11: consent names the owner, and says nothing more of a client that an operator has looked at', async () => {
      const owner = await buildPerson(server);
      const metadata = { client_name: 'Bookshelf', redirect_uris: [callback] };
      const made = await server.app.clients.register(metadata, { origin: 'person', owner: owner.subject });
      if (made.outcome !== 'registered') throw new Error(made.description);
      const { id } = made.client;
      const consent = async () => {
        const agent = new Agent(server);
        const person = await buildPerson(server);
        return agent.submit(await ask(agent, request({}, { id }), true), { username: person.username, password });
      };
      const before = (await consent()).text;
      expect(before).toContain(`registered by <bdi>${owner.username}</bdi>`);
      expect(before).toContain('<span class="badge warn">not reviewed</span>');
      expect(before.match(/has not checked/g)).toHaveLength(1);
      await server.app.clients.review(id);
      const after = (await consent()).text;
      expect(after).toContain(`<span>by <bdi>${owner.username}</bdi></span>`);
      expect(after).not.toContain('not reviewed');
      expect(after).not.toContain('has not checked');
      expect((await ask(new Agent(server), request({}, { id }), true)).text).not.toContain('has not checked');
    });
  });

  test('S11: the whole way to the tokens works for an unreviewed client', async () => {
    const { grant } = await codeFor(server, client, { scope: 'openid user' });
    expect((await redeem(server, client, grant)).status).toBe(200);
  });

  test('P11: a failure in this server at the token endpoint is 500 in JSON, for an unreviewed client too', async () => {
    const { engine } = server.core.stores;
    const { readToken } = engine;
    Object.assign(engine, { readToken: () => Promise.reject(new Error('a failure of the test')) });
    try {
      for (const each of [client, reviewed]) {
        const { status, body } = await refresh(server, each, 'x'.repeat(43));
        expect([status, body.error]).toEqual([500, 'server_error']);
      }
    } finally {
      Object.assign(engine, { readToken });
    }
  });
});
