/**
 * P12: what providers that people use do, and the specifications do not expect: taken where it does no harm, refused
 * where it does.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer } from '../../support/agent.ts';
import { buildClient, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { type ProviderServer, startProvider } from './provider-server.ts';
import {
  application,
  comeBackWith,
  failureIn,
  isNew,
  leave,
  onwardFrom,
  pathOf,
  startWith,
  submitTo,
  unusual,
} from './world.ts';

const json = { 'Content-Type': 'application/json' };
const [home, partner, stranger] = ['11111111-aaaa-4aaa-8aaa-111111111111', 'AAAA-2', 'cccc-3'] as const;

describeStorages('what providers do', (storage) => {
  let provider: ProviderServer;
  let server: TestServer;
  let app: ReturnType<typeof application>;
  beforeAll(async () => {
    provider = await startProvider();
    const { url } = provider;
    const oidc = { name: 'Example', type: 'oidc', issuer: url, client_id: 'us', trust_email: true };
    const entra = { ...oidc, name: 'Entra', issuer: `${url}/common`, issuer_template: `${url}/{tenantid}/v2.0` };
    const oauth2 = {
      ...{ name: 'GitHub', type: 'oauth2', client_id: 'us', client_secret: 'a secret of theirs', trust_email: true },
      ...{ authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token` },
    };
    server = await startWith(storage, () => [
      { ...oidc, id: 'company' },
      { ...oidc, id: 'apple', name: 'Apple', response_mode: 'form_post' },
      { ...entra, id: 'entra', tenants: [home, partner.toLowerCase()] },
      { ...entra, id: 'all', tenants: 'any', trust_email: false },
      { ...oidc, id: 'unsaid', issuer: `${url}/common` },
      { ...oauth2, id: 'github', userinfo_endpoint: `${url}/userinfo`, emails_endpoint: `${url}/api/v3/user/emails` },
    ]);
    app = application(server, await buildClient(server));
  });
  afterEach(() => provider.reset());
  afterAll(async () => {
    await server?.close();
    await provider?.close();
  });

  async function attempt(id = 'company', agent = new Agent(server)): Promise<Answer> {
    return comeBackWith(agent, await provider.answer(await leave(agent, await app.begin(agent), id)));
  }
  /** Makes the account; what this server knows of its address. */
  async function emailOf(id = 'company', agent = new Agent(server)) {
    const username = unusual();
    await submitTo(agent, await attempt(id, agent), { upstream: 'create', username });
    const account = await server.core.stores.accounts.byUsernameKey(username);
    return account && { email: account.email, verified: account.verified };
  }
  const fresh = () => ({ sub: unusual(), email: `${unusual()}@example.org` });
  const logged = (words: string): boolean => server.logged.some((line) => line.includes(words));

  test.each([true, 'true'])('P12: "email_verified": %j proves the address', async (email_verified) => {
    const { sub, email } = fresh();
    provider.claims = { sub, email, email_verified, preferred_username: 'x' };
    expect(await emailOf()).toEqual({ email, verified: true });
  });

  test.each([false, 'false', 'TRUE', 'yes', 1, null, ['true']])('P12: "email_verified": %j does not', async (said) => {
    const { sub, email } = fresh();
    provider.claims = { sub, email, email_verified: said, preferred_username: 'x' };
    expect(await emailOf()).toEqual({ email: null, verified: false });
  });

  const header = Buffer.from('{"alg":"none"}').toString('base64url');
  const jwtOf = (claims: object) => `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
  test.each<[string, number, Record<string, string>, string, string]>([
    ['401 with a challenge', 401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }, '', 'answers 401'],
    ['404', 404, json, '{}', 'answers 404'],
    ['500', 500, json, '{}', 'answers 500'],
    [
      'a JWT',
      200,
      { 'Content-Type': 'application/jwt' },
      jwtOf({ sub: 'ada-1', email: 'x@y.example' }),
      'else than JSON',
    ],
    ['a page', 200, { 'Content-Type': 'text/html' }, '<h1>hello</h1>', 'else than JSON'],
    ['no sub', 200, json, '{"email":"x@y.example"}', 'names no sub'],
    ['a megabyte', 200, json, `{"sub":"${'x'.repeat(1_000_000)}"}`, 'does not answer'],
  ])('P12: userinfo with %s: the ID token is enough', async (_name, status, headers, body, words) => {
    provider.instead.set('/userinfo', (res) => void res.writeHead(status, headers).end(body));
    const page = await attempt();
    expect([page.status, isNew(page)]).toEqual([200, true]);
    expect(page.text).not.toContain('x@y.example');
    expect(logged(`the userinfo endpoint ${words.startsWith('else') ? 'answers with something ' : ''}${words}`)).toBe(
      true,
    );
  });

  test.each<[string, Record<string, string>, string]>([
    ['JSON', json, '{"sub":"somebody-else"}'],
    ['JSON, as a number', json, '{"sub":1}'],
    ['a JWT', { 'Content-Type': 'application/jwt' }, jwtOf({ sub: 'somebody-else' })],
  ])('P12: userinfo that names another person, in %s, is refused', async (_name, headers, body) => {
    provider.instead.set('/userinfo', (res) => void res.writeHead(200, headers).end(body));
    expect(failureIn(await attempt())).toBe('The response from Example could not be used.');
  });

  const common = (issuer: string = `${provider.url}/{tenantid}/v2.0`): void => {
    const { url } = provider;
    provider.instead.set('/common/.well-known/openid-configuration', (res) => {
      const endpoints = { authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token` };
      const signing = { id_token_signing_alg_values_supported: ['ES256'] };
      res.writeHead(200, json).end(JSON.stringify({ issuer, ...endpoints, jwks_uri: `${url}/jwks`, ...signing }));
    });
  };
  const ofTenant = (tid: unknown, iss = `${provider.url}/${tid}/v2.0`, sub: string = unusual()): void => {
    provider.claims = { iss, tid, sub };
  };

  test('P12: a tenant of the list is let in, and its people are its own', async () => {
    common();
    ofTenant(home, undefined, 'the-same-sub');
    const agent = new Agent(server);
    const username = unusual();
    await submitTo(agent, await attempt('entra', agent), { upstream: 'create', username });
    expect(await server.core.stores.accounts.byUsernameKey(username)).toBeDefined();
    ofTenant(home, undefined, 'the-same-sub');
    expect(isNew(await attempt('entra'))).toBe(false);
    ofTenant(partner, undefined, 'the-same-sub');
    expect(isNew(await attempt('entra'))).toBe(true);
    ofTenant(stranger);
    expect(isNew(await attempt('all'))).toBe(true);
  });

  test('P12: what breaks the rule is refused', async () => {
    common();
    const unusable = 'The response from Entra could not be used.';
    for (const spoil of [
      () => ofTenant(stranger),
      () => ofTenant(home, `${provider.url}/${stranger}/v2.0`),
      () => ofTenant(home, 'https://evil.example/v2.0'),
      () => ofTenant(undefined, `${provider.url}/${home}/v2.0`),
      () => ofTenant('{tenantid}'),
      () => ofTenant(undefined, `${provider.url}/{tenantid}/v2.0`),
      () => ofTenant(`${home}/v2.0/x`),
      () => ofTenant([home]),
      () => {
        ofTenant(home);
        provider.tamper = (token) => `${token.slice(0, -8)}AAAAAAAA`;
      },
    ]) {
      provider.tamper = (token) => token;
      spoil();
      expect([provider.claims, failureIn(await attempt('entra'))]).toEqual([provider.claims, unusable]);
    }
    provider.tamper = (token) => token;
    for (const tid of ['../x', 'x/../y', '', `${'a'.repeat(65)}`]) {
      ofTenant(tid);
      expect([tid, failureIn(await attempt('all'))]).toEqual([tid, unusable]);
    }
  });

  test('P12: a document with another template, or tenants that the file does not speak of', async () => {
    common();
    const agent = new Agent(server);
    const refused = async (id: string) => agent.go(`${pathOf(await app.begin(agent))}/upstream/${id}`);
    expect(failureIn(await refused('unsaid'))).toBe('The response from Example could not be used.');
    // Nothing of the other one is kept: the document is asked for once an hour.
    const other = await startWith({ start: (env) => storage.start(env) }, () => [
      {
        ...{ id: 'entra', name: 'Entra', type: 'oidc', client_id: 'us', issuer: `${provider.url}/common` },
        ...{ issuer_template: `${provider.url}/{tenantid}/v2.0`, tenants: 'any' },
      },
    ]);
    try {
      common(`${provider.url}/{tenantid}/v1.0`);
      const visitor = new Agent(other);
      const login = await application(other, await buildClient(other)).begin(visitor);
      const page = await visitor.go(`${pathOf(login)}/upstream/entra`);
      expect(failureIn(page)).toBe('The response from Entra could not be used.');
      expect(other.logged.some((line) => line.includes('is not the issuer_template in UPSTREAMS'))).toBe(true);
    } finally {
      await other.close();
    }
  });

  const emails = (body: unknown, status = 200): void => {
    provider.instead.set('/api/v3/user/emails', (res) => void res.writeHead(status, json).end(JSON.stringify(body)));
  };

  test('P12: a person with a private address: of those listed the one that is primary and verified', async () => {
    const [{ email }, other] = [fresh(), fresh()];
    const id = () => 6_000_000 + Math.floor(Math.random() * 1e6);
    provider.userinfo = { id: id(), login: unusual(), email: null };
    emails([
      { email: other.email, primary: false, verified: true },
      { email, primary: true, verified: true, visibility: 'private' },
    ]);
    expect(await emailOf('github')).toEqual({ email, verified: true });
    const asked = provider.asked.find(({ path }) => path === '/api/v3/user/emails');
    expect(asked?.headers.authorization).toBe('Bearer their-access-token');

    for (const [body, status] of [
      [[{ email: other.email, primary: true, verified: false }], 200],
      [[{ email: other.email, primary: true, verified: 'true' }], 200],
      [[{ email: other.email, primary: false, verified: true }], 200],
      [[null, 7, { email: 7, primary: true, verified: true }], 200],
      [{ email: other.email, primary: true, verified: true }, 200],
      [{ message: 'Not Found' }, 404],
      [{}, 500],
    ] as const) {
      // What the profile shows is no address that is proved.
      provider.userinfo = { id: id(), login: unusual(), email: other.email };
      emails(body, status);
      expect([body, await emailOf('github')]).toEqual([body, { email: null, verified: false }]);
    }
    expect(logged('the emails endpoint')).toBe(true);
  });

  test('P12: an answer as a form, from another site without cookies, goes on as the same answer in the query', async () => {
    const agent = new Agent(server);
    const address = await leave(agent, await app.begin(agent), 'apple');
    expect(new URL(address).searchParams.get('response_mode')).toBe('form_post');
    const back = new URL(await provider.answer(address));
    const post = (form: Record<string, string>) =>
      fetch(`${server.url}/upstream/apple/callback`, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin: 'https://appleid.apple.com', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
        body: new URLSearchParams(form),
      });
    const given = Object.fromEntries(back.searchParams);
    const posted = await post({ ...given, user: '{"name":{"firstName":"Ada"}}', id_token: 'x' });
    const location = new URL(posted.headers.get('location') ?? '', server.url);
    expect([posted.status, location.origin, location.pathname]).toEqual([303, server.url, '/upstream/apple/callback']);
    expect(Object.fromEntries(location.searchParams)).toEqual(given);
    expect(posted.headers.getSetCookie()).toEqual([]);
    const page = await agent.go(location.href);
    expect(isNew(await agent.go(onwardFrom(page) ?? ''))).toBe(true);
    // The state is used up, belongs to this provider, and to this browser.
    const elsewhere = new Agent(server);
    const stolen = await elsewhere.go(onwardFrom(await elsewhere.go(location.href)) ?? '');
    expect(stolen.status).toBe(400);

    for (const form of [{}, { code: 'x' }, { ...given, state: 'made up' }, { ...given, code: 'x'.repeat(9000) }])
      expect((await post(form as Record<string, string>)).status).toBe(400);
    const wrong = await fetch(`${server.url}/upstream/company/callback`, {
      method: 'POST',
      body: new URLSearchParams(given),
    });
    expect(wrong.status).toBe(400);
    const twice = await fetch(`${server.url}/upstream/apple/callback`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${back.searchParams}&code=another`,
    });
    expect(twice.status).toBe(400);
    const large = await fetch(`${server.url}/upstream/apple/callback`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `code=${'x'.repeat(200_000)}`,
    });
    expect(large.status).toBe(413);
    const noForm = await fetch(`${server.url}/upstream/apple/callback`, { method: 'POST', headers: json, body: '{}' });
    expect(noForm.status).toBe(415);
  });
});
