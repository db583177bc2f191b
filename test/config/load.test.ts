import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/config.ts';
import { type Environment, loadConfig } from '../../src/config/load.ts';
import { describeMistakes, type Mistake } from '../../src/config/mistakes.ts';

const LONG = 'a-secret-of-more-than-32-characters';
const POSTGRES = 'postgres://gatehouse:hunter2@db:5432/gatehouse';
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function load(environment: Environment): Config {
  const loaded = loadConfig(environment);
  if (!loaded.ok) throw new Error(describeMistakes(loaded.mistakes));
  return loaded.config;
}

function mistakesOf(environment: Environment): readonly Mistake[] {
  const loaded = loadConfig(environment);
  return loaded.ok ? [] : loaded.mistakes;
}

const production = { NODE_ENV: 'production' };

test('S13: names in the form of an address and hidden accounts do not go together', () => {
  const both = { NAMES_WITH_AT: 'surfaces', HIDE_ACCOUNT_EXISTENCE: 'true' };
  expect(mistakesOf(both)).toMatchObject([
    { name: 'NAMES_WITH_AT', given: 'surfaces', wanted: 'off, because HIDE_ACCOUNT_EXISTENCE is true' },
  ]);
  expect(mistakesOf({ ...both, NAMES_WITH_AT: 'off' })).toEqual([]);
  expect(mistakesOf({ ...both, HIDE_ACCOUNT_EXISTENCE: 'false' })).toEqual([]);
  expect([load({}).namesWithAt, load({ NAMES_WITH_AT: 'surfaces' }).namesWithAt]).toEqual(['off', 'surfaces']);
  expect(mistakesOf({ NAMES_WITH_AT: 'all' })).toHaveLength(1);
});

describe('what is understood', () => {
  test('nothing set: development on loopback with SQLite', () => {
    expect(load({})).toMatchObject({
      development: true,
      production: false,
      issuer: 'http://localhost:3000',
      host: 'localhost',
      port: 3000,
      dataDir: resolve('data'),
      database: { kind: 'sqlite', file: resolve('data/gatehouse.sqlite') },
      redis: undefined,
      secretKey: undefined,
      adminKeys: [],
      surfaces: 'all',
      trustProxy: { kind: 'off' },
      lifetimes: {
        accessToken: 600,
        refreshToken: 2_592_000,
        refreshTokenIdle: 2_592_000,
        refreshReuseWindow: 10,
        clientRefreshReuse: { publicClients: 60, dynamicClients: 60 },
        idToken: 3600,
        authorizationCode: 60,
        session: 1_209_600,
        interaction: 3600,
        clientSecretOverlap: 86_400,
      },
    });
  });

  test('NODE_ENV=production alone', () => {
    expect(load({ NODE_ENV: 'production', PORT: '8080' })).toMatchObject({
      production: true,
      development: false,
      issuer: 'http://localhost:8080',
      host: 'localhost',
    });
  });

  test('R11: what is open in production has been asked for', () => {
    expect(load({})).toMatchObject({ surfaces: 'all', signUp: 'open' });
    expect(load({ NODE_ENV: 'production' })).toMatchObject({ surfaces: 'unset', signUp: 'invite' });
    expect(load({ NODE_ENV: 'production', SURFACES: 'all', SIGN_UP: 'open' })).toMatchObject({
      surfaces: 'all',
      signUp: 'open',
    });
  });

  const cases: readonly (readonly [Environment, object])[] = [
    [
      { PORT: '', ISSUER: '  ' },
      { port: 3000, issuer: 'http://localhost:3000' },
    ],
    [{ ...production, ISSUER: 'https://ID.example.com/' }, { issuer: 'https://id.example.com' }],
    [{ ...production, ISSUER: 'https://id.example.com:443' }, { issuer: 'https://id.example.com' }],
    [{ NODE_ENV: 'production', ISSUER: 'http://127.0.0.1:3000' }, { issuer: 'http://127.0.0.1:3000' }],
    [{ NODE_ENV: 'production', ISSUER: 'http://[::1]:3000' }, { issuer: 'http://[::1]:3000' }],
    [{ NODE_ENV: 'production', ISSUER: 'http://gate.localhost' }, { issuer: 'http://gate.localhost' }],
    [
      { DATABASE_URL: POSTGRES, SECRET_KEY: LONG, WORKERS: '4', MIGRATE: 'true' },
      { database: { kind: 'postgres', url: POSTGRES, pool: 10, pooler: 'auto' }, workers: 4, migrate: true },
    ],
    [{ REDIS_URL: 'rediss://r:6379/2' }, { redis: { url: 'rediss://r:6379/2', prefix: 'gatehouse:' } }],
    [{ ADMIN_KEY: 'sixteen-letters-1, sixteen-letters-2' }, { adminKeys: ['sixteen-letters-1', 'sixteen-letters-2'] }],
    [{ SURFACES: 'none' }, { surfaces: [] }],
    [{}, { password: { minLength: 15, minLengthSecondFactor: 8, breachedUrl: undefined } }],
    [
      { PASSWORD_MIN_LENGTH: '10', PASSWORD_MIN_LENGTH_SECOND_FACTOR: '12' },
      { password: { minLength: 10, minLengthSecondFactor: 10 } },
    ],
    [
      { BREACHED_PASSWORDS_URL: 'http://localhost:8080/range' },
      { password: { breachedUrl: 'http://localhost:8080/range' } },
    ],
    [{ SURFACES: 'identity, tinyoauth' }, { surfaces: ['identity', 'tinyoauth'] }],
    [{ TRUST_PROXY: '2' }, { trustProxy: { kind: 'hops', hops: 2 } }],
    [{ TRUST_PROXY: '10.0.0.0/8, ::1' }, { trustProxy: { kind: 'addresses', addresses: ['10.0.0.0/8', '::1'] } }],
    [{ REFRESH_TOKEN_TTL: '3600' }, { lifetimes: { refreshToken: 3600, refreshTokenIdle: 3600 } }],
    [
      { REFRESH_REUSE_WINDOW: '0' },
      { lifetimes: { refreshReuseWindow: 0, clientRefreshReuse: { publicClients: 0, dynamicClients: 0 } } },
    ],
    [
      { CLIENT_REFRESH_REUSE_WINDOW: '5', DYNAMIC_CLIENT_REFRESH_REUSE_WINDOW: '900' },
      { lifetimes: { refreshReuseWindow: 10, clientRefreshReuse: { publicClients: 5, dynamicClients: 900 } } },
    ],
    [{ KEY_ROTATION_DAYS: '0' }, { keys: { rotationDays: 0, jwksMaxAge: 3600 } }],
    [{ SECRET_KEY_FILE: fileWith('key', `${LONG}\n`) }, { secretKey: LONG }],
    [{ SECRET_KEY: LONG, SECRET_KEY_FILE: '' }, { secretKey: LONG }],
    [{}, { metrics: { port: undefined, host: '127.0.0.1', tokens: [] } }],
    [{ METRICS_PORT: '9464', METRICS_HOST: '::1' }, { metrics: { port: 9464, host: '::1', tokens: [] } }],
    [
      { METRICS_PORT: '9464', METRICS_HOST: '0.0.0.0', METRICS_TOKEN: 'the-old-token-0123, the-new-token-0123' },
      { metrics: { host: '0.0.0.0', tokens: ['the-old-token-0123', 'the-new-token-0123'] } },
    ],
    [{}, { mail: { smtp: undefined } }],
    [
      {
        ...production,
        SMTP_URL: 'smtp://u:p@mail.example.com?tls=required',
        ISSUER: 'https://id.example.com',
        BRAND_NAME: 'A, <B>',
      },
      { mail: { smtp: { from: 'A   B <no-reply@id.example.com>', replyTo: undefined } } },
    ],
    [
      { SMTP_URL: 'smtps://[::1]:4650', MAIL_FROM: 'É x <a@b.example>' },
      { mail: { smtp: { from: 'É x <a@b.example>' } } },
    ],
  ];
  test.each(cases)('%j', (environment, expected) => {
    expect(load(environment)).toMatchObject(expected);
  });

  test('the result is frozen all the way down', () => {
    const config = load({ TRUST_PROXY: '::1' });
    const parts = [config, config.lifetimes, config.database, config.trustProxy, config.adminKeys];
    expect(parts.every(Object.isFrozen)).toBe(true);
  });
});

describe('what is refused', () => {
  const cases: readonly (readonly [string, Environment])[] = [
    ...['ftp://x', 'id.example.com', 'https://x/path', 'https://x?', 'https://x#', 'https://u:p@x', 'https://x//'].map(
      (ISSUER) => ['ISSUER', { ISSUER }] as const,
    ),
    ['ISSUER', { NODE_ENV: 'production', ISSUER: 'http://id.example.com' }],
    ['ISSUER', { NODE_ENV: 'production', ISSUER: 'http://localhost.example.com' }],
    ['ISSUER', { NODE_ENV: 'production', ISSUER: 'http://127.0.0.1.example.com' }],
    ['NODE_ENV', { NODE_ENV: 'prodution' }],
    ['PORT', { PORT: '0' }],
    ['PORT', { PORT: '65536' }],
    ['PORT', { PORT: '3000.5' }],
    ['PORT', { PORT: '1e3' }],
    ['PORT', { PORT: '-1' }],
    ['HOST', { HOST: 'a b' }],
    ['WORKERS', { WORKERS: '2' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://db/x', SECRET_KEY: LONG }],
    ['REDIS_URL', { REDIS_URL: 'localhost:6379' }],
    ['REDIS_URL', { REDIS_URL: 'redis://:100%safe@localhost' }],
    ['SECRET_KEY', { DATABASE_URL: POSTGRES }],
    ['SECRET_KEY', { SECRET_KEY: 'short' }],
    ['SECRET_KEY_FILE', { SECRET_KEY: LONG, SECRET_KEY_FILE: fileWith('both', LONG) }],
    ['SECRET_KEY_FILE', { SECRET_KEY_FILE: join(folder, 'missing') }],
    ['SECRET_KEY_FILE', { SECRET_KEY_FILE: folder }],
    ['SECRET_KEY_FILE', { SECRET_KEY_FILE: fileWith('empty', '\n') }],
    ['ADMIN_KEY', { ADMIN_KEY: 'long-enough-for-a-key,short' }],
    ['ADMIN_KEY', { ADMIN_KEY: ',' }],
    ['SURFACES', { SURFACES: 'Identity' }],
    ['GATEWAY_ROUTES', { GATEWAY_ROUTES: join(folder, 'missing') }],
    ['VIEWS_DIR', { VIEWS_DIR: fileWith('a-file', '') }],
    ['DATA_DIR', { DATA_DIR: fileWith('another-file', '') }],
    ['MIGRATE', { MIGRATE: 'maybe' }],
    ['SIGN_UP', { SIGN_UP: 'closed' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['AUTHORIZATION_CODE_TTL', { AUTHORIZATION_CODE_TTL: '601' }],
    ['ACCESS_TOKEN_TTL', { ACCESS_TOKEN_TTL: '0' }],
    ['REFRESH_REUSE_WINDOW', { REFRESH_REUSE_WINDOW: '61' }],
    ['CLIENT_REFRESH_REUSE_WINDOW', { CLIENT_REFRESH_REUSE_WINDOW: '61' }],
    ['DYNAMIC_CLIENT_REFRESH_REUSE_WINDOW', { DYNAMIC_CLIENT_REFRESH_REUSE_WINDOW: '901' }],
    ['REFRESH_TOKEN_IDLE_TTL', { REFRESH_TOKEN_IDLE_TTL: '3600', REFRESH_TOKEN_TTL: '600' }],
    ['JWKS_MAX_AGE', { JWKS_MAX_AGE: '9' }],
    ['METRICS_PORT', { METRICS_PORT: '3000' }],
    ...['0.0.0.0', '::', '10.0.0.5', 'metrics.example.com', 'localhost.example.com'].map(
      (METRICS_HOST) => ['METRICS_TOKEN', { METRICS_PORT: '9464', METRICS_HOST }] as const,
    ),
    ['METRICS_TOKEN', { METRICS_TOKEN: 'short' }],
    ['METRICS_HOST', { METRICS_HOST: 'localhost' }],
    ['METRICS_HOST', { METRICS_HOST: '0.0.0.0', METRICS_TOKEN: 'a-token-of-the-monitoring' }],
    ['PASSWORD_MIN_LENGTH_SECOND_FACTOR', { PASSWORD_MIN_LENGTH_SECOND_FACTOR: '7' }],
    ...['http://pwned.example.com/range/', 'https://x/range?q=', 'ftp://x/'].map(
      (BREACHED_PASSWORDS_URL) => ['BREACHED_PASSWORDS_URL', { BREACHED_PASSWORDS_URL }] as const,
    ),
    ...['on', '0', '11', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', 'proxy.local'].map(
      (TRUST_PROXY) => ['TRUST_PROXY', { TRUST_PROXY }] as const,
    ),
    ['BRAND_NAME', { BRAND_NAME: 'two\nlines' }],
    ...[
      'mail.example.com',
      'http://mail',
      'smtp://',
      'smtp://mail?tls=off',
      'smtp://mail?x=1',
      'smtp://mail/x',
      'smtp://u:5%@mail',
    ].map((SMTP_URL) => ['SMTP_URL', { SMTP_URL }] as const),
    ...['Example', 'a@b, c@d', 'A <a@b> <c@d>', 'A <a@b>\r\nBcc: c@d', 'a b@c', '"A" <a@b>'].map(
      (MAIL_FROM) => ['MAIL_FROM', { MAIL_FROM }] as const,
    ),
    ['RESET_LINK_TTL', { RESET_LINK_TTL: '86401' }],
  ];
  test.each(cases)('%s %j', (name, environment) => {
    expect(mistakesOf(environment).map((mistake) => mistake.name)).toEqual([name]);
  });

  test('all mistakes at once, and none that only follows from another', () => {
    const environment = { PORT: 'x', LOG_LEVEL: 'loud', WORKERS: '2', DATABASE_URL: 'mysql://db', METRICS_PORT: '80' };
    expect(
      mistakesOf(environment)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['DATABASE_URL', 'LOG_LEVEL', 'PORT']);
  });

  test('R10: a rule is asked although other settings are broken, and is silent only about its own', () => {
    const environment = { PORT: 'x', WORKERS: '4', METRICS_PORT: '9464', METRICS_HOST: '0.0.0.0', SECRET_KEY: 'short' };
    expect(mistakesOf(environment).map(({ name }) => name)).toEqual(['PORT', 'SECRET_KEY', 'WORKERS', 'METRICS_TOKEN']);
  });

  const mistaken: readonly Environment[] = [
    { WORKERS: '4' },
    { PORT: '9464', METRICS_PORT: '9464' },
    { REFRESH_TOKEN_IDLE_TTL: '604800', REFRESH_TOKEN_TTL: '3600' },
    { GATEWAY_ROUTES: '/etc/gatehouse/routes.yaml' },
    { UPSTREAMS: '/etc/gatehouse/upstreams.yaml' },
    { BRAND_LOGO: '/etc/gatehouse/logo.svg' },
    { VIEWS_DIR: '/etc/gatehouse/views' },
    { METRICS_HOST: '0.0.0.0', METRICS_TOKEN: 'a-token-of-the-monitoring' },
  ];
  test.each(mistaken)('R10: the example for %j is another value', (environment) => {
    const [mistake, ...more] = mistakesOf(environment);
    const refused = environment[mistake?.name ?? ''] ?? '';
    expect(more).toEqual([]);
    expect(mistake?.given).toBe(refused);
    expect(mistake?.example).not.toBe(refused);
    expect(describeMistakes(mistake ? [mistake] : [])).not.toContain(`example  ${mistake?.name}=${refused}\n`);
  });

  test('R10: the example of a rule is taken', () => {
    const ways = /^WORKERS=1, or (DATABASE_URL=\S+) as well$/.exec(
      mistakesOf({ WORKERS: '4' })[0]?.example.replaceAll('`', '') ?? '',
    );
    const [, url = ''] = ways?.[1]?.split('DATABASE_URL=') ?? [];
    expect(load({ WORKERS: '4', DATABASE_URL: url, SECRET_KEY: LONG }).workers).toBe(4);
    const idle = { REFRESH_TOKEN_TTL: '3600', REFRESH_TOKEN_IDLE_TTL: '604800' };
    const shorter = mistakesOf(idle)[0]?.example ?? '';
    expect(load({ ...idle, REFRESH_TOKEN_IDLE_TTL: shorter }).lifetimes.refreshTokenIdle).toBe(3600);
  });

  test('R10: variables that were probably meant as settings are in the report of the mistakes', () => {
    const loaded = loadConfig({ PORT: 'x', SESION_TTL: '1h', HOME: '/root' });
    if (loaded.ok) throw new Error('the port was taken');
    expect(describeMistakes(loaded.mistakes, loaded.warnings)).toContain(
      'These variables are not read:\n  SESION_TTL is not a setting. Did you mean SESSION_TTL?\n\n',
    );
  });

  test('the report reads well, shows no secret and cannot steer a terminal', () => {
    const report = describeMistakes(
      mistakesOf({
        PORT: '\u001b[2Jx',
        SECRET_KEY: 'hunter2',
        DATABASE_URL: 'mysql://root:hunter3@db',
        ISSUER: 'https://root:a/hunter4@id.example.com',
      }),
    );
    expect(report).toContain('4 settings need a change:');
    expect(report).toContain('given    a value of 7 characters (not shown)');
    expect(report).toContain('example  PORT=8080');
    expect(report).not.toContain('hunter');
    expect(report).not.toContain('\u001b');
  });
});

describe('variables that look like a setting', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['ISSUERS', 'ISSUER'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['ADMIN_KEYS', 'ADMIN_KEY'],
    ['AUTHORISATION_CODE_TTL', 'AUTHORIZATION_CODE_TTL'],
    ['SECERT_KEY', 'SECRET_KEY'],
    ['SESION_TTL', 'SESSION_TTL'],
    ['PROT', 'PORT'],
    ['ISUSER', 'ISSUER'],
    ['PORT_FILE', 'PORT'],
    ['HOME', undefined],
    ['PATH', undefined],
    ['HOSTNAME', undefined],
    ['NODE_PATH', undefined],
    ['TEST_REDIS_URL', undefined],
    ['npm_config_port', undefined],
  ];
  test.each(cases)('%s', (name, meant) => {
    const loaded = loadConfig({ [name]: 'x' });
    const warnings = loaded.ok ? loaded.warnings : undefined;
    expect(warnings).toEqual(meant === undefined ? [] : [expect.stringContaining(meant)]);
  });
});
