/** Pushed authorization requests (RFC 9126; security.md D10). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Unit } from '../../src/core/stores/engine.ts';
import { Agent, type AgentRequest, type Answer, codeOf, csrfOf, pkce, token } from '../support/agent.ts';
import { comeBack, recorded, redeem, travel } from '../support/flow.ts';
import { leastRoundTrips } from '../support/round-trips.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

type Client = Awaited<ReturnType<typeof buildClient>>;
const callback = 'https://app.example.com/cb';

/** A browser whose load balancer sends all of its requests to one node, whatever the issuer's address is. */
class ThroughNode extends Agent {
  override async go(address: string, request: AgentRequest = {}): Promise<Answer> {
    const answer = await super.go(address, request);
    const target = answer.location === undefined ? undefined : new URL(answer.location);
    const goesOn = request.follow !== false && target?.hostname === 'localhost' && target.origin !== this.server.url;
    return goesOn ? this.go(target.pathname + target.search) : answer;
  }
}

describeStorages('pushed authorization requests', (storage) => {
  let server: TestServer;
  let other: TestServer;
  let client: Client;
  beforeAll(async () => {
    server = await storage.start();
    other = await storage.join(server);
    client = await buildClient(server);
  });
  afterAll(() => server.close());

  // Each test has a second of its own: one process records at most twenty refusals a second.
  let seconds = 0;
  beforeEach(() => travel(++seconds));
  afterEach(comeBack);

  /** Pushes a request on this node, and returns what its browser brings. */
  async function push(more: Record<string, string> = {}, as: Client = client, at: TestServer = server) {
    const { verifier, challenge } = pkce();
    const proof = { code_challenge: challenge, code_challenge_method: 'S256' };
    const answer = await token(at, as, { response_type: 'code', scope: 'openid', ...proof, ...more }, '/oauth/par');
    const uri = String(answer.body.request_uri);
    return { answer, verifier, uri, address: addressOf(as.id, uri) };
  }
  const addressOf = (client_id: string, request_uri: string) =>
    `/oauth/authorize?${new URLSearchParams({ client_id, request_uri })}`;

  async function toConsent(agent: Agent, address: string, person: { username: string }): Promise<Answer> {
    const login = await agent.go(address);
    return agent.submit(login, { username: person.username, password });
  }
  /** Signs in and allows where asked to. */
  async function toEnd(agent: Agent, address: string, person: { username: string }): Promise<Answer> {
    let page = await agent.go(address);
    for (let pages = 0; pages < 3 && page.status === 200; pages += 1) {
      const login = page.text.includes('name="password"');
      page = await agent.submit(page, login ? { username: person.username, password } : { answer: 'allow' });
    }
    return page;
  }
  const whyOf = async (answer: Pick<Answer, 'headers'>) => {
    const [, reference = ''] = /\/why\/([\w-]+)>/.exec(answer.headers.get('link') ?? '') ?? [];
    return (await server.core.refusals.find(reference)) ?? (await other.core.refusals.find(reference));
  };

  test('D10: pushed on one node, authorized on the other: one code, and no parameter in a cookie, an address or a page', async () => {
    const person = await buildPerson(server);
    const secrets = {
      state: 'state-that-only-the-rows-know',
      nonce: 'nonce-that-only-the-rows-know',
      claims: JSON.stringify({ id_token: { zoneinfo: { value: 'claim-that-only-the-rows-know' } } }),
    };
    const { answer, verifier, address } = await push(secrets);
    expect(answer).toMatchObject({
      status: 201,
      body: { expires_in: 60, request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{20,}$/) },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const agent = new ThroughNode(other);
    const pages = [await agent.go(address)];
    const [login] = pages as [Answer];
    pages.push(await agent.submit(login, { username: person.username, password: 'wrong' }));
    pages.push(await agent.go(new URL(login.url).pathname));
    const consent = await agent.submit(login, { username: person.username, password });
    pages.push(consent);
    // What a browser knows until the end, beside the answer to the application.
    const known = [...pages.flatMap(({ text, url }) => [text, url]), ...[...agent.cookies.values()].map(String)];
    known.push(JSON.stringify([...agent.cookies.values()]));
    for (const text of known) {
      expect(text).not.toContain('only-the-rows-know');
      expect(decodeURIComponent(text.replaceAll('%', '%25'))).not.toContain('only-the-rows-know');
    }
    const done = await agent.submit(consent, { answer: 'allow' });
    expect(new URL(done.location ?? '').searchParams.get('state')).toBe(secrets.state);
    expect(new URL(done.location ?? '').searchParams.get('iss')).toBe(server.app.core.config.issuer);
    const tokens = await redeem(server, client, { code: codeOf(done), code_verifier: verifier });
    expect(tokens.status).toBe(200);
    const [, claims = ''] = (tokens.body.id_token ?? '').split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ nonce: secrets.nonce });
  });

  test('D10: no column shows the parameters', async () => {
    const { uri } = await push({ state: 'state-that-no-column-shows' });
    const { digest } = await import('../../src/base/secrets.ts');
    const stored = await server.core.stores.engine.readToken(digest(uri.split(':').at(-1) ?? ''));
    expect(stored?.token).toMatchObject({ kind: 'PushedAuthorizationRequest', clientId: client.id });
    expect(JSON.stringify(stored)).not.toContain('state-that-no-column-shows');
    expect(JSON.stringify(stored)).not.toContain(
      Buffer.from('state-that-no-column').toString('base64url').slice(0, 20),
    );
  });

  test('D10: before the authorization ends the request_uri works again; afterwards it does not, on any node', async () => {
    const person = await buildPerson(server);
    const { address } = await push();
    const agent = new Agent(server);
    await agent.go(address);
    await new ThroughNode(other).go(address);
    const consent = await toConsent(agent, address, person);
    codeOf(await agent.submit(consent, { answer: 'allow' }));
    for (const node of [server, other]) {
      const again = await new ThroughNode(node).go(address);
      expect(new URL(again.location ?? '').searchParams.get('error')).toBe('invalid_request_uri');
      expect(await whyOf(again)).toMatchObject({ endpoint: 'authorize', check: 'pushed_used' });
    }
  });

  test('D10: two browsers that end one pushed request at once get one code', async () => {
    const person = await buildPerson(server);
    const { address, verifier } = await push();
    const agents = [new Agent(server), new ThroughNode(other), new Agent(server)];
    const consents: Answer[] = [];
    for (const agent of agents) consents.push(await toConsent(agent, address, person));
    const ends = await Promise.all(agents.map((agent, n) => agent.submit(consents[n] as Answer, { answer: 'allow' })));
    const codes = ends.flatMap(({ location }) => new URL(location ?? server.url).searchParams.get('code') ?? []);
    expect(codes).toHaveLength(1);
    expect((await redeem(server, client, { code: codes[0] ?? '', code_verifier: verifier })).status).toBe(200);
    // Nothing of the others is left: their sign-in ends at the application or at a page that says to start again.
    for (const { status, location } of ends)
      expect(status === 400 || new URL(location ?? '').origin === 'https://app.example.com').toBe(true);
  });

  test('D10: two tabs with a live session and consent get one code', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const first = await push();
    codeOf(await agent.submit(await toConsent(agent, first.address, person), { answer: 'allow' }));
    const { address } = await push();
    const ends = await Promise.all(Array.from({ length: 4 }, () => agent.go(address)));
    const codes = ends.flatMap(({ location }) => new URL(location ?? server.url).searchParams.get('code') ?? []);
    expect(codes).toHaveLength(1);
  });

  test('D10: of two tabs that end one pushed request at once, the later one does not sign the person out', async () => {
    const person = await buildPerson(server);
    const { address } = await push();
    const agent = new Agent(server);
    const consents = [await toConsent(agent, address, person), await agent.go(address)];
    // Both have passed all checks before one of them is written.
    const { engine } = server.core.stores;
    const { commit } = engine;
    const ends: (() => void)[] = [];
    const held = async (unit: Unit) => {
      if ((unit.consume?.length ?? 0) < 2) return commit(unit);
      const earlier = ends.length === 0 ? undefined : ends.shift();
      if (earlier === undefined) await new Promise<void>((go) => ends.push(go));
      const outcome = await commit(unit);
      earlier?.();
      return outcome;
    };
    Object.assign(engine, { commit: held });
    const done = await Promise.all(consents.map((consent) => agent.submit(consent, { answer: 'allow' })));
    Object.assign(engine, { commit });
    expect(done.map(({ status }) => status).toSorted()).toEqual([303, 400]);
    expect(new URL((await agent.go('/account')).url).pathname).toBe('/account');
  });

  test('D10: a client that must authenticate and does not gets 401', async () => {
    const push = {
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    };
    for (const as of [{ id: client.id }, { id: client.id, secret: 'wrong' }, { id: 'unknown', secret: 'x' }]) {
      const answer = await token(server, as, push, '/oauth/par');
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect(await whyOf(answer)).toMatchObject({ endpoint: 'par' });
    }
  });

  test('D10: a request_uri in the push is an invalid request', async () => {
    const first = await push();
    const { answer } = await push({ request_uri: first.uri });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await whyOf(answer)).toMatchObject({
      check: 'pushed_request_uri',
      error: 'invalid_request',
      clientId: client.id,
    });
    expect((await push({ request: 'eyJhbGciOiJub25lIn0.e30.' })).answer).toMatchObject({
      status: 400,
      body: { error: 'request_not_supported' },
    });
  });

  test('D10: the request_uri of one client is refused with another, which learns nothing of it', async () => {
    const stranger = await buildClient(server, { redirect_uris: ['https://stranger.example.com/cb'] });
    const { uri } = await push({ state: 'of-the-first-client' });
    const answer = await new Agent(server).go(addressOf(stranger.id, uri));
    expect(answer.location).toContain('error=invalid_request_uri');
    expect(answer.location).not.toContain('of-the-first-client');
    expect(await whyOf(answer)).toMatchObject({ check: 'pushed_of_another_client', clientId: stranger.id });
    // It still works for its own.
    expect((await new Agent(server).go(addressOf(client.id, uri))).text).toContain('name="password"');
  });

  test('D10: an expired request_uri is refused; a sign-in that began in time may end later', async () => {
    const person = await buildPerson(server);
    const { address } = await push();
    const agent = new Agent(server);
    const login = await agent.go(address);
    travel(61);
    const late = await new Agent(server).go(address);
    expect(new URL(late.location ?? '').searchParams.get('error')).toBe('invalid_request_uri');
    expect(await whyOf(late)).toMatchObject({ check: 'pushed_expired' });
    const consent = await agent.submit(login, { username: person.username, password });
    codeOf(await agent.submit(consent, { answer: 'allow' }));
  });

  /** The codes of the browsers whose people allow it, one after the other. */
  async function codesOf(agents: readonly Agent[], consents: readonly Answer[]): Promise<string[]> {
    const ends: Answer[] = [];
    for (const [n, agent] of agents.entries())
      ends.push(await agent.submit(consents[n] as Answer, { answer: 'allow' }));
    return ends.flatMap(({ location }) => new URL(location ?? server.url).searchParams.get('code') ?? []);
  }

  test('D10: after the request has expired, its row still keeps two sign-ins from getting two codes', async () => {
    const person = await buildPerson(server);
    const { address } = await push();
    const agents = [new Agent(server), new Agent(server)];
    const consents: Answer[] = [];
    for (const agent of agents) consents.push(await toConsent(agent, address, person));
    travel(120);
    await server.core.stores.engine.purgeExpired(Math.floor(Date.now() / 1000), 1000);
    expect(await codesOf(agents, consents)).toHaveLength(1);
  });

  test('D10: so it does for people who take an hour for each page', async () => {
    const person = await buildPerson(server);
    const { address } = await push();
    const agents = [new Agent(server), new Agent(server)];
    const logins = await Promise.all(agents.map((agent) => agent.go(address)));
    travel(3_500);
    const consents: Answer[] = [];
    for (const [n, agent] of agents.entries())
      consents.push(await agent.submit(logins[n] as Answer, { username: person.username, password }));
    travel(3_500);
    await server.core.stores.engine.purgeExpired(Math.floor(Date.now() / 1000), 1000);
    expect(await codesOf(agents, consents)).toHaveLength(1);
  });

  test('D10: an unknown or malformed request_uri is refused', async () => {
    const known = ['urn:ietf:params:oauth:request_uri:', 'urn:ietf:params:oauth:request_uri:unknown'];
    for (const uri of [
      ...known,
      `${known[0]}${'x'.repeat(3000)}`,
      'https://app.example.com/request.jwt',
      'x',
      '\u0000',
    ]) {
      const answer = await new Agent(server).go(addressOf(client.id, uri));
      expect([uri, new URL(answer.location ?? server.url).searchParams.get('error')]).toEqual([
        uri,
        uri.startsWith(known[0] ?? '') ? 'invalid_request_uri' : 'request_uri_not_supported',
      ]);
    }
    const twice = `${addressOf(client.id, known[1] ?? '')}&request_uri=x`;
    expect((await new Agent(server).go(twice)).location).toContain('error=invalid_request&');
  });

  test('D10: GET is 405', async () => {
    const answer = await fetch(`${server.url}/oauth/par`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
  });

  test('beside client_id and request_uri, the authorization endpoint reads nothing', async () => {
    const person = await buildPerson(server);
    const { address } = await push({ state: 'pushed' });
    const extra = new URLSearchParams({
      state: 'added',
      scope: 'openid email',
      prompt: 'none',
      redirect_uri: 'https://evil.example/',
    });
    const agent = new Agent(server);
    const consent = await toConsent(agent, `${address}&${extra}`, person);
    const done = await agent.submit(consent, { answer: 'allow' });
    expect(new URL(done.location ?? '').searchParams.get('state')).toBe('pushed');
    expect(done.location).toMatch(/^https:\/\/app\.example\.com\/cb\?/);
  });

  test('errors of a push are JSON for the client, never a redirect', async () => {
    const reserved = await buildClient(server, { scope: 'openid' });
    const mistakes: [Record<string, string>, string, string][] = [
      [{ redirect_uri: 'https://evil.example/' }, 'invalid_request', 'redirect_uri_unregistered'],
      [{ response_type: 'token' }, 'unsupported_response_type', 'response_type'],
      [{ response_mode: 'web_message' }, 'unsupported_response_mode', 'response_mode'],
      [{ code_challenge_method: 'plain' }, 'invalid_request', 'pkce_method'],
      [{ scope: 'no-such-scope' }, 'invalid_scope', 'scope_unknown'],
      [{ resource: 'https://no-such-api.example/' }, 'invalid_target', 'resource_unknown'],
      [{ prompt: 'none login' }, 'invalid_request', 'parameter_invalid'],
      [{ claims: '{"id_token":5}' }, 'invalid_request', 'parameter_invalid'],
      [{ id_token_hint: 'x' }, 'invalid_request', 'id_token_hint'],
    ];
    for (const [more, error, check] of mistakes) {
      const { answer } = await push(more, reserved);
      expect([more, answer.status, answer.body.error]).toEqual([more, 400, error]);
      expect(answer.headers.get('location')).toBeNull();
      expect(await whyOf(answer)).toMatchObject({ endpoint: 'par', check, clientId: reserved.id });
    }
    const repeated = await fetch(`${server.url}/oauth/par`, {
      method: 'POST',
      body: new URLSearchParams([
        ...Object.entries({ client_id: reserved.id, client_secret: reserved.secret, response_type: 'code' }),
        ['state', 'a'],
        ['state', 'b'],
      ]),
    });
    expect([repeated.status, await repeated.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('the same rules as for a query: default scope, aliases of APIs, offline_access, PKCE of public clients', async () => {
    const api = 'https://pushed.example.com';
    await server.core.apis.add({
      identifier: api,
      name: 'An API',
      scopes: [{ name: 'read-pushed', sentence: 'Read.' }],
    });
    const app = await buildClient(server, { token_endpoint_auth_method: 'none' });
    const naked = await token(server, { id: app.id }, { response_type: 'code', scope: 'openid' }, '/oauth/par');
    expect(naked).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await whyOf(naked)).toMatchObject({ check: 'pkce_missing' });

    const person = await buildPerson(server);
    const tokensFor = async (more: Record<string, string>) => {
      const { address, verifier, answer } = await push(more, { ...app, secret: '' });
      expect(answer.status).toBe(201);
      const done = await toEnd(new Agent(server), address, person);
      return (await redeem(server, { id: app.id }, { code: codeOf(done), code_verifier: verifier })).body;
    };
    expect(await tokensFor({ scope: '' })).toMatchObject({ scope: 'user' });
    const both = await tokensFor({ scope: 'openid read-pushed offline_access', audience: `${api}/` });
    expect(String(both.scope).split(' ').sort()).toEqual(['offline_access', 'openid', 'read-pushed']);
    const claims = JSON.parse(Buffer.from(String(both.access_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims.aud).toBe(api);
    // Without `resource` the scope chooses the API, and userinfo takes the token too (decision 24).
    const open = await tokensFor({ scope: 'openid read-pushed' });
    const aud = JSON.parse(Buffer.from(String(open.access_token).split('.')[1] ?? '', 'base64url').toString()).aud;
    expect([aud].flat().sort()).toEqual([api, `${server.app.core.config.issuer}/userinfo`].sort());
  });

  test('prompt, max_age and login_hint of a pushed request count; prompt=none needs no page', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const silent = await push({ prompt: 'none' });
    expect((await agent.go(silent.address)).location).toContain('error=login_required');
    const hinted = await push({ login_hint: person.username });
    const login = await agent.go(hinted.address);
    expect(login.text).toContain(`value="${person.username}"`);
    codeOf(await agent.submit(await agent.submit(login, { username: person.username, password }), { answer: 'allow' }));
    codeOf(await agent.go((await push({ prompt: 'none' })).address));
    expect((await agent.go((await push({ prompt: 'login' })).address)).text).toContain('name="password"');
    expect((await agent.go((await push({ max_age: '0' })).address)).text).toContain('name="password"');
  });

  test('response_mode=form_post of a pushed request posts the code to the application', async () => {
    const person = await buildPerson(server);
    const { address, verifier } = await push({ response_mode: 'form_post', state: 'posted' });
    const agent = new Agent(server);
    const page = await agent.submit(await toConsent(agent, address, person), { answer: 'allow' });
    expect(page.text).toContain(`action="${callback}"`);
    const code = /name="code" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    expect(page.text).toContain('name="state" value="posted"');
    expect((await redeem(server, client, { code, code_verifier: verifier })).status).toBe(200);
  });

  test('a push without credentials is no larger than an address; no push is larger than a form', async () => {
    const app = await buildClient(server, { token_endpoint_auth_method: 'none' });
    const sizes: [Client, number, number][] = [
      [{ ...app, secret: '' }, 11_000, 201],
      [{ ...app, secret: '' }, 13_000, 413],
      [client, 40_000, 201],
      [client, 66_000, 413],
    ];
    for (const [as, length, status] of sizes) {
      const { answer } = await push({ state: 's'.repeat(length) }, as);
      expect([as.id, length, answer.status]).toEqual([as.id, length, status]);
    }
  });

  test('D10: no page on the way shows the parameters, wherever its links lead', async () => {
    const { address } = await push({ state: 'known-to-the-rows-alone', nonce: 'known-to-the-rows-alone' });
    const agent = new Agent(server);
    const login = await agent.go(address);
    const links = new Set<string>();
    const seen = [login];
    for (let page = 0; page < seen.length && seen.length < 25; page += 1) {
      const { text = '', url = '' } = seen[page] ?? {};
      for (const [, href = ''] of text.matchAll(/(?:href|action)="([^"#]+)"/g)) {
        const target = new URL(href.replaceAll('&amp;', '&'), url);
        if (target.origin !== server.url || /public|language$/.test(target.pathname) || links.has(target.href))
          continue;
        links.add(target.href);
        seen.push(await agent.go(target.href));
      }
    }
    expect(seen.length).toBeGreaterThan(2);
    for (const { text, url } of seen)
      expect([url, `${url}${text}`]).toEqual([url, expect.not.stringContaining('rows-alone')]);
    expect(JSON.stringify([...agent.cookies.values()])).not.toContain('rows-alone');
  });

  test('an error of an unreviewed client stays a page, as from a query, until the person has allowed it', async () => {
    const own = await buildClient(server, {}, 'person');
    const silent = await push({ prompt: 'none' }, own);
    const stranger = await new Agent(server).go(silent.address);
    expect([stranger.status, stranger.location]).toEqual([400, undefined]);
    const unknown = await new Agent(server).go(addressOf(own.id, 'urn:ietf:params:oauth:request_uri:unknown'));
    expect([unknown.status, unknown.location]).toEqual([400, undefined]);
    const naked = await push({ code_challenge: '', code_challenge_method: '' }, own);
    expect(await whyOf(naked.answer)).toMatchObject({ check: 'pkce_missing' });
    const person = await buildPerson(server);
    const agent = new Agent(server);
    codeOf(await toEnd(agent, (await push({}, own)).address, person));
    const allowed = await agent.go((await push({ prompt: 'none', max_age: '0' }, own)).address);
    expect(allowed.location).toMatch(/^https:\/\/app\.example\.com\/cb\?error=/);
  });

  test('an application of a person cannot be authorized for its owner with a request_uri', async () => {
    const person = await buildPerson(server);
    const own = await buildClient(server, {}, 'person');
    const { uri } = await push({}, own);
    const caller = { via: 'tinyoauth', address: '192.0.2.1', requestId: 'r' } as const;
    const signedIn = await server.core.apiSessions.login('tinyoauth', {
      username: person.username,
      password,
      ...caller,
    });
    if (signedIn.outcome !== 'signed-in') throw new Error(signedIn.outcome);
    const authorization = `Bearer ${signedIn.token.token}`;
    const query = new URLSearchParams({ response_type: 'code', client_id: own.id, request_uri: uri });
    const answer = await fetch(`${server.url}/authorize?${query}`, { headers: { authorization }, redirect: 'manual' });
    const location = answer.headers.get('location') ?? '';
    expect(location).toContain('error=invalid_request_uri');
    expect(await recorded(server, { location })).toMatchObject({ check: 'pushed_for_browsers', endpoint: 'tinyoauth' });
    // Nothing is used up.
    expect((await new Agent(server).go(addressOf(own.id, uri))).text).toContain('name="password"');
  });

  describe('starting again', () => {
    test('D10: after a password change in the middle of the sign-in: pushed again, and the new password ends it', async () => {
      const person = await buildPerson(server);
      const { address, verifier } = await push({ state: 'through-the-change' });
      const agent = new Agent(server);
      const login = await agent.go(address);
      const form = { csrf: csrfOf(login), username: person.username, password };
      const resume = await agent.go(login.url, { form, follow: false });
      const another = 'nine pears on a windowsill';
      await server.core.accounts.setPassword(person.subject, another, { endSessions: true });
      const restart = await agent.go(resume.location ?? '', { follow: false });
      expect([...new URL(restart.location ?? '').searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
      const again = await agent.go(restart.location ?? '');
      const consent = await agent.submit(again, { username: person.username, password: another });
      const done = await agent.submit(consent, { answer: 'allow' });
      expect(new URL(done.location ?? '').searchParams.get('state')).toBe('through-the-change');
      expect((await redeem(server, client, { code: codeOf(done), code_verifier: verifier })).status).toBe(200);
      expect((await new Agent(server).go(address)).location).toContain('error=invalid_request_uri');
    });

    test('D10: another account at the consent page: pushed again by this server, and still one code in all', async () => {
      const [one, two] = [await buildPerson(server), await buildPerson(server)];
      const { address, verifier } = await push({ state: 'kept-in-the-rows' });
      const agent = new Agent(server);
      const consent = await toConsent(agent, address, one);
      const restart = await agent.go(new URL(consent.url).pathname, {
        form: { csrf: csrfOf(consent), answer: 'switch' },
        follow: false,
      });
      const again = new URL(restart.location ?? '');
      expect([...again.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
      expect(again.searchParams.get('request_uri')).not.toBe(
        new URL(address, server.url).searchParams.get('request_uri'),
      );
      const login = await agent.go(again.href);
      expect(login.text).toContain('name="password"');
      const leave = await agent.submit(login, { username: two.username, password });
      const second = await agent.confirmLogout(leave);
      const done = await agent.submit(second, { answer: 'allow' });
      expect(new URL(done.location ?? '').searchParams.get('state')).toBe('kept-in-the-rows');
      expect((await redeem(server, client, { code: codeOf(done), code_verifier: verifier })).status).toBe(200);
      // The first request is used up with the second.
      expect((await new ThroughNode(other).go(address)).location).toContain('error=invalid_request_uri');
      expect((await new ThroughNode(other).go(again.href)).location).toContain('error=invalid_request_uri');
    });

    test('D10: after the first request has been used, its restart gives no code', async () => {
      const person = await buildPerson(server);
      const { address } = await push();
      const [slow, fast] = [new Agent(server), new Agent(server)];
      const consent = await toConsent(slow, address, person);
      const form = { csrf: csrfOf(consent), answer: 'switch' };
      const restart = await slow.go(new URL(consent.url).pathname, { form, follow: false });
      codeOf(await fast.submit(await toConsent(fast, address, person), { answer: 'allow' }));
      const login = await slow.go(restart.location ?? '');
      const end = await slow.submit(login, { username: person.username, password });
      const last = end.text.includes('value="allow"') ? await slow.submit(end, { answer: 'allow' }) : end;
      expect(new URL(last.location ?? server.url).searchParams.get('code')).toBeNull();
      expect(last.text).not.toContain('name="code"');
    });

    test('D10: the page of a finished sign-in has no link with the parameters', async () => {
      const person = await buildPerson(server);
      const { address } = await push({ state: 'not-in-the-stale-page' });
      const agent = new Agent(server);
      const consent = await toConsent(agent, address, person);
      await agent.submit(consent, { answer: 'allow' });
      const stale = await agent.go(new URL(consent.url).pathname);
      expect(stale.status).toBe(400);
      expect(stale.text).not.toMatch(/not-in-the-stale-page|oauth\/authorize/);
    });
  });

  test('D10: a client that must push is refused without; its own request_uri passes', async () => {
    const strict = await buildClient(server, { require_pushed_authorization_requests: true });
    const { challenge } = pkce();
    const query = new URLSearchParams({
      client_id: strict.id,
      response_type: 'code',
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const refused = await new Agent(server).go(`/oauth/authorize?${query}`);
    expect(refused.location).toContain('error=invalid_request');
    expect(await whyOf(refused)).toMatchObject({
      check: 'pushed_required',
      clientId: strict.id,
      expected: 'client_id and request_uri',
    });
    const { address } = await push({}, strict);
    expect((await new Agent(server).go(address)).text).toContain('name="password"');
  });

  test('the client of a deleted or disabled application cannot use what it pushed', async () => {
    const gone = await buildClient(server);
    const { address } = await push({}, gone);
    await server.app.clients.disable(gone.id);
    await other.core.changes.changed();
    expect((await new Agent(server).go(address)).status).toBe(400);
    await server.app.clients.enable(gone.id);
    await server.app.clients.remove(gone.id);
    const { digest } = await import('../../src/base/secrets.ts');
    const value = new URL(address, server.url).searchParams.get('request_uri')?.split(':').at(-1) ?? '';
    expect(await server.core.stores.engine.readToken(digest(value))).toBeUndefined();
  });

  test('S8: wrong secrets at the push count with those of the token endpoint', async () => {
    const guessed = await buildClient(server);
    let last = { status: 0 };
    for (let tries = 0; tries < 120 && last.status !== 429; tries += 1)
      last = await token(server, { id: guessed.id, secret: `wrong${tries}` }, { response_type: 'code' }, '/oauth/par');
    expect(last.status).toBe(429);
    const there = await token(server, { id: guessed.id, secret: 'wrong' }, { grant_type: 'client_credentials' });
    expect(there.status).toBe(429);
  });

  test('CORS as at the token endpoint: the pages of the client read answers and errors', async () => {
    const preflight = await fetch(`${server.url}/oauth/par`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example.com',
    ]);
    for (const [origin, allowed] of [
      ['https://app.example.com', 'https://app.example.com'],
      ['https://evil.example', null],
    ] as const) {
      const answer = await fetch(`${server.url}/oauth/par`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ client_id: client.id, client_secret: client.secret, response_type: 'code' }),
      });
      expect([origin, answer.headers.get('access-control-allow-origin')]).toEqual([origin, allowed]);
    }
  });

  test('a push costs one round trip, its authorization three', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const first = await push();
    codeOf(await agent.submit(await toConsent(agent, first.address, person), { answer: 'allow' }));
    const { stores, refusals } = server.core;
    const settled = () => refusals.close();
    expect(await leastRoundTrips(stores, async () => void (await push()), 4, settled)).toBe(1);
    const pushed: string[] = [];
    for (let n = 0; n < 6; n += 1) pushed.push((await push()).address);
    const go = async () => void codeOf(await agent.go(pushed.pop() ?? '', { follow: false }));
    expect(await leastRoundTrips(stores, go, 4, settled)).toBe(3);
  });
});

describeStorages('REQUIRE_PUSHED_AUTHORIZATION_REQUESTS', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: 'true' });
  });
  afterAll(() => server.close());

  test('D10: every application must push, discovery says so, and the account page still signs people in', async () => {
    const discovery = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
    expect(discovery).toMatchObject({
      require_pushed_authorization_requests: true,
      pushed_authorization_request_endpoint: `${server.url}/oauth/par`,
      request_uri_parameter_supported: false,
    });
    const client = await buildClient(server);
    const query = new URLSearchParams({
      client_id: client.id,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    });
    expect((await new Agent(server).go(`/oauth/authorize?${query}`)).location).toContain('error=invalid_request');
    expect((await new Agent(server).go('/account')).text).toContain('name="password"');
  });

  test('an application of a person still gets codes for its owner, since no browser carries that request', async () => {
    const person = await buildPerson(server);
    const own = await buildClient(server, {}, 'person');
    const caller = { via: 'tinyoauth', address: '192.0.2.1', requestId: 'r' } as const;
    const signedIn = await server.core.apiSessions.login('tinyoauth', {
      username: person.username,
      password,
      ...caller,
    });
    if (signedIn.outcome !== 'signed-in') throw new Error(signedIn.outcome);
    const authorization = `Bearer ${signedIn.token.token}`;
    const asked = async (id: string) => {
      const query = new URLSearchParams({ response_type: 'code', client_id: id, scope: 'openid' });
      return fetch(`${server.url}/authorize?${query}`, { headers: { authorization }, redirect: 'manual' });
    };
    expect((await asked(own.id)).headers.get('location')).toContain('code=');
    // What the client itself demands holds here too.
    const strict = await buildClient(server, { require_pushed_authorization_requests: true }, 'person');
    expect((await asked(strict.id)).headers.get('location')).toContain('error=invalid_request');
  });
});
