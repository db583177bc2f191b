/** S1: development pages answer the developer at this machine, who asks it directly, and are unknown to everyone else. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createIsDeveloper } from '../../../src/http/developer.ts';
import { Agent } from '../../support/agent.ts';
import { devMailsLink, fill } from '../../support/mail.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../../support/server.ts';

interface Asked {
  readonly path: string;
  readonly method?: string;
  /** The server's own, by which it is reached. */
  readonly at?: string;
  /** As pairs, one after the other; `Host` among them. */
  readonly headers: readonly string[];
}

function ask(server: { port: number }, { path, method = 'GET', at = '127.0.0.1', headers }: Asked) {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
    const options = { host: at, port: server.port, method, path, headers, setHost: false, agent: false };
    const sent = request(options, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (part: string) => (text += part));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text, headers: res.headers }));
    });
    sent.on('error', reject).end();
  });
}

/** The addresses of every development page, from the routes themselves. */
function pagesOf(server: TestServer): readonly string[] {
  const routes = server.app.routes.filter(({ access }) => access === 'developer');
  return routes.map(({ path }) => path.replace(':view/:state', 'login/login-client').replace(':mail', '1'));
}

const keyedPath = (server: TestServer): string => devMailsLink(server).slice(server.url.length);

/** What is the same for every address that there is not, but for the request's own reference. */
const unreferenced = (text: string): string => text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}/g, '');

describe('whose request it is', () => {
  const isDeveloper = createIsDeveloper(true);
  const from = (remoteAddress: string | undefined, ...rawHeaders: string[]) =>
    isDeveloper({ socket: { remoteAddress }, rawHeaders });

  test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('S1: the peer %s is this machine', (peer) => {
    expect(from(peer, 'Host', 'localhost:3000')).toBe(true);
  });
  test.each([
    '192.0.2.7',
    '10.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:128.0.0.1',
    'fd00::1',
    'fe80::1',
    '0.0.0.0',
    '',
    undefined,
  ])('S1: the peer %s is not', (peer) => expect(from(peer, 'Host', 'localhost:3000')).toBe(false));
  test.each([
    'localhost',
    'LOCALHOST:3000',
    'gate.localhost',
    'a.b.localhost:1',
    '127.0.0.1',
    '127.255.0.9:65535',
    '[::1]',
    '[::1]:3000',
  ])('S1: the Host %s is this machine', (host) => expect(from('::1', 'hOsT', host)).toBe(true));
  test.each([
    ...['rebind.evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'evil-localhost', 'localhost.'],
    ...[
      'a@localhost',
      'localhost@evil.example',
      'evil.example#.localhost',
      'evil.example/.localhost',
      'localhost:3000:1',
    ],
    ...[
      '192.0.2.7:3000',
      '0.0.0.0',
      '128.0.0.1',
      '[::ffff:127.0.0.1]',
      '[::2]',
      '::1',
      '',
      ' ',
      'localhost, evil.example',
    ],
  ])('S1: the Host %j is not', (host) => expect(from('127.0.0.1', 'Host', host)).toBe(false));

  test('S1: a request without a Host, or with two, is no developer’s', () => {
    expect(from('127.0.0.1')).toBe(false);
    expect(from('127.0.0.1', 'Host', 'localhost', 'host', 'localhost')).toBe(false);
    expect(from('127.0.0.1', 'Accept', 'Host', 'X-Other', 'localhost')).toBe(false);
  });
  test('S1: without development pages there is no developer', () => {
    expect(createIsDeveloper(false)({ socket: { remoteAddress: '::1' }, rawHeaders: ['Host', 'localhost'] })).toBe(
      false,
    );
  });
});

const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
const loopback = ['127.0.0.1', '::1'].filter((own) => addresses.some(({ address }) => address === own));
const others = addresses.filter(({ internal, scopeid }) => !internal && !scopeid).map(({ address }) => address);

describe('the pages of a server', () => {
  let server: TestServer;
  let pages: readonly string[];
  let host: readonly string[];
  beforeAll(async () => {
    // On every address, so that others can reach it.
    server = await startServer({ host: loopback.includes('::1') ? '::' : '0.0.0.0' });
    pages = pagesOf(server);
    host = ['Host', `localhost:${server.port}`];
  });
  afterAll(() => server.close());

  /** Each page and method that answers otherwise than an address that there is not. */
  async function answering(rest: Omit<Asked, 'path' | 'method'>): Promise<readonly string[]> {
    const found: string[] = [];
    const samples = [...pages, keyedPath(server)];
    for (const method of ['GET', 'HEAD', 'POST']) {
      const nothing = await ask(server, { ...rest, method, path: '/no-such-address' });
      expect(nothing.status).toBe(404);
      for (const path of samples) {
        const { status, text } = await ask(server, { ...rest, method, path });
        if (status !== 404 || unreferenced(text) !== unreferenced(nothing.text)) found.push(`${method} ${path}`);
      }
    }
    return found;
  }

  test('S1: the list holds what there is', () => {
    expect([...pages].sort()).toEqual([
      '/dev/mails',
      '/dev/mails/1',
      '/gallery',
      '/gallery/login/login-client',
      '/playground',
    ]);
  });

  test.each(loopback)('S1: all of them answer a browser on this machine, at %s', async (at) => {
    for (const path of pages.filter((page) => !page.startsWith('/dev/mails')))
      for (const method of ['GET', 'HEAD'])
        expect([path, (await ask(server, { path, method, at, headers: host })).status]).toEqual([path, 200]);
  });

  test('S1: a rebound name does not open them', async () => {
    expect(await answering({ headers: ['Host', `rebind.evil.example:${server.port}`] })).toEqual([]);
    expect(await answering({ headers: ['Host', 'rebind.evil.example', ...host] })).toEqual([]);
    expect(await answering({ headers: [...host, 'Host', 'rebind.evil.example'] })).toEqual([]);
  });

  test.each([
    ['Forwarded', 'for=127.0.0.1'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Host', 'localhost'],
    ['x-forwarded-proto', 'http'],
    ['X-Forwarded-Server', 'tunnel'],
    ['Via', '1.1 tunnel'],
    ['CF-Ray', '1'],
    ['Cf-Connecting-Ip', '127.0.0.1'],
    ['X-Real-IP', '127.0.0.1'],
    ['X-Client-IP', '127.0.0.1'],
    ['X-Cluster-Client-IP', '127.0.0.1'],
    ['Fly-Client-IP', '127.0.0.1'],
    ['X-Original-Host', 'localhost'],
    ['X-Envoy-External-Address', '127.0.0.1'],
    ['CDN-Loop', 'tunnel'],
  ])('S1: %s says that a request was passed on', async (name, value) => {
    expect(await answering({ headers: [...host, name, value] })).toEqual([]);
    expect(await answering({ headers: [...host, name, ''] })).toEqual([]);
  });

  test(`S1: another peer does not see them (${others.join(', ') || 'this machine has no other address'})`, async () => {
    for (const at of others) expect(await answering({ at, headers: host })).toEqual([]);
  });

  test('S1: an address of its own in the request line opens nothing', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connect(server.port, '127.0.0.1');
      socket.on('data', (part: Buffer) => (received += part.toString()));
      socket.on('end', () => resolve(received)).on('error', reject);
      const target = `http://localhost:${server.port}/gallery`;
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('S1: the welcome page and the end of the set-up name the playground to the developer alone', async () => {
    const through = { 'X-Forwarded-For': '192.0.2.7' };
    expect((await new Agent(server).go('/')).text).toContain('href="/playground"');
    expect((await new Agent(server).go('/', { headers: through })).text).not.toContain('playground');
    const link = await server.core.setup.createSetupLink();
    const agent = new Agent(server);
    const form = await agent.go(`/setup?token=${link?.token}`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? '';
    await agent.go(form.url, { form: { csrf, username: 'root-of-all', password: 'seven lemons under glass' } });
    const done = await agent.go('/setup/done', { headers: through });
    expect([done.status, new URL(done.url).pathname]).toEqual([200, '/setup/done']);
    expect(done.text).not.toContain('playground');
    expect((await agent.go('/setup/done')).text).toContain('href="/playground"');
  });

  test('S1: the details of a refusal are for the developer alone, and in the log', async () => {
    const client = await buildClient(server);
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: client.id,
      redirect_uri: 'https://else.example/',
    });
    const path = `/oauth/authorize?${query}`;
    const page = await ask(server, { path, headers: [...host, 'Accept', 'text/html'] });
    const passedOn = await ask(server, { path, headers: [...host, 'Accept', 'text/html', 'Via', '1.1 tunnel'] });
    expect([page.status, passedOn.status]).toEqual([400, 400]);
    expect(page.text).toContain('https://app.example.com/cb');
    expect(passedOn.text).not.toContain('https://app.example.com/cb');
    const reference = String(passedOn.headers['x-request-id']);
    expect(server.logged.some((line) => line.includes(reference) && line.includes('app.example.com'))).toBe(true);
  });

  test('S1: the sample service behind the gateway is the developer’s as well', async () => {
    const write = (...more: string[]) =>
      ask(server, { path: '/write-data', method: 'POST', headers: [...host, ...more] });
    expect((await write()).status).toBe(401);
    expect((await write('X-Forwarded-For', '192.0.2.7')).status).toBe(404);
  });
});

describe('the page of mails', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  test('S1: its key lets one browser in, once, and only this process knows it', async () => {
    const person = await buildPerson(server);
    await fill(new Agent(server), '/forgot', { username: person.username });
    await server.core.mails.settled();
    const link = devMailsLink(server);
    const shows = (page: { status: number; text: string }) => [page.status, page.text.includes(person.email ?? '')];

    const stranger = new Agent(server);
    expect(shows(await stranger.go('/dev/mails'))).toEqual([403, false]);
    expect(shows(await stranger.go('/dev/mails?key='))).toEqual([403, false]);
    expect(shows(await stranger.go(`${link}x`))).toEqual([403, false]);
    expect(shows(await stranger.go(`${link}&key=x`))).toEqual([403, false]);
    // A look ahead leaves the key as good as it was.
    const host = ['Host', `localhost:${server.port}`];
    expect(
      (await ask(server, { path: keyedPath(server), method: 'HEAD', headers: host, at: 'localhost' })).status,
    ).toBe(403);

    const developer = new Agent(server);
    const exchanged = await developer.go(link, { follow: false });
    expect([exchanged.status, exchanged.location]).toEqual([303, `${server.url}/dev/mails`]);
    expect(exchanged.headers.get('set-cookie')).toMatch(/; path=\/dev\/mails; samesite=lax; httponly$/i);
    expect(exchanged.headers.get('set-cookie')).not.toContain(server.core.mailbox?.key);
    expect(shows(await developer.go('/dev/mails'))).toEqual([200, true]);
    // The same link again is no mistake in the browser that used it.
    expect(shows(await developer.go(link))).toEqual([200, true]);

    const second = await new Agent(server).go(link);
    expect(shows(second)).toEqual([403, false]);
    expect(second.text).toContain('restart the server');

    server = await server.restart();
    expect((await developer.go('/dev/mails')).status).toBe(403);
    expect((await developer.go(link)).status).toBe(403);
  });
});

describe('development on a public address', () => {
  test('S1: DEVELOPMENT_ON has no development pages for anyone, and mails go to the terminal', async () => {
    const issuer = 'https://tunnel.example';
    const server = await startServer({ env: { ISSUER: issuer, DEVELOPMENT_ON: issuer, LOG_LEVEL: 'silent' } });
    const headers = ['Host', `localhost:${server.port}`];
    for (const path of ['/playground', '/gallery', '/gallery/login/login-client', '/dev/mails', '/dev/mails/1'])
      expect([path, (await ask(server, { path, at: 'localhost', headers })).status]).toEqual([path, 404]);
    expect((await ask(server, { path: '/', at: 'localhost', headers })).text).not.toContain('playground');
    expect(server.core.mailbox).toBeUndefined();

    const person = await buildPerson(server);
    const here = new Agent({ url: `http://localhost:${server.port}` });
    const form = await here.go('/forgot');
    const cookie = form.headers
      .getSetCookie()
      .map((line) => line.split(';', 1)[0])
      .join('; ');
    const csrf = /name="csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? '';
    const asked = await here.go('/forgot', { form: { csrf, username: person.username }, headers: { cookie } });
    expect(asked.status).toBe(200);
    await server.core.mails.settled();
    const printed = server.logged.join('');
    expect(printed).toContain(`| To: ${person.email}\n`);
    expect(printed).toMatch(/ \| https:\/\/tunnel\.example\/reset\?token=[\w-]{20,}\n/);
    await server.close();
  });
});
