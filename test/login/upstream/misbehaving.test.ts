/**
 * Providers that do what they must not, are slow, or away: a calm page, no one signed in, and everything else as ever.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer } from '../../support/agent.ts';
import { freePort } from '../../support/free-port.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import { type ProviderServer, startProvider } from './provider-server.ts';
import { application, comeBackWith, failureIn, isConsent, isNew, leave, pathOf, startWith } from './world.ts';

const unusable = 'The response from Example could not be used.';
const away = 'Example is not responding.';

describe('a provider that misbehaves', () => {
  let provider: ProviderServer;
  let server: TestServer;
  let app: ReturnType<typeof application>;
  const member = (url: string) => ({ id: 'company', name: 'Example', type: 'oidc', issuer: url, client_id: 'us' });
  beforeAll(async () => {
    provider = await startProvider();
    server = await startWith({ start: (env) => startServer({ env: env ?? {} }) }, () => [member(provider.url)]);
    app = application(server, await buildClient(server));
  });
  afterEach(() => provider.reset());
  afterAll(async () => {
    await server?.close();
    await provider?.close();
  });

  async function attempt(change?: (address: URL) => void): Promise<Answer> {
    const agent = new Agent(server);
    const address = new URL(await provider.answer(await leave(agent, await app.begin(agent))));
    change?.(address);
    return comeBackWith(agent, address.href);
  }

  test('when it behaves, a new person is asked for a name', async () => {
    const page = await attempt();
    expect([page.status, isNew(page)]).toEqual([200, true]);
    const [, token] = provider.asked.filter(({ path }) => path === '/token' || path === '/jwks');
    expect(token).toBeDefined();
    const { form } = provider.asked.find(({ path }) => path === '/token') ?? { form: new URLSearchParams() };
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'authorization_code',
      client_id: 'us',
      redirect_uri: `${server.url}/upstream/company/callback`,
    });
    expect(form.get('code_verifier')).toMatch(/^[\w-]{43}$/);
  });

  const now = () => Math.floor(Date.now() / 1000);
  const forged = (header: object) => (token: string) => {
    const [, body = '', signature = ''] = token.split('.');
    return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${body}.${signature}`;
  };

  const claiming = (claims: ProviderServer['claims']): void => {
    provider.claims = claims;
  };
  const telling = (userinfo: ProviderServer['userinfo']): void => {
    provider.userinfo = userinfo;
  };
  const tampering = (tamper: ProviderServer['tamper']): void => {
    provider.tamper = tamper;
  };
  const json = { 'Content-Type': 'application/json' };
  const answering = (body: string, status = 200, headers: Record<string, string> = json): void => {
    provider.instead.set('/token', (res) => void res.writeHead(status, headers).end(body));
  };

  test('R6: an issuer that differs by a slash: the log has both, and the page says what it did', async () => {
    const issuer = `${provider.url}/realm`;
    const slashed = await startWith({ start: (env) => startServer({ env: env ?? {} }) }, () => [member(issuer)]);
    try {
      const theirs = { issuer: `${issuer}/`, authorization_endpoint: `${provider.url}/authorize` };
      const document = { ...theirs, token_endpoint: `${provider.url}/token`, jwks_uri: `${provider.url}/jwks` };
      provider.instead.set('/realm/.well-known/openid-configuration', (res) => {
        res.writeHead(200, json).end(JSON.stringify(document));
      });
      const agent = new Agent(slashed);
      const login = await application(slashed, await buildClient(slashed)).begin(agent);
      const page = await agent.go(`${pathOf(login)}/upstream/company`);
      expect(page.text).not.toContain(issuer);
      const words = `the issuer in UPSTREAMS is ${issuer}, in the provider's document ${issuer}/: they must be the same`;
      expect(slashed.logged.some((line) => line.includes(words))).toBe(true);
    } finally {
      await slashed.close();
    }
  });

  test('R6: an ID token of another issuer: the log has both', async () => {
    claiming({ iss: `${provider.url}/` });
    await attempt();
    const words = `the issuer in UPSTREAMS is ${provider.url}, in the provider's ID token ${provider.url}/: they must be the same`;
    expect(server.logged.some((line) => line.includes(words))).toBe(true);
  });

  test.each<[string, () => void]>([
    ['another issuer', () => claiming({ iss: 'https://evil.example' })],
    ['another audience', () => claiming({ aud: 'another' })],
    ['several audiences and another azp', () => claiming({ aud: ['us', 'x'], azp: 'x' })],
    ['another nonce', () => claiming({ nonce: 'of an earlier time' })],
    ['no nonce', () => claiming({ nonce: undefined })],
    ['no sub', () => claiming({ sub: undefined })],
    ['an empty sub', () => claiming({ sub: '' })],
    ['a sub that is a number', () => claiming({ sub: 12 })],
    ['an old token', () => claiming({ exp: now() - 3600, iat: now() - 7200 })],
    ['an auth_time that is no time', () => claiming({ auth_time: 'now' })],
    ['alg none', () => tampering((token) => `${forged({ alg: 'none' })(token).replace(/[^.]*$/, '')}`)],
    ['a broken signature', () => tampering((token) => `${token.slice(0, -8)}AAAAAAAA`)],
    ['another key', () => tampering(forged({ alg: 'ES256', kid: 'other' }))],
    [
      'a signature by the client’s own id',
      () =>
        tampering((token) => {
          const [, body = ''] = token.split('.');
          const head = Buffer.from('{"alg":"HS256"}').toString('base64url');
          return `${head}.${body}.${createHmac('sha256', 'us').update(`${head}.${body}`).digest('base64url')}`;
        }),
    ],
    [
      'claims changed after they were signed',
      () =>
        tampering((token) => {
          const [head, body = '', signature] = token.split('.');
          const claims = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), sub: 'somebody-else' };
          return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
        }),
    ],
    ['no ID token', () => answering('{"access_token":"x","token_type":"bearer"}')],
    ['a page for an answer', () => answering('<h1>hello</h1>', 200, { 'Content-Type': 'text/html' })],
    ['no JSON', () => answering('{{{')],
    ['null', () => answering('null')],
    ['a refusal', () => answering('{"error":"invalid_client"}', 400)],
    ['another person in userinfo', () => telling({ sub: 'somebody-else', email: 'x@example.org' })],
    ['a megabyte', () => answering(`{"access_token":"${'x'.repeat(1_000_000)}"}`)],
  ])('%s', async (_name, misbehave) => {
    misbehave();
    const page = await attempt();
    expect([page.status, failureIn(page)]).toEqual([200, unusable]);
    expect(page.text).not.toMatch(/their-access-token|eyJ[\w-]+\.eyJ/);
  });

  test('answers that say two things, or come without a code', async () => {
    for (const change of [
      (address: URL) => address.searchParams.append('code', 'another'),
      (address: URL) => address.searchParams.delete('code'),
      (address: URL) => address.searchParams.set('iss', 'https://evil.example'),
      (address: URL) => address.searchParams.append('error', 'a'),
      (address: URL) => address.searchParams.set('error', 'what_is_this'),
    ]) {
      expect(failureIn(await attempt(change))).toBe(unusable);
    }
    expect(failureIn(await attempt((address) => address.searchParams.set('error', 'server_error')))).toBe(away);
    expect(failureIn(await attempt((address) => address.searchParams.set('error', 'access_denied')))).toBe(
      'You did not sign in with Example.',
    );
  });

  test('redirects are not followed, wherever they lead (SSRF)', async () => {
    let visits = 0;
    const inside = createServer((_req, res) => {
      visits += 1;
      res.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
    const port = await freePort();
    await new Promise<void>((resolve) => inside.listen(port, 'localhost', resolve));
    for (const path of ['/token', '/jwks', '/userinfo']) {
      provider.reset();
      // An unknown key has the keys looked for anew.
      if (path === '/jwks') provider.tamper = forged({ alg: 'ES256', kid: 'new' });
      provider.instead.set(path, (res) => void res.writeHead(302, { Location: `http://localhost:${port}/` }).end());
      const page = await attempt();
      // The ID token is enough.
      if (path === '/userinfo') expect(isNew(page)).toBe(true);
      else expect(failureIn(page)).toBe(unusable);
    }
    inside.close();
    expect(visits).toBe(0);
  });

  test('slow, dripping and broken answers end, and the sign-in of this server’s own goes on in that time', async () => {
    const hang = () => {};
    const drip = (res: import('node:http').ServerResponse) => {
      res.writeHead(200, { 'Content-Type': 'application/json' });
      const timer = setInterval(() => res.write(' '), 200);
      res.on('close', () => clearInterval(timer));
    };
    provider.instead.set('/token', hang);
    const hanging = attempt();
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const own = await agent.submit(await app.begin(agent), { username: person.username, password });
    expect(isConsent(own)).toBe(true);
    expect(failureIn(await hanging)).toBe(away);
    provider.instead.set('/token', drip);
    expect(failureIn(await attempt())).toBe(away);
    provider.instead.set('/token', (_res, req) => req.socket.destroy());
    expect(failureIn(await attempt())).toBe(away);
    provider.instead.set('/token', (res) => void res.writeHead(503).end());
    expect(failureIn(await attempt())).toBe(away);
  });

  test('no token, code or secret of theirs is in the log', async () => {
    provider.tamper = (token) => `${token}x`;
    const agent = new Agent(server);
    const address = await provider.answer(await leave(agent, await app.begin(agent)));
    await comeBackWith(agent, address);
    const log = server.logged.join('\n');
    expect(log).toContain('a sign-in through another provider failed');
    expect(log).not.toMatch(/their-access-token|eyJ[\w-]+\.eyJ/);
    expect(log).not.toContain(new URL(address).searchParams.get('code') ?? '?');
  });

  test('failures count for the address they come from, and the provider’s own troubles do not', async () => {
    const strict = await startWith({ start: (env) => startServer({ env: env ?? {} }) }, () => [member(provider.url)], {
      THROTTLE_ADDRESS_LIMIT: '3',
    });
    const there = application(strict, await buildClient(strict));
    const once = async (error?: string): Promise<string | undefined> => {
      const agent = new Agent(strict);
      const address = new URL(await provider.answer(await leave(agent, await there.begin(agent))));
      if (error) address.searchParams.set('error', error);
      return failureIn(await comeBackWith(agent, address.href));
    };
    for (let n = 0; n < 5; n += 1) expect(await once('server_error')).toBe(away);
    for (let n = 0; n < 5; n += 1) expect(await once('access_denied')).toBe('You did not sign in with Example.');
    provider.tamper = (token) => `${token}x`;
    for (let n = 0; n < 3; n += 1) expect(await once()).toBe(unusable);
    expect(await once()).toBe('Too many attempts.');
    await strict.close();
  });

  test('while it is away the server starts and works, and it is found again when it is back', async () => {
    const port = await freePort();
    const lonely = await startWith({ start: (env) => startServer({ env: env ?? {} }) }, () => [
      member(`http://localhost:${port}`),
    ]);
    const there = application(lonely, await buildClient(lonely));
    const agent = new Agent(lonely);
    const page = await there.begin(agent);
    const back = await agent.go(`${new URL(page.url).pathname}/upstream/company`);
    expect([back.status, failureIn(back)]).toEqual([200, away]);
    const late = createServer((_req, res) => {
      const url = `http://localhost:${port}`;
      const metadata = {
        issuer: url,
        authorization_endpoint: `${url}/a`,
        token_endpoint: `${url}/t`,
        jwks_uri: `${url}/j`,
      };
      res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(metadata));
    });
    await new Promise<void>((resolve) => late.listen(port, 'localhost', resolve));
    expect(await leave(agent, page)).toContain(`http://localhost:${port}/a?`);
    late.closeAllConnections();
    late.close();
    await lonely.close();
  });

  test.each([
    ['of another issuer', { issuer: 'https://evil.example' }],
    ['with an address inside the network, in the clear', { token_endpoint: 'http://169.254.169.254/latest' }],
    ['with no web address', { authorization_endpoint: 'javascript:alert(1)' }],
    ['without keys', { jwks_uri: undefined }],
  ])('a document %s is not used', async (_name, change) => {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const metadata = {
      issuer: url,
      authorization_endpoint: `${url}/a`,
      token_endpoint: `${url}/t`,
      jwks_uri: `${url}/j`,
    };
    const odd = createServer((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ ...metadata, ...change }));
    });
    await new Promise<void>((resolve) => odd.listen(port, 'localhost', resolve));
    const misled = await startWith({ start: (env) => startServer({ env: env ?? {} }) }, () => [member(url)]);
    const agent = new Agent(misled);
    const page = await application(misled, await buildClient(misled)).begin(agent);
    expect(failureIn(await agent.go(`${new URL(page.url).pathname}/upstream/company`))).toBe(unusable);
    odd.close();
    odd.closeAllConnections();
    await misled.close();
  });

  test('the challenge that was sent is that of the verifier that is redeemed', async () => {
    const agent = new Agent(server);
    const sent = await leave(agent, await app.begin(agent));
    await comeBackWith(agent, await provider.answer(sent));
    const { form } = provider.asked.find(({ path }) => path === '/token') ?? { form: new URLSearchParams() };
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    expect(new URL(sent).searchParams.get('code_challenge')).toBe(challenge);
  });
});
