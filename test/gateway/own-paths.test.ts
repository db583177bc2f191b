/** P15: no route of the table gets in the way of an address at which this server answers itself. */
import { describe, expect, test } from '@jest/globals';
import { ownPlaceAt, ownPlaces } from '../../src/gateway/own-paths.ts';
import { call } from '../support/call.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { routesFile, startGateway } from './world.ts';

const production = { NODE_ENV: 'production', ISSUER: 'https://id.example.com' };
const modes: [string, Record<string, string>][] = [
  ['development', {}],
  ['production', { ...production, SURFACES: 'all' }],
];
/** Some are served in one of the two modes only. */
const known = [
  ...['/dev/mails', '/gallery', '/gallery/x/x', '/playground', '/metrics', '/oauth/authorize/x', '/token'],
  ...['/gateway/verify', '/gateway/verify/token', '/forgot', '/reset', '/invite', '/verify-email', '/openapi.json'],
  '/register',
];

/** Every route of the running server, with something in place of its parameters. */
const routesOf = ({ app }: TestServer): string[] =>
  app.routes.map(({ path }) => path.replaceAll(/:\w+/g, 'x')).filter((path) => path !== '/');

const tokens = ['identity'];
const refusedIn = (text: string): string[] =>
  [...text.matchAll(/given {4}(\S+)\s+wanted {3}another path: this server answers/g)].map(([, given]) => String(given));

async function placesOf(env: Record<string, string>): Promise<readonly string[]> {
  const server = await startServer({ env });
  await server.close();
  return ownPlaces(server.app.routes.map(({ path }) => path));
}

describe.each(modes)('in %s', (_mode, env) => {
  test('P15: a route over, under or beside each route of the running server is refused, at SIGHUP and at the start', async () => {
    const server = await startGateway([], env);
    try {
      const paths = routesOf(server);
      expect(paths.length).toBeGreaterThan(60);
      expect(paths).toEqual(expect.arrayContaining(known));
      const prefixes = paths.flatMap((path) => [path, `${path}/below`, path.toUpperCase()]);
      const parents = paths.map((path) => `/${path.split('/')[1]}`);
      const all = [...new Set([...prefixes, ...parents])];

      const refused = [];
      // One at a time: a line of the log has an end.
      for (const prefix of all) {
        server.write([{ prefix, tokens }]);
        await server.app.reloadRoutes();
        const line = server.logged.findLast((each) => each.includes('the previous table stays in use')) ?? '';
        refused.push(...refusedIn(line.replaceAll('\\n', '\n')));
      }
      expect(refused).toEqual(all);
      // The pages are still there.
      expect((await call(server, { path: '/openapi.json' })).status).toBe(200);

      const { file, remove } = routesFile(all.map((prefix) => ({ prefix, tokens })));
      const failure = await startServer({ env: { ...env, GATEWAY_ROUTES: file } }).then(
        () => '',
        (error: Error) => error.message,
      );
      remove();
      expect(refusedIn(failure).sort()).toEqual(all.toSorted());
    } finally {
      await server.close();
    }
  });
});

test('P15: what is refused is the same in development, in production and with METRICS_PORT', async () => {
  const development = await placesOf({});
  expect(await placesOf({ ...production, SURFACES: 'all' })).toEqual(development);
  expect(await placesOf({ METRICS_PORT: '9' })).toEqual(development);
  expect(development).toEqual(
    expect.arrayContaining(['/dev/mails', '/dev/security', '/gallery', '/metrics', '/forgot']),
  );
  for (const place of development) expect(place).toBe(place.toLowerCase());
});

test('P15: the paths of a surface that is switched off are free, and no others', async () => {
  const free = [
    '/v1/x',
    '/login',
    '/token',
    '/client',
    '/security',
    '/dev/security',
    '/space-guard',
    '/user',
    '/clients',
  ];
  const everything = await placesOf({});
  const none = await placesOf({ SURFACES: 'none' });
  for (const path of free) {
    expect([path, ownPlaceAt(path, everything)]).toEqual([path, expect.any(String)]);
    expect([path, ownPlaceAt(path, none)]).toEqual([path, undefined]);
  }
  for (const path of ['/oauth', '/account', '/forgot', '/.well-known/x', '/gateway', '/openapi.json', '/admin'])
    expect([path, ownPlaceAt(path, none)]).toEqual([path, expect.any(String)]);
  const server = await startGateway([{ prefix: '/v1', tokens: ['oauth'], audience: 'a' }], {
    SURFACES: 'oauth-clients',
  });
  expect((await call(server, { path: '/v1/x' })).status).toBe(401);
  await server.close();
});

test.each([
  '/v10',
  '/loginx',
  '/dev/api',
  '/dev',
  '/staging',
  '/protected',
  '/protected/x',
  '/write-data',
  '/users',
  '/oauth2',
])('P15: %s is free, unless something of this server lies below it', async (prefix) => {
  const found = ownPlaceAt(prefix, await placesOnce());
  expect(found === undefined).toBe(!['/dev', '/staging'].includes(prefix));
});

let once: Promise<readonly string[]> | undefined;
function placesOnce(): Promise<readonly string[]> {
  once ??= placesOf({});
  return once;
}
