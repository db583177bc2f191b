/** The file of the route table: what may stand in it, what is said about mistakes, and when it is read again. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { readRoutes } from '../../src/gateway/read-routes.ts';
import { routeDefaults } from '../../src/gateway/routes.ts';
import { createPlace, startChild } from '../support/child-server.ts';
import { describePostgres, freshPostgres } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { eventually } from '../support/redis-server.ts';
import { audience, call, machineToken, openRaw, openService, type RouteInFile, routesFile } from './world.ts';

async function read(content: readonly RouteInFile[] | string, name?: string) {
  const { file, remove } = routesFile(content, name);
  try {
    const found = await readRoutes(file, ['/oauth']);
    return found.outcome === 'read' ? found.routes : found.text.replaceAll(file, 'FILE');
  } finally {
    remove();
  }
}

const whole = {
  prefix: '/reports',
  methods: ['GET', 'POST'],
  upstream: 'https://[::1]:8443/base/',
  tokens: ['oauth', 'space-guard'],
  audience: 'https://api.example.com/',
  scopes: ['reports:read'],
  timeouts: { connect: 2, answer: '1.5s', idle: '5m' },
  maxBody: 100,
  passToken: true,
  stripPrefix: true,
  preserveHost: true,
};
const read1 = {
  ...whole,
  upstream: { protocol: 'https:', hostname: '::1', port: 8443, host: '[::1]:8443', basePath: '/base' },
  timeouts: { connect: 2000, answer: 1500, idle: 300_000, upload: routeDefaults.timeouts.upload },
};

describe('the file', () => {
  test('is JSON or YAML', async () => {
    expect(await read([whole])).toEqual([read1]);
    const yaml = `# the reports
- prefix: /reports
  methods: [GET, POST]
  upstream: https://[::1]:8443/base/
  tokens: [oauth, space-guard]
  audience: https://api.example.com/
  scopes:
    - reports:read
  timeouts: { connect: 2, answer: 1.5s, idle: 5m }
  maxBody: 100
  passToken: true
  stripPrefix: true
  preserveHost: true
`;
    expect(await read(yaml, 'routes.yaml')).toEqual([read1]);
  });

  test('needs a prefix and tokens of each route, and nothing else', async () => {
    expect(await read([{ prefix: '/a', tokens: ['identity'] }])).toEqual([
      {
        ...routeDefaults,
        prefix: '/a',
        tokens: ['identity'],
        scopes: [],
        methods: undefined,
        upstream: undefined,
        audience: undefined,
      },
    ]);
    expect(await read([])).toEqual([]);
  });

  test.each(['topsecret', '- topsecret', '- upstream: http://me:top/topsecret@127.0.0.1/'])(
    'may be the wrong one, with a secret: %s',
    async (content) => {
      const text = await read(content);
      expect(text).toContain('given');
      expect(text).not.toContain('topsecret');
    },
  );

  test('shows all its mistakes at once, and no password', async () => {
    const text = await read([
      { prefix: '/a/', tokens: ['oauth'], upstream: 'http://me:secret@127.0.0.1/', colour: 'red' },
      { prefix: '/oauth/x', tokens: [], methods: ['get'], maxBody: '10MB', timeouts: { connect: '1 year', first: 1 } },
      { prefix: '/b', tokens: ['tinyoauth'], scopes: ['read'], audience },
      { prefix: '/b', tokens: ['tinyoauth'] },
      { prefix: '/c', tokens: ['jwt'], passToken: 'yes' },
    ]);
    expect(text).toBe(
      `15 things in FILE need a change:

  route 1, prefix
    given    /a/
    wanted   a path without a slash at its end, of letters, digits, -, ., _ and ~, that is not one of this server
    example  prefix: /reports

  route 1, upstream
    given    http://…@127.0.0.1/
    wanted   an http or https address without a user name, a query or a fragment
    example  upstream: http://127.0.0.1:8080

  route 1, colour
    given    an unknown member
    wanted   one of prefix, methods, upstream, tokens, audience, scopes, timeouts, maxBody, passToken, stripPrefix, preserveHost, stripHeaders, passHeaders

  route 1, audience
    given    nothing
    wanted   the identifier of an API, because tokens names oauth
    example  audience: https://api.example.com/

  route 2, methods
    given    ["get"]
    wanted   a list of methods in capitals
    example  methods: [GET, POST]

  route 2, tokens
    given    []
    wanted   a list of oauth, identity, security-service, tinyoauth, space-guard
    example  tokens: [oauth]

  route 2, timeouts.connect
    given    1 year
    wanted   seconds from 0.001 to 86400, or a time such as 10s, 500ms or 5m
    example  answer: 60s

  route 2, timeouts.first
    given    an unknown member
    wanted   one of connect, answer, idle, upload

  route 2, maxBody
    given    10MB
    wanted   a whole number of bytes, at most 1099511627776
    example  maxBody: 10485760

  route 2, prefix
    given    /oauth/x
    wanted   another path: this server answers /oauth itself
    example  prefix: /reports

  route 3, audience
    given    https://api.example.com/
    wanted   nothing, because tokens does not name oauth
    example  audience: https://api.example.com/

  route 3, scopes
    given    ["read"]
    wanted   nothing, because only tokens of the kind oauth carry scopes
    example  scopes: [reports:read]

  route 4, prefix
    given    /b
    wanted   a prefix that no earlier route has, unless both routes name methods and share none
    example  prefix: /reports

  route 5, tokens
    given    ["jwt"]
    wanted   a list of oauth, identity, security-service, tinyoauth, space-guard
    example  tokens: [oauth]

  route 5, passToken
    given    yes
    wanted   true or false
    example  passToken: true

Every member is described in docs/surfaces/gateway.md.`,
    );
  });

  test.each([
    ['{"prefix": "/a"}', /One thing in FILE[\s\S]*given {4}\{"prefix":"\/a"\}[\s\S]*wanted {3}a list of routes/],
    ['', /given {4}null/],
    ['- 5', /route 1, the route\n {4}given {4}5/],
    ['- prefix: [', /^FILE cannot be parsed: /],
    ['- prefix: /a\n  prefix: /b\n  tokens: [identity]', /^FILE cannot be parsed: Map keys must be unique/],
    ['- &x { prefix: /a, tokens: [identity] }\n- *x', /^FILE cannot be parsed: /],
    ['- prefix: !!js/function "x"', /cannot be parsed|needs? a change/],
  ])('%j is refused with its reason', async (content, expected) => {
    expect(await read(content, 'routes.yaml')).toMatch(expected);
  });

  test('that cannot be read is named with the reason', async () => {
    expect(await readRoutes('/nowhere/routes.yaml')).toEqual({
      outcome: 'mistaken',
      text: '/nowhere/routes.yaml cannot be read (ENOENT).',
    });
  });

  test.each([
    '',
    '/',
    'reports',
    '/a//b',
    '/a/../b',
    '/.',
    '/a b',
    '/a%20',
    '/a;b',
    '/ä',
    '/a?b',
    '/a#b',
    '/a\\b',
    `/${'a'.repeat(300)}`,
    5,
    null,
  ])('the prefix %j is none', async (prefix) => {
    expect(await read([{ prefix, tokens: ['identity'] }] as RouteInFile[])).toMatch(/^One thing in FILE/);
  });

  test.each([
    'ftp://x',
    'http://',
    '127.0.0.1:80',
    'http://x/?a',
    'http://x/#a',
    'http://x:99999',
    'javascript:x',
    'http://a b/',
    7,
  ])('the upstream %j is none', async (upstream) => {
    expect(await read([{ prefix: '/a', tokens: ['identity'], upstream }])).toMatch(/^One thing in FILE/);
  });

  test('one prefix may have several routes whose methods differ', async () => {
    const tokens = ['identity'];
    const ok = [
      { prefix: '/a', methods: ['GET'], tokens },
      { prefix: '/a', methods: ['PUT'], tokens },
      { prefix: '/a/b', tokens },
    ];
    expect(await read(ok)).toHaveLength(3);
    expect(await read([...ok, { prefix: '/a', methods: ['PUT', 'POST'], tokens }])).toMatch(/route 4, prefix/);
    expect(await read([...ok, { prefix: '/A', methods: ['POST'], tokens }])).toMatch(/route 4, prefix/);
  });
});

describe('rules about headers', () => {
  const route = { prefix: '/a', tokens: ['identity'] };
  const good: RouteInFile = {
    ...route,
    stripHeaders: ['X-Tenant*', 'x_role'],
    passHeaders: ['Cf-IPCountry', 'X-User-*'],
  };

  test('S14: may stand in a route, and beside the routes for all of them', async () => {
    expect(await read([good])).toHaveLength(1);
    const whole = { routes: [good, { ...good, prefix: '/b' }], stripHeaders: ['X-Tenant'], passHeaders: ['X-Real-IP'] };
    expect(await read(JSON.stringify(whole))).toHaveLength(2);
    const yaml = 'stripHeaders: [X-Tenant]\nroutes:\n  - { prefix: /a, tokens: [identity] }\n';
    expect(await read(yaml, 'routes.yaml')).toHaveLength(1);
  });

  test.each([
    'X-Gatehouse-Subject',
    'x_gatehouse_subject',
    'X-Gate*',
    'X-Forwarded-For',
    'X-Forwarded-*',
    'x_forwarded_host',
    'Forwarded',
    'Authorization',
    'Host',
    'Transfer-Encoding',
    'Proxy-Authorization',
    'X-Request-Id',
  ])('S14: %s cannot be passed', async (name) => {
    const mistake = /passHeaders[\s\S]*wanted {3}names other than /;
    expect(await read([{ ...route, passHeaders: [name] }])).toMatch(mistake);
    expect(await read(JSON.stringify({ routes: [], passHeaders: [name] }))).toMatch(mistake);
  });

  test.each([['*'], [''], ['X Y'], ['X-*-Y'], ['X:Y'], ['Ä'], [7], 'X-User', { 'X-User': true }])(
    'S14: %j is no list of names',
    async (names) => {
      for (const member of ['stripHeaders', 'passHeaders']) {
        const named = new RegExp(`route 1, ${member}[\\s\\S]*wanted {3}a list of header names`);
        expect(await read([{ ...route, [member]: names }])).toMatch(named);
        const ofFile = new RegExp(` {2}${member}\\n[\\s\\S]*wanted {3}a list of header names`);
        expect(await read(JSON.stringify({ routes: [route], [member]: names }))).toMatch(ofFile);
      }
    },
  );

  test('S14: a name both passed and stripped, and another method on a route that names its methods, are mistakes', async () => {
    const both = { ...route, stripHeaders: ['X-User-Name'], passHeaders: ['X_User_*'] };
    expect(await read([both])).toMatch(/route 1, passHeaders[\s\S]*names that do not cover X-User-Name/);
    const override = { ...route, passHeaders: ['X-HTTP-Method*'] };
    expect(await read([override])).toHaveLength(1);
    expect(await read([{ ...override, methods: ['GET'] }])).toMatch(/this header bypasses methods/);
  });

  test('S14: a member beside the routes that there is not is named', async () => {
    const text = await read(JSON.stringify({ routes: [], stripHeader: ['X'] }));
    expect(text).toMatch(/ {2}stripHeader\n {4}given {4}an unknown member\n {4}wanted {3}one of routes, strip/);
  });
});

describe('the program', () => {
  test.each([
    [
      'a member',
      { prefix: '/api', tokens: ['jwt'], maxBody: -1 },
      /2 things in .*routes\.json need a change:[\s\S]*route 1, tokens[\s\S]*route 1, maxBody/,
    ],
    [
      'P15: a path of this server',
      { prefix: '/forgot', tokens: ['tinyoauth'], upstream: 'http://127.0.0.1:9' },
      /One thing in .*routes\.json needs a change:[\s\S]*route 1, prefix/,
    ],
  ])('does not start with a bad table, and says why: %s', async (_what, route, expected) => {
    const { file, remove } = routesFile([route]);
    const place = await createPlace({ env: { GATEWAY_ROUTES: file } });
    const child = spawn(process.execPath, ['src/main.ts'], {
      cwd: join(import.meta.dirname, '../..'),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...place.env },
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(1);
    expect(said).toMatch(expected);
    expect(said).not.toMatch(/ {4}at /);
    place.close();
    remove();
  });

  test('reads the table again at SIGHUP, keeps it where the new one is bad, and cuts no connection off', async () => {
    const [one, two] = [
      await openService((_req, res) => res.end('one')),
      await openService((_req, res) => res.end('two')),
    ];
    let finish: () => void = () => {};
    const slow = await openService((_req, res) => {
      res.write('begun ');
      finish = () => res.end('finished');
    });
    const route = (upstream: string, prefix = '/x') => ({ prefix, tokens: ['oauth'], audience, upstream });
    const routes = routesFile([route(one.url), route(slow.url, '/slow')]);
    const place = await createPlace({ env: { GATEWAY_ROUTES: routes.file, PORT: String(await freePort()) } });
    const server = await startChild(place);
    try {
      const bearer = await place.within(async (app) => {
        await app.core.apis.add({
          identifier: audience,
          name: 'Example',
          scopes: [{ name: 'read', sentence: 'Read.' }],
        });
        // What another process has written is known within a second.
        await sleep(1000);
        return machineToken({ url: server.url, app, core: app.core } as unknown as Parameters<typeof machineToken>[0]);
      });
      const get = async () => (await call(server, { path: '/x', bearer })).text;
      await eventually('the first table', async () => (await get()) === 'one');
      const long = openRaw(server);
      long.socket.write(`GET /slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer}\r\n\r\n`);
      await eventually('it has begun', () => long.text().includes('begun'));

      routes.write([route(two.url)]);
      server.process.kill('SIGHUP');
      await eventually('the second table', async () => (await get()) === 'two');
      expect((await call(server, { path: '/slow', bearer })).status).toBe(404);
      finish();
      await eventually('the one under way ends as it began', () => long.text().includes('finished'));
      long.socket.destroy();

      routes.write([route('ftp://x'), { prefix: '/y' }]);
      server.process.kill('SIGHUP');
      await eventually('the log says what is wrong', () =>
        /route 1, upstream[\s\S]*route 2, tokens/.test(server.printed()),
      );
      expect(await get()).toBe('two');
      routes.write([route(one.url)]);
      server.process.kill('SIGHUP');
      await eventually('the third table', async () => (await get()) === 'one');
    } finally {
      await server.end();
      place.close();
      routes.remove();
      for (const service of [one, two, slow]) await service.close();
    }
  });
});

// One process is all that SQLite has.
describePostgres('several workers', () => {
  test('all read the table again at SIGHUP', async () => {
    const [one, two] = [
      await openService((_req, res) => res.end('one')),
      await openService((_req, res) => res.end('two')),
    ];
    const database = await freshPostgres();
    const route = (upstream: string) => ({ prefix: '/x', tokens: ['tinyoauth'], upstream });
    const routes = routesFile([route(one.url)]);
    const env = { GATEWAY_ROUTES: routes.file, WORKERS: '2', LOG_LEVEL: 'info' };
    const place = await createPlace({ databaseUrl: database.url, env });
    const server = await startChild(place);
    try {
      const said = (words: string) => server.printed().split(words).length - 1;
      const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const made = { username: 'ada', password: 'seven lemons under glass' };
      await call(server, { ...json, path: '/register', body: JSON.stringify(made) });
      const { token } = JSON.parse((await call(server, { ...json, path: '/login', body: JSON.stringify(made) })).text);
      const get = async () => (await call(server, { path: '/x', bearer: token })).text;
      /** Each on a connection of its own: the workers take turns. */
      const answers = async () => new Set(await Promise.all(Array.from({ length: 20 }, get)));
      expect(await answers()).toEqual(new Set(['one']));
      routes.write([route(two.url)]);
      // One of them may still be starting.
      server.process.kill('SIGHUP');
      await eventually('both have read it', () => said('the route table was read again') === 2, 20_000);
      expect(await answers()).toEqual(new Set(['two']));
    } finally {
      await server.end('SIGTERM');
      place.close();
      routes.remove();
      for (const service of [one, two]) await service.close();
      await database.drop();
    }
  });
});
