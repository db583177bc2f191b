/** The surface below the protocol: hosts, paths, cookies, headers and sizes, as a stranger may send them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { raw, statusOf, tokensFor } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { at } from '../support/storages.ts';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server);
});
afterAll(() => server.close());

const authorize = (more: Record<string, string> = {}) =>
  `/oauth/authorize?${new URLSearchParams({ client_id: client.id, response_type: 'code', scope: 'openid', code_challenge: 'c'.repeat(43), code_challenge_method: 'S256', ...more })}`;
const get = (path: string, headers: readonly string[]) =>
  raw(server, `GET ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\nConnection: close\r\n\r\n`);

describe('G1: the address of this server is what ISSUER says', () => {
  const lies: [string, string[]][] = [
    ['Host: evil', ['Host: evil.example']],
    ['Host with a user name', ['Host: localhost@evil.example']],
    ['Host with a port', ['Host: localhost:1']],
    ['X-Forwarded-Host', ['Host: localhost', 'X-Forwarded-Host: evil.example']],
    [
      'X-Forwarded-*',
      [
        'Host: localhost',
        'X-Forwarded-Host: evil.example',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Port: 1',
        'X-Forwarded-Prefix: /evil',
        'X-Forwarded-For: 192.0.2.66',
        'X-Original-URL: /evil',
        'X-Rewrite-URL: /evil',
      ],
    ],
    ['Forwarded', ['Host: localhost', 'Forwarded: for=192.0.2.66;host=evil.example;proto=https']],
  ];
  test.each(lies)('G1: %s changes neither documents, redirects, iss nor cookies', async (_name, headers) => {
    for (const path of [
      '/.well-known/openid-configuration',
      authorize(),
      authorize({ prompt: 'none' }),
      '/oauth/logout',
      '/',
      '/oauth/authorize?client_id=x',
    ]) {
      for (let time = 0; time < 2; time += 1) {
        const answer = await get(path, [...headers, 'Accept: text/html']);
        expect(statusOf(answer)).toBeLessThan(500);
        expect(answer).not.toMatch(/evil|localhost:1\/|192\.0\.2\.66|__Host-|; ?secure|https:\/\/localhost/i);
        if (path.startsWith('/.well-known')) expect(answer).toContain(`"issuer":"${server.url}"`);
        if (path.includes('prompt=none')) expect(answer).toContain(`iss=${encodeURIComponent(server.url)}`);
      }
    }
  });

  test('G1: two Host headers are refused, or change nothing', async () => {
    const answer = await get('/.well-known/openid-configuration', ['Host: localhost', 'Host: evil.example']);
    expect([200, 400]).toContain(statusOf(answer));
    expect(answer).not.toContain('evil');
    expect(statusOf(await raw(server, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'))).toBe(400);
    const absolute = await raw(
      server,
      'GET http://evil.example/.well-known/openid-configuration HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(absolute).not.toContain('"issuer":"http://evil');
  });

  test('G1: the throttle counts by the real address, whatever a stranger says it is', async () => {
    const strict = await startServer({ env: { THROTTLE_ADDRESS_LIMIT: '3' } });
    try {
      const its = await buildClient(strict);
      const agent = new Agent(strict);
      let page = await agent.go(authorize({ client_id: its.id }));
      const statuses = [];
      for (let i = 0; i < 6; i += 1) {
        const path = new URL(page.url).pathname;
        const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
        page = await agent.go(path, {
          form: { csrf, username: `nobody${i}`, password: 'not the password' },
          headers: { 'x-forwarded-for': `192.0.2.${i}`, forwarded: `for=192.0.2.${i}` },
        });
        statuses.push(page.status);
      }
      expect(statuses.slice(-2)).toEqual([429, 429]);
      expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await strict.close();
    }
  });
});

describe('G2: a path has one spelling', () => {
  const paths = [
    ...[
      '/OAUTH/TOKEN',
      '/oauth/token/',
      '//oauth/token',
      '/oauth//token',
      '/oauth/token;x=1',
      '/oauth/%74oken',
      '/oauth%2ftoken',
      '/./oauth/token',
    ],
    ...[
      '/oauth/x/../token',
      '/oauth/token%20',
      '/oauth/token%00',
      '/oauth\\token',
      '/oauth/token.',
      '/Oauth/Userinfo',
      '/user/info/',
      '/USER/INFO',
      '//user/info',
      '/user/%69nfo',
      '/user;/info',
    ],
    ...[
      '/clients/register/',
      '/CLIENTS/register',
      '/internal//reload-clients',
      '/internal/reload-clients/',
      '/metrics/',
      '/METRICS',
      '/oauth/authorize/../../metrics',
      '/.well-known/../metrics',
    ],
  ];
  test.each(paths)('G2: %s is nothing', async (path) => {
    for (const method of ['GET', 'POST']) {
      const answer = await raw(
        server,
        `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nAccept: application/json\r\nConnection: close\r\n\r\n`,
      );
      expect([path, method, statusOf(answer)]).toEqual([path, method, statusOf(answer) === 400 ? 400 : 404]);
    }
  });

  test('G2: nothing outside the public folder is served', async () => {
    for (const path of [
      '/public/../package.json',
      '/public/%2e%2e/package.json',
      '/public/..%2fpackage.json',
      '/public/....//package.json',
      '/public/..\\package.json',
      '/public/%2e%2e%2f%2e%2e%2fetc/passwd',
      '/public//etc/passwd',
      '/public/',
      '/public/gatehouse.css%00.png',
    ]) {
      const answer = await get(path, ['Host: localhost']);
      expect([path, statusOf(answer)]).toEqual([path, statusOf(answer) === 400 ? 400 : 404]);
      expect(answer).not.toMatch(/"dependencies"|root:/);
    }
  });
});

describe('G3: cookies', () => {
  /** Every cookie that the server sets on the way through a login and a logout. */
  async function cookiesOf(of: TestServer): Promise<string[]> {
    const lines: string[] = [];
    const person = await buildPerson(of);
    const its = await buildClient(of);
    const jar = new Map<string, string>();
    const go = async (path: string, form?: Record<string, string>) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const init = { redirect: 'manual', headers: { cookie, accept: 'text/html' } } as const;
      const response = await fetch(
        new URL(path, at(of).url),
        form ? { ...init, method: 'POST', body: new URLSearchParams(form) } : init,
      );
      for (const line of response.headers.getSetCookie()) {
        lines.push(line);
        const [name = '', value = ''] = line.split(';')[0]?.split(/=(.*)/) ?? [];
        if (value !== '') jar.set(name, value);
      }
      const location = response.headers.get('location');
      return { path: location ? new URL(location, of.url).pathname : '', text: await response.text() };
    };
    const { path: login } = await go(authorize({ client_id: its.id }));
    const csrf = /name="csrf" value="([^"]+)"/.exec((await go(login)).text)?.[1] ?? '';
    const { path: resume } = await go(login, { csrf, username: person.username, password });
    const { path: consent } = await go(resume);
    const { path: last } = await go(consent, { csrf, answer: 'allow' });
    await go(last);
    await go('/oauth/logout');
    return lines;
  }

  test('G3: with an https issuer they are prefixed, Secure, HttpOnly and SameSite=Lax', async () => {
    const secure = await startServer({
      env: { ISSUER: 'https://id.example.com', DEVELOPMENT_ON: 'https://id.example.com' },
    });
    try {
      const lines = (await cookiesOf(secure)).filter((line) => !/^[^=]+=;/.test(line));
      expect(lines.length).toBeGreaterThan(3);
      for (const line of lines) {
        expect(line).toMatch(/^__(Host|Secure)-/);
        expect(line).toMatch(/; ?secure/i);
        expect(line).toMatch(/; ?httponly/i);
        expect(line).toMatch(/; ?samesite=lax/i);
        expect(line).not.toMatch(/; ?domain=/i);
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(4096);
        if (line.startsWith('__Host-')) expect(line).toMatch(/; ?path=\/(;|$)/i);
      }
      expect(lines.some((line) => line.startsWith('__Host-gatehouse='))).toBe(true);
    } finally {
      await secure.close();
    }
  });

  test('G3: on plain loopback http they are HttpOnly and SameSite=Lax, without a prefix', async () => {
    const lines = (await cookiesOf(server)).filter((line) => !/^[^=]+=;/.test(line));
    for (const line of lines) expect(line).toMatch(/^gatehouse[^;]*;(?=.*httponly)(?=.*samesite=lax)(?!.*secure)/i);
  });

  test('G3: a cookie that was tampered with is no session, and absurd ones are refused without harm', async () => {
    const { agent } = await tokensFor(server, client);
    const value = agent.cookie('gatehouse') ?? '';
    const signature = agent.cookie('gatehouse.sig') ?? '';
    const jars = [
      `gatehouse=${value}`,
      `gatehouse=${value}; gatehouse.sig=x`,
      `gatehouse=${value.slice(0, -1)}${value.endsWith('x') ? 'y' : 'x'}; gatehouse.sig=${signature}`,
      `gatehouse=; gatehouse.sig=${signature}`,
      `gatehouse=%00; gatehouse.sig=%ff`,
      '='.repeat(100),
      Array.from({ length: 100 }, (_, i) => `c${i}=${i}`).join('; '),
      Array.from({ length: 100 }, () => 'gatehouse=x').join('; '),
    ];
    for (const cookie of jars) {
      const response = await fetch(server.url + authorize({ prompt: 'none' }), {
        headers: { cookie },
        redirect: 'manual',
      });
      const error = new URL(response.headers.get('location') ?? 'about:blank').searchParams.get('error');
      expect([cookie.slice(0, 40), response.status >= 400 && response.status < 500 ? 'refused' : error]).toEqual([
        cookie.slice(0, 40),
        expect.stringMatching(/^(refused|login_required)$/),
      ]);
    }
    expect(statusOf(await get('/', ['Host: localhost', `Cookie: a=${'x'.repeat(65_536)}`]))).toBe(431);
  });
});
