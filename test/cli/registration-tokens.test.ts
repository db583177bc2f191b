/** `registration-tokens` through its life, and what `clients` says of a client that used one, over one SQLite file. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openSql } from '../../src/storage/sql/open.ts';
import { registering } from '../oidc/registering.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { commandLine } from './command-line.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-'));
const cli = commandLine({ DATA_DIR: dataDir, ISSUER: 'http://localhost:3999' }, { fresh: true });
let server: TestServer;
beforeAll(async () => {
  await cli.json('migrate', 'up');
  server = await startServer({ dataDir, env: { REGISTRATION: 'token', ISSUER: 'http://localhost:3999' } });
});
afterAll(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Shown {
  readonly id: string;
  readonly uses: number;
  readonly initial_access_token?: string;
}
const agent = {
  ...{ client_name: 'Book agent', redirect_uris: ['https://agent.example.com/cb'], token_endpoint_auth_method: 'none' },
};

test('made, shown once, used, listed, revoked; each is audited, and only a hash is stored', async () => {
  expect((await cli('registration-tokens', 'list')).out).toBe('There are no initial access tokens.\n');
  const policy = ['--scope', 'openid', '--redirect-host', '*.example.com', '--redirect-scheme', 'acme'];
  const made = await cli.json<Shown>('registration-tokens', 'create', '--label', 'team', '--uses', '2', ...policy);
  const value = made.initial_access_token ?? '';
  expect(value).toMatch(/^gatehouse_iat_[\w-]{43}$/);
  expect(made).toMatchObject({
    ...{ label: 'team', uses: 0, uses_max: 2, scopes: ['openid'], redirect_hosts: ['*.example.com'] },
    ...{ redirect_schemes: ['acme'], grant_types: null, reviewed: false, last_used_at: null },
  });
  const { status, body } = await registering(server, agent, value);
  expect([status, body.scope]).toEqual([201, 'openid']);

  const [listed] = await cli.json<Shown[]>('registration-tokens', 'list');
  expect(listed).toMatchObject({ id: made.id, uses: 1, last_used_at: expect.any(Number) });
  expect(listed).not.toHaveProperty('initial_access_token');
  expect((await cli('registration-tokens', 'list')).out).toMatch(/team +1 of 2 .* unreviewed/);
  const clients = await cli('clients', 'list');
  expect(clients.out).toMatch(/Book agent +none +enabled +unreviewed +dynamic/);
  const id = String(body.client_id);
  const times = { initial_token: made.id, last_used_at: null };
  const issuedAt = Number(body.client_id_issued_at);
  const show = () => cli.json('clients', 'show', id);
  expect(await show()).toMatchObject({ origin: 'dynamic', reviewed_at: null, ...times, expires_at: issuedAt + 86_400 });
  await server.core.stores.registrations.touch([{ clientId: id, at: issuedAt + 5 }]);
  expect(await show()).toMatchObject({ last_used_at: issuedAt + 5, expires_at: issuedAt + 5 + 90 * 86_400 });
  expect((await cli('clients', 'show', id)).out).toMatch(/Last token +\d{4}-.*UTC\n +Expires +\d{4}-/);
  await cli.json('clients', 'review', id);
  expect((await cli('clients', 'show', id)).out).toContain('never, because it is reviewed');
  expect((await server.core.stores.clients.find(id))?.reviewedAt).toEqual(expect.any(Number));

  expect(await cli.json('registration-tokens', 'revoke', made.id)).toEqual({ id: made.id, revoked: true });
  const again = await cli('registration-tokens', 'revoke', made.id);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('registration-tokens list')]);
  expect((await registering(server, agent, value)).status).toBe(401);
  expect(await server.core.stores.clients.find(id)).toBeDefined();

  const stores = await openSql({ kind: 'sqlite', file: join(dataDir, 'gatehouse.sqlite') });
  for (const event of ['registration_token.made', 'registration_token.revoked'])
    expect(await stores.audit.list({ event }, 10)).toMatchObject([{ detail: { via: 'cli', token: made.id } }]);
  await stores.close();
  for (const name of readdirSync(dataDir))
    if (name.startsWith('gatehouse.sqlite')) expect(readFileSync(join(dataDir, name)).includes(value)).toBe(false);
});

test('without a word it works once and for 30 days; --unlimited and --reviewed say so', async () => {
  const plain = await cli('registration-tokens', 'create');
  expect(plain.out).toMatch(/Initial access token +gatehouse_iat_[\w-]+ {2}\(shown this once/);
  expect(plain.out).toMatch(/Uses +0 of 1\n/);
  expect(plain.out).toContain('REGISTRATION is off: no client can use it yet.');
  const made = await cli.json<{ created_at: number; expires_at: number }>(
    'registration-tokens',
    'create',
    '--unlimited',
    '--reviewed',
  );
  expect(made).toMatchObject({ uses_max: null, reviewed: true });
  expect(made.expires_at - made.created_at).toBe(30 * 86_400);
});

test('options that cannot work are refused, and say what would', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--uses', '3', '--unlimited'], /--uses and --unlimited contradict each other/],
    [['--redirect-scheme', 'javascript'], /--redirect-scheme must not have a scheme that browsers/],
    [['--redirect-scheme', 'acme:'], /--redirect-scheme: wanted schemes/],
    [['--redirect-host', 'https://example.com'], /--redirect-host: wanted host names/],
    [['--grant-type', 'password'], /--grant-type: wanted one of authorization_code/],
    [['--scope', 'a"b'], /--scope: wanted scopes/],
  ];
  for (const [options, words] of cases) {
    const { code, err } = await cli('registration-tokens', 'create', ...options);
    expect([options, code, err]).toEqual([options, 2, expect.stringMatching(words)]);
  }
});
