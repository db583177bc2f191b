/** The route table: each row holds, and what answers is a row. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { routesReference, wholeTable } from '../../dev/routes-reference.ts';
import { createRouteTable, pageRoutes, type Route } from '../../src/http/routes.ts';
import { call } from '../support/call.ts';
import { startServer, type TestServer } from '../support/server.ts';

const root = join(import.meta.dirname, '../..');
let server: TestServer;
let routes: readonly Route[];
beforeAll(async () => {
  server = await startServer({ env: { REGISTRATION: 'token' } });
  routes = server.app.routes;
});
afterAll(() => server.close());

/** An address of this route, with something in place of its parameters. */
const addressOf = ({ path }: Pick<Route, 'path'>): string => path.replaceAll(/:\w+/g, 'x0');
const isServed = ({ when }: Route): boolean => when?.holds !== false;
/** The gateway answers every method alike. */
const takesAny = ({ methods }: Route): boolean => methods.length === 0;
const send = (method: string, path: string, ...headers: (readonly [string, string])[]) =>
  call(server, { method, path, headers });

/** What `ask` finds of each route and is not as expected. */
async function each(of: (route: Route) => boolean, ask: (route: Route) => Promise<unknown>, expected: unknown) {
  const picked = routes.filter(of);
  expect(picked).not.toEqual([]);
  const found = [];
  for (const route of picked) found.push([route.path, await ask(route)]);
  expect(found).toEqual(picked.map(({ path }) => [path, expected]));
}

describe('each row', () => {
  test('any other method is 405, with exactly the methods of the table', async () => {
    await each(
      (route) => isServed(route) && !takesAny(route),
      async (route) => {
        const { status, headers } = await send('PROPFIND', addressOf(route));
        return [status, headers.allow === route.methods.join(', ')];
      },
      [405, true],
    );
  });

  test('a method of the table is never 405, and a method that it leaves out always is', async () => {
    const wrong = [];
    for (const route of routes.filter((one) => isServed(one) && !takesAny(one)))
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const { status } = await send(method, addressOf(route));
        if ((status === 405) === route.methods.includes(method)) wrong.push(`${method} ${route.path}: ${status}`);
      }
    expect(wrong).toEqual([]);
  });

  test('OPTIONS says the methods where the table has it', async () => {
    await each(
      ({ methods }) => methods.includes('OPTIONS'),
      async (route) => {
        const { status, headers, text } = await send('OPTIONS', addressOf(route));
        return [status, headers.allow === route.methods.join(', '), text];
      },
      [204, true, ''],
    );
  });

  test('HEAD is answered as GET is, without a body', async () => {
    await each(
      (route) => isServed(route) && route.methods.includes('HEAD'),
      async (route) => {
        const [get, head] = [await send('GET', addressOf(route)), await send('HEAD', addressOf(route))];
        const same = ['content-type', 'cache-control', 'location', 'www-authenticate', 'content-security-policy'];
        const differing = same.filter((name) => get.headers[name] !== head.headers[name]);
        return [get.status === head.status, head.text, differing.filter((name) => name !== 'location')];
      },
      [true, '', []],
    );
  });

  test('a ready document answers HEAD as GET, whichever comes first', async () => {
    for (const first of ['HEAD', 'GET']) {
      server.app.protocol.swap();
      const answers = [await send(first, '/oauth/jwks'), await send(first === 'GET' ? 'HEAD' : 'GET', '/oauth/jwks')];
      const [get, head] = first === 'GET' ? answers : answers.toReversed();
      const { date: _, 'x-request-id': __, ...headers } = get?.headers ?? {};
      expect(head).toMatchObject({ status: 200, headers, text: '' });
      expect(get?.text).toContain('"keys"');
    }
  });

  test('the gateway’s own addresses answer every method alike', async () => {
    await each(
      takesAny,
      async (route) => {
        const methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'];
        return Promise.all(methods.map(async (method) => (await send(method, addressOf(route))).status));
      },
      Array.from({ length: 6 }, () => 403),
    );
  });

  test('A14: whatever it shows as a page has the headers of a page', async () => {
    const html = ['Accept', 'text/html'] as const;
    const wrong = [];
    for (const route of routes.filter(isServed))
      for (const method of ['GET', 'POST', 'PROPFIND']) {
        const { status, headers } = await send(method, addressOf(route), html);
        const redirects = status >= 300 && status < 400;
        if (redirects || !String(headers['content-type']).startsWith('text/html')) continue;
        const right =
          /^default-src 'none'.*frame-ancestors 'none'/.test(String(headers['content-security-policy'])) &&
          headers['x-frame-options'] === 'DENY' &&
          headers['x-content-type-options'] === 'nosniff' &&
          headers['referrer-policy'] === 'same-origin' &&
          String(headers['cache-control']).includes('no-store');
        if (!right) wrong.push(`${method} ${route.path}`);
      }
    expect(wrong).toEqual([]);
  });

  test('another spelling is 404', async () => {
    await each(
      ({ path }) => path !== '/' && !path.includes(':'),
      async (route) => {
        const spellings = [`${route.path}/`, route.path.toUpperCase(), `/${route.path}`];
        return Promise.all(spellings.map(async (spelling) => (await send('GET', spelling)).status));
      },
      [404, 404, 404],
    );
  });

  test('one that a setting switches off is 404, and stays in the table', async () => {
    const apart = await startServer({ env: { METRICS_PORT: '9', NODE_ENV: 'production', SURFACES: 'all' } });
    try {
      const off = apart.app.routes.filter((route) => !isServed(route)).map(({ path }) => path);
      const registration = ['/oauth/register', '/oauth/register/:client_id'];
      expect(off.sort()).toEqual([
        '/dev/mails',
        '/dev/mails/:mail',
        '/gallery',
        '/gallery/:view/:state',
        '/metrics',
        ...registration,
      ]);
      for (const path of off)
        expect([path, (await call(apart, { path: addressOf({ path }) })).status]).toEqual([path, 404]);
      expect(apart.app.routes.map(({ path }) => path)).toEqual(routes.map(({ path }) => path));
    } finally {
      await apart.close();
    }
  });
});

describe('who may call', () => {
  const own = (route: Route) => route.methods.find((method) => method !== 'HEAD') ?? 'GET';
  const statusOf = async (route: Route, ...headers: (readonly [string, string])[]) =>
    (await send(own(route), addressOf(route), ...headers)).status;
  const of = (access: string) => (route: Route) => route.access === access && isServed(route);

  test('developer: nothing is there for a request that was passed on', () =>
    each(of('developer'), (route) => statusOf(route, ['X-Forwarded-For', '192.0.2.7']), 404));

  test('session: without one, a page leads to the sign-in and a form is refused', () =>
    each(
      of('session'),
      async (route) => ({ GET: [303], POST: [400, 403, 415] })[own(route)]?.includes(await statusOf(route)),
      true,
    ));

  test('link: without its secret it is gone', () => each(of('link'), (route) => statusOf(route), 410));

  test('interaction: without its cookie there is none', () =>
    each(of('interaction'), async (route) => [303, 400].includes(await statusOf(route)), true));

  test('operator: without a key it is 401', () => each(of('operator'), (route) => statusOf(route), 401));

  test('a security scheme: without credentials it is refused', () =>
    each(
      (route) =>
        !['public', 'link', 'interaction', 'session', 'developer', 'operator'].includes(route.access) &&
        !/public/.test(route.access),
      async (route) => [400, 401].includes(await statusOf(route)),
      true,
    ));

  test('public: it is never 401 or 403', () =>
    each(
      (route) => of('public')(route) && own(route) === 'GET',
      async (route) => [401, 403].includes(await statusOf(route)),
      false,
    ));
});

describe('what answers is a row', () => {
  /** Every text in these folders that looks like an address. */
  function addressesIn(folders: readonly string[]): Set<string> {
    const found = new Set<string>();
    for (const folder of folders)
      for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
        // What a package of its own has installed is other people's.
        if (!/\.(ts|ejs|js|md)$/.test(file) || /(^|\/)(node_modules|\.python)\//.test(file)) continue;
        const text = readFileSync(join(root, folder, file), 'utf8');
        for (const [, address = ''] of text.matchAll(/["'`( ](\/[a-z.][\w./-]*)/gi))
          found.add(address.replace(/\.$/, ''));
      }
    return found;
  }

  /** What the engine serves by itself elsewhere. */
  const engine = ['auth', 'backchannel', 'challenge', 'device', 'jwks', 'me', 'par', 'reg', 'register', 'request'];
  const more = ['session/end', 'session/end/confirm', 'session/end/success', 'token/introspection', 'token/revocation'];

  test('no address that is named in the code, the views or the documents answers beside the table', async () => {
    const addresses = addressesIn(['src', 'views', 'public', 'docs', 'test', 'dev']);
    for (const name of [...engine, ...more])
      for (const base of ['', '/oauth', '/oidc']) addresses.add(`${base}/${name}`);
    expect(addresses.size).toBeGreaterThan(300);
    const patterns = routes.map(
      ({ path, pattern }) => pattern ?? new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`),
    );
    // What is forwarded belongs to the gateway's own table.
    const forwarded = /^\/(protected|write-data)(\/|$)/;
    const beside = [];
    let listed = 0;
    for (const path of addresses) {
      if (forwarded.test(path)) continue;
      if (patterns.some((pattern) => pattern.test(path))) listed += 1;
      else
        for (const method of ['GET', 'POST']) {
          const { status } = await send(method, path);
          if (status !== 404) beside.push(`${method} ${path}: ${status}`);
        }
    }
    expect(beside).toEqual([]);
    expect(listed).toBeGreaterThan(routes.length / 2);
  });

  test('one file alone makes routers, and Koa runs the table and the error handler alone', () => {
    const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const files = names.filter((name) => name.endsWith('.ts'));
    const text = (file: string) => readFileSync(join(root, 'src', file), 'utf8');
    expect(files.filter((file) => text(file).includes('koa-router'))).toEqual(['http/routes.ts']);
    const used = [...text('app.ts').matchAll(/\.use\((\w+)/g)].map(([, what]) => what);
    expect(used).toEqual(['errorHandler', 'serveRoutes']);
  });
});

test('docs/routes.md is this table', async () => {
  expect(readFileSync(join(root, 'docs/routes.md'), 'utf8')).toBe(routesReference(await wholeTable()));
});

describe('a table', () => {
  const page = (path: string) => pageRoutes('pages/x', [{ path, access: 'public', GET: () => {} }]);

  test('has each address once', () => {
    expect(() => createRouteTable([...page('/a'), ...page('/a')])).toThrow('two routes have the address /a');
  });

  test('gives another name all that its address has', () => {
    const table = createRouteTable([{ path: '/b', entry: 'api/x', sameAs: '/a' }, ...page('/a')]);
    expect(table.at('/b')).toEqual({ ...table.at('/a'), path: '/b', entry: 'api/x', sameAs: '/a' });
    expect(() => createRouteTable([{ path: '/b', entry: 'api/x', sameAs: '/c' }])).toThrow('of the unknown route');
  });

  test('finds an address with parameters, spelled as it is', () => {
    const table = createRouteTable([
      ...page('/a/:b'),
      ...page('/a/:b/c'),
      ...page('/a/b'),
      { path: '/x/:y', pattern: /^\/x\/[0-9]+$/, methods: ['GET'], access: 'public', entry: 'oidc' },
    ]);
    const found = ['/a/1', '/a/1/c', '/a/b', '/x/1', '/a/', '/a/1/', '/A/1', '/a/1/c/d', '/x/y', '/x', ''].map(
      table.at,
    );
    expect(found.map((route) => route?.path)).toEqual([
      ...['/a/:b', '/a/:b/c', '/a/b', '/x/:y'],
      ...Array(7).fill(undefined),
    ]);
    const parameters = (path: string) => {
      const route = table.at(path);
      return route && table.parameters(route, path);
    };
    expect(['/a/%41+', '/a/%zz/c', '/a/b'].map(parameters)).toEqual([{ b: 'A ' }, { b: '%zz' }, {}]);
  });

  test('makes one route of the rows of one path', () => {
    const [route, ...others] = pageRoutes('pages/x', [
      { path: '/a', access: 'public', POST: () => {} },
      { path: '/a', access: 'public', GET: () => {} },
    ]);
    expect([route?.methods, others]).toEqual([['HEAD', 'GET', 'POST'], []]);
  });

  test('does not serve what its condition switches off', () => {
    const off = { holds: false, says: 'in development' };
    const table = createRouteTable(pageRoutes('pages/x', [{ path: '/a', access: 'public', when: off, GET: () => {} }]));
    expect([table.at('/a'), table.routes.map(({ path }) => path)]).toEqual([undefined, ['/a']]);
  });
});
