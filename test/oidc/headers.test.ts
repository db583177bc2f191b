/** What every answer carries: security headers on pages, CORS, caching, and nothing from the inside. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, basic, csrfOf } from '../support/agent.ts';
import { codeFor, tokensFor } from '../support/flow.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';
import { at } from '../support/storages.ts';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
const post_logout_redirect_uris = ['https://app.example.com/bye'];
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server, { post_logout_redirect_uris });
});
afterAll(() => server.close());

const proof = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };
const request = (of: { id: string }, more: Record<string, string> = {}) =>
  `/oauth/authorize?${new URLSearchParams({ client_id: of.id, response_type: 'code', scope: 'openid', ...proof, ...more })}`;

/** Every page a person can get to. */
async function pages(of: TestServer, its: { id: string }) {
  const [agent, stranger, user] = [new Agent(of), new Agent(of), await codeFor(server, client)];
  const login = await agent.go(request(its));
  const wrong = await agent.submit(login, { username: 'nobody', password: 'not the password at all' });
  return {
    login,
    'wrong password': wrong,
    consent: await user.agent.go(request(its, { prompt: 'consent' })),
    'no interaction of this browser': await stranger.go(new URL(login.url).pathname),
    'a form without its token': await stranger.go(new URL(login.url).pathname, { form: { csrf: 'x' } }),
    'refused request': await stranger.go('/oauth/authorize?client_id=nobody'),
    'resume of nothing': await stranger.go('/oauth/authorize/abc'),
    logout: await user.agent.go('/oauth/logout'),
    'logout without a session': await stranger.go('/oauth/logout'),
    'logout refused': await stranger.go('/oauth/logout?id_token_hint=x'),
    'switch of persons': await switched(its),
    'signed out': await stranger.go('/oauth/logout/success'),
    'not found': await stranger.go('/nowhere'),
    front: await stranger.go('/'),
    'form post': await user.agent.go(request(client, { prompt: 'none', response_mode: 'form_post' })),
  };
}

async function switched(its: { id: string }) {
  const [{ agent }, b] = [await codeFor(server, client), await tokensFor(server, client)];
  const login = await agent.go(request(its, { prompt: 'login' }));
  return agent.submit(login, { username: b.person.username, password: 'seven lemons under glass' });
}

describe('A14: pages', () => {
  test('A14: every page has the headers, and no script of its own without its hash in the policy', async () => {
    for (const [name, page] of Object.entries(await pages(server, client))) {
      const header = (field: string) => page.headers.get(field);
      const policy = header('content-security-policy') ?? '';
      expect({
        name,
        type: header('content-type'),
        policy,
        frame: header('x-frame-options'),
        sniff: header('x-content-type-options'),
        referrer: header('referrer-policy'),
        cache: header('cache-control'),
        opener: header('cross-origin-opener-policy'),
        hsts: header('strict-transport-security'),
        cors: header('access-control-allow-origin'),
      }).toEqual({
        name,
        type: 'text/html; charset=utf-8',
        policy: expect.stringMatching(
          /^(?=.*default-src 'none')(?=.*frame-ancestors 'none')(?=.*object-src 'none')(?=.*base-uri 'none')/,
        ),
        frame: 'DENY',
        sniff: 'nosniff',
        referrer: 'same-origin',
        cache: expect.stringContaining('no-store'),
        // Not where a window that an application opened may still be on its way back to it.
        opener: ['not found', 'front'].includes(name) ? 'same-origin' : 'unsafe-none',
        hsts: null,
        cors: null,
      });
      expect(policy).not.toMatch(/unsafe-|\*/);
      expect(page.text).not.toMatch(/\son[a-z]+\s*=|javascript:/i);
      for (const [, attributes = '', script = ''] of page.text.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
        if (script.trim() !== '')
          expect({ name, policy }).toEqual({ name, policy: expect.stringMatching(/script-src[^;]*'sha256-/) });
        else expect(attributes).toMatch(/src="\/public\//);
      }
      expect(page.text).not.toMatch(/<style|style="/);
    }
  });

  test('A14: redirects on the way of a window that an application opened say so as well, and pages elsewhere do not', async () => {
    const agent = new Agent(server);
    const opener = async (address: string, form?: Record<string, string>) => {
      const { status, headers } = await agent.go(address, { follow: false, ...(form && { form }) });
      return { status, opener: headers.get('cross-origin-opener-policy') };
    };
    const login = await agent.go(request(client));
    const at = new URL(login.url).pathname;
    const csrf = csrfOf(login);
    const redirects: Parameters<typeof opener>[] = [
      [request(client)],
      ['/oauth/authorize', { client_id: client.id }],
      [request(client, { prompt: 'none' })],
      ['/oauth/logout', { client_id: client.id }],
      [at, { csrf, answer: 'cancel' }],
      ['/upstream/nobody/callback'],
      ['/forgot', { csrf, username: 'nobody' }],
      ['/language', { csrf, language: 'en', back: at }],
    ];
    for (const asked of redirects) {
      const answer = await opener(...asked);
      expect([asked, answer.status < 500 && answer.status >= 300, answer.opener]).toEqual([asked, true, 'unsafe-none']);
    }
    for (const path of ['/', '/nowhere', '/sign-up', '/verify-email', '/openapi', '/interaction', '/forgotten'])
      expect([path, (await opener(path)).opener]).toEqual([path, 'same-origin']);
    for (const path of ['/forgot?from=0123456789', '/reset?token=x', '/language', `${at}/sign-up`])
      expect([path, (await opener(path)).opener]).toEqual([path, 'unsafe-none']);
  });

  test('A14: Strict-Transport-Security where the issuer is https, on pages and answers alike', async () => {
    const secure = await startServer({
      env: { ISSUER: 'https://id.example.com', DEVELOPMENT_ON: 'https://id.example.com' },
    });
    try {
      for (const path of [
        '/',
        '/oauth/authorize?client_id=nobody',
        '/oauth/jwks',
        '/oauth/userinfo',
        '/.well-known/openid-configuration',
        '/nowhere',
      ]) {
        const response = await fetch(at(secure).url + path, { headers: { accept: 'text/html' } });
        expect([path, response.headers.get('strict-transport-security')]).toEqual([
          path,
          expect.stringMatching(/^max-age=\d{8}/),
        ]);
      }
    } finally {
      await secure.close();
    }
  });
});

describe('A13: CORS', () => {
  const own = 'https://app.example.com';
  const cors = (response: Response) => [
    response.headers.get('access-control-allow-origin'),
    response.headers.get('access-control-allow-credentials'),
  ];

  test('A13: a preflight names no client; the answer itself has the header for an origin of that client only', async () => {
    const spa = await buildClient(server, { token_endpoint_auth_method: 'none' });
    const { body } = await tokensFor(server, spa);
    for (const path of ['/oauth/token', '/oauth/userinfo', '/oauth/revoke']) {
      const preflight = await fetch(server.url + path, {
        method: 'OPTIONS',
        headers: {
          origin: own,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      });
      expect([path, preflight.status, preflight.headers.get('access-control-allow-credentials')]).toEqual([
        path,
        204,
        null,
      ]);
    }
    const ask = async (origin: string) => {
      const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: spa.id });
      const [token, userinfo] = await Promise.all([
        fetch(`${server.url}/oauth/token`, { method: 'POST', body: form, headers: { origin } }),
        fetch(`${server.url}/oauth/userinfo`, { headers: { origin, authorization: `Bearer ${body.access_token}` } }),
      ]);
      expect(userinfo.status).toBe(origin === own ? 200 : 400);
      return [cors(token), cors(userinfo)];
    };
    expect(await ask(own)).toEqual([
      [own, null],
      [own, null],
    ]);
    for (const origin of [
      'https://evil.example',
      'null',
      'https://app.example.com:8443',
      'http://app.example.com',
      'https://app.example.com.evil.example',
    ]) {
      expect([origin, await ask(origin)]).toEqual([
        origin,
        [
          [null, null],
          [null, null],
        ],
      ]);
    }
  });

  test('A13, P5: on loopback a public client is at home on any port, and one that authenticates on its own', async () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const redirect_uris = [`http://${host}:8080/cb`];
      const spa = await buildClient(server, { token_endpoint_auth_method: 'none', redirect_uris });
      const web = await buildClient(server, { redirect_uris });
      for (const [at, port] of [
        [spa, 'any'],
        [web, 'own'],
      ] as const) {
        const scope = 'openid user';
        const { body } = await tokensFor(server, at, { scope, extra: { redirect_uri: `http://${host}:8080/cb` } });
        const taken = async (origin: string) => {
          const headers = { origin, authorization: `Bearer ${body.access_token}` };
          const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: at.id });
          const all = await Promise.all([
            fetch(`${server.url}/oauth/token`, { method: 'POST', body: form, headers: { origin } }),
            fetch(`${server.url}/oauth/userinfo`, { headers }),
            fetch(`${server.url}/user/info`, { headers }),
          ]);
          return all.map((response) => cors(response)[0] === origin);
        };
        expect(await taken(`http://${host}:8080`)).toEqual([true, true, true]);
        for (const origin of [`http://${host}:5173`, `http://${host}`])
          expect([origin, port, await taken(origin)]).toEqual([origin, port, Array(3).fill(port === 'any')]);
        for (const origin of [`https://${host}:5173`, `http://${host}.evil.example:5173`, 'http://app.localhost:5173'])
          expect([origin, await taken(origin)]).toEqual([origin, [false, false, false]]);
      }
    }
  });

  test('A13: discovery and the keys are for every origin, the authorization endpoint and the pages for none', async () => {
    for (const origin of [own, 'https://evil.example', 'null']) {
      for (const path of [
        '/.well-known/openid-configuration',
        '/oauth/jwks',
        '/.well-known/oauth-authorization-server',
      ]) {
        // Twice: the first answer comes from the engine, the next from memory.
        for (let time = 0; time < 2; time += 1) {
          expect([path, time, cors(await fetch(server.url + path, { headers: { origin } }))]).toEqual([
            path,
            time,
            ['*', null],
          ]);
        }
      }
      for (const path of [request(client), '/oauth/logout', '/interaction/x', '/']) {
        expect(cors(await fetch(server.url + path, { headers: { origin }, redirect: 'manual' }))).toEqual([null, null]);
      }
    }
  });
});

test('A16: no dangerous address gets into a client, in any member and any spelling', async () => {
  const schemes = [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://app.example.com/x',
    'file:///etc/passwd',
    '\u0001javascript:x',
    'javascript://app.example.com/%0aalert(1)',
    'about:blank',
    'view-source:https://x.example',
  ];
  const lists = ['redirect_uris', 'post_logout_redirect_uris'];
  const single = [
    'logo_uri',
    'policy_uri',
    'tos_uri',
    'client_uri',
    'initiate_login_uri',
    'backchannel_logout_uri',
    'jwks_uri',
    'sector_identifier_uri',
  ];
  const metadata = { client_name: 'Evil', redirect_uris: ['https://app.example.com/cb'] };
  for (const origin of ['admin', 'register', 'cli', 'person'] as const) {
    for (const uri of schemes) {
      for (const member of [...lists, ...single]) {
        const input = { ...metadata, [member]: lists.includes(member) ? [uri] : uri };
        const made = await server.app.clients.register(input, { origin, owner: null });
        expect({ member, uri, outcome: made.outcome }).toEqual({ member, uri, outcome: 'invalid' });
        // The same at a change.
        if (origin === 'admin')
          expect((await server.app.clients.update(client.id, input, origin)).outcome).toBe('invalid');
      }
    }
  }
});

describe('C16, G7: answers of the endpoints', () => {
  test('C16: no-store, JSON with its charset, errors from the list in plain ASCII; G7: nothing from the inside', async () => {
    const { body } = await tokensFor(server, client);
    const form = (fields: Record<string, string>) => ({
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { authorization: basic(client.id, client.secret) },
    });
    const anonymous = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
    const asked: [string, RequestInit][] = [
      ['/oauth/token', form({ grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' })],
      ['/oauth/token', form({ grant_type: 'refresh_token', refresh_token: '\u0000"\\ü<svg>' })],
      ['/oauth/token', form({ grant_type: 'nonsense"\\ü\n' })],
      ['/oauth/token', form({ grant_type: 'authorization_code', code: "' OR 1=1 --" })],
      ['/oauth/token', form({ grant_type: 'client_credentials', scope: 'ü' })],
      ['/oauth/token', anonymous({})],
      ['/oauth/token', anonymous({ client_id: 'ü"\\\u0007' })],
      ['/oauth/token', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }],
      ['/oauth/token', { method: 'GET' }],
      ['/oauth/introspect', form({ token: body.access_token ?? '' })],
      ['/oauth/introspect', form({ token: '\u0000' })],
      ['/oauth/introspect', anonymous({ token: 'x' })],
      ['/oauth/revoke', anonymous({ token: 'x' })],
      ['/oauth/revoke', form({})],
      ['/oauth/userinfo', { headers: { authorization: `Bearer ${body.access_token}` } }],
      ['/oauth/userinfo', { headers: { authorization: 'Bearer x' } }],
      ['/oauth/userinfo', {}],
      ['/nowhere', {}],
      ['/interaction/x', { headers: { accept: 'application/json' } }],
    ];
    const errors =
      /^(invalid_request|invalid_client|invalid_grant|unauthorized_client|unsupported_grant_type|invalid_scope|invalid_target|invalid_token|insufficient_scope|unsupported_token_type|not_found)$/;
    for (const [path, init] of asked) {
      const response = await fetch(server.url + path, init);
      const text = await response.text();
      expect({ path, status: response.status, cache: response.headers.get('cache-control') }).toEqual({
        path,
        status: response.status < 500 ? response.status : 0,
        cache: expect.stringContaining('no-store'),
      });
      expect(text).not.toMatch(
        / at \/|node_modules|Error:|select |insert |knex|sqlite|ECONN|\/src\/|\.ts:|127\.0\.0\.1/i,
      );
      if (text === '' || path === '/interaction/x') continue;
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      const answer = JSON.parse(text) as { error?: string; error_description?: string };
      if (response.ok) continue;
      expect(answer.error).toMatch(errors);
      expect(answer.error_description ?? '').toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/);
    }
  });

  test('a page for browsers, JSON for programs, in either case of an unknown address', async () => {
    const page = await fetch(`${server.url}/nowhere`, { headers: { accept: 'text/html,*/*' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(csrfOf({ text: await page.text() })).toBe('');
    const program = await fetch(`${server.url}/nowhere`, { headers: { accept: '*/*' } });
    expect([program.status, program.headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8']);
  });
});
