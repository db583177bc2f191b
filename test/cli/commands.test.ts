/** Each noun once through its life, over one SQLite file, without a server. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSql } from '../../src/storage/sql/open.ts';
import { commandLine } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
const dataDir = join(folder, 'data');
const cli = commandLine({ DATA_DIR: dataDir, ISSUER: 'http://localhost:3999' }, { fresh: true, own: 'first' });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function audited(event: string) {
  const stores = await openSql({ kind: 'sqlite', file: join(dataDir, 'gatehouse.sqlite') });
  try {
    return await stores.audit.list({ event }, 100);
  } finally {
    await stores.close();
  }
}

/** Everything the database holds, also what has not left its log yet. */
const stored = (): string =>
  readdirSync(dataDir)
    .map((name) => readFileSync(join(dataDir, name), 'latin1'))
    .join('');

interface ClientJson {
  client_id: string;
  client_secret?: string;
  require_pkce: boolean;
  disabled_at: number | null;
  [member: string]: unknown;
}

describe('migrate', () => {
  test('status, up, down', async () => {
    const elsewhere = commandLine({ DATA_DIR: join(folder, 'other') }, { own: 'first' });
    expect((await elsewhere('migrate', 'status')).code).toBe(1);
    await elsewhere.json('migrate', 'up', '--to', '0001');
    const before = await elsewhere.json<{ applied: string[]; pending: string[] }>('migrate', 'status');
    expect(before.applied).toEqual(['0001-tables']);
    expect(await elsewhere.json('migrate', 'up')).toEqual({ applied: before.pending });
    expect((await elsewhere('migrate', 'up')).out).toBe('The database is up to date.\n');
    expect(await elsewhere.json('migrate', 'down')).toEqual({ takenBack: before.pending.slice(-1) });
    expect((await elsewhere('migrate', 'up', '--to', '9999')).code).toBe(1);
  });
});

describe('clients', () => {
  let made: ClientJson;
  beforeAll(async () => {
    made = await cli.json<ClientJson>(
      'clients',
      'register',
      '--name',
      'Bookshelf',
      '--redirect-uri',
      'https://app.example.com/cb',
      '--redirect-uri',
      'https://app.example.com/cb2',
    );
  });

  test('register: what was asked for, the secret once, PKCE as the client likes', async () => {
    expect(made).toMatchObject({
      client_name: 'Bookshelf',
      redirect_uris: ['https://app.example.com/cb', 'https://app.example.com/cb2'],
      require_pkce: false,
      origin: 'cli',
    });
    expect(made.client_secret).toMatch(/^[\w-]{43}$/);
    expect((await cli('clients', 'show', made.client_id, '--json')).out).not.toContain(made.client_secret);
    expect(stored()).not.toContain(made.client_secret);
    expect(await audited('client.registered')).toMatchObject([{ clientId: made.client_id, detail: { via: 'cli' } }]);
  });

  test('register in words marks the secret', async () => {
    const { code, out } = await cli(
      'clients',
      'register',
      '--name',
      'Words',
      '--redirect-uri',
      'https://w.example.com/cb',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/Client secret +[\w-]{43} {2}\(shown this once/);
  });

  test('register takes a file, standard input, and options that win over them', async () => {
    const file = join(folder, 'client.json');
    writeFileSync(
      file,
      JSON.stringify({ client_name: 'From a file', redirect_uris: ['https://f.example.com/cb'], skip_consent: true }),
    );
    const fromFile = await cli(
      'clients',
      'register',
      '--file',
      file,
      '--name',
      'Renamed',
      '--public',
      '--id',
      'renamed',
    );
    expect(fromFile).toMatchObject({ code: 0, err: 'Not used: skip_consent.\n' });
    expect(fromFile.out).not.toContain('secret');
    const shown = await cli.json<ClientJson>('clients', 'show', 'renamed');
    expect(shown).toMatchObject({
      client_name: 'Renamed',
      redirect_uris: ['https://f.example.com/cb'],
      token_endpoint_auth_method: 'none',
    });
    expect(shown).not.toHaveProperty('skip_consent');
    const metadata = JSON.stringify({ client_id: 'piped', grant_types: ['client_credentials'] });
    const piped = await cli.fed(metadata, 'clients', 'register', '--file', '-', '--no-require-pkce', '--json');
    expect(JSON.parse(piped.out)).toMatchObject({ client_id: 'piped', require_pkce: false });
    expect(await cli.fed('{', 'clients', 'register', '--file', '-')).toMatchObject({ code: 2, out: '' });
  });

  test('S11: review, and its end; show and list say which applications are reviewed', async () => {
    const id = made.client_id;
    const says = async () => {
      const shown = await cli('clients', 'show', id);
      const list = await cli('clients', 'list');
      return [
        /Review +(\S+)/.exec(shown.out)?.[1],
        list.out
          .split('\n')
          .find((line) => line.startsWith(id))
          ?.match(/(un)?reviewed/)?.[0],
        typeof (await cli.json<ClientJson>('clients', 'show', id)).reviewed_at,
      ];
    };
    expect(await says()).toEqual(['reviewed', 'reviewed', 'number']);
    const taken = await cli('clients', 'review', id, '--revoke');
    expect(taken).toMatchObject({ code: 0, out: `Bookshelf (${id}) is unreviewed.\n` });
    expect(await says()).toEqual(['unreviewed', 'unreviewed', 'object']);
    expect((await cli.json<ClientJson>('clients', 'review', id)).reviewed_at).toEqual(expect.any(Number));
    expect(await says()).toEqual(['reviewed', 'reviewed', 'number']);
    for (const event of ['client.reviewed', 'client.review_revoked'])
      expect(await audited(event)).toMatchObject([{ clientId: id, detail: { via: 'cli' } }]);
    expect(await cli('clients', 'review', 'nobody')).toMatchObject({ code: 1, out: '' });
  });

  test('rotate, disable, enable, delete', async () => {
    const id = made.client_id;
    const rotated = await cli.json<ClientJson>('clients', 'rotate', id);
    expect(rotated.client_secret).not.toBe(made.client_secret);
    expect(rotated.secrets).toHaveLength(2);
    expect((await cli.json<ClientJson>('clients', 'disable', id)).disabled_at).toEqual(expect.any(Number));
    expect((await cli.json<ClientJson>('clients', 'enable', id)).disabled_at).toBeNull();
    expect(await cli.json('clients', 'delete', id)).toEqual({ client_id: id, deleted: true });
    expect(await cli.json<ClientJson[]>('clients', 'list')).not.toContainEqual(
      expect.objectContaining({ client_id: id }),
    );
    for (const event of ['client.secret_rotated', 'client.disabled', 'client.enabled', 'client.deleted']) {
      expect(await audited(event)).toMatchObject([{ clientId: id, detail: { via: 'cli' } }]);
    }
  });

  test('--consent says when people are asked; show tells it; never ends with the review', async () => {
    const register = (policy: string) =>
      cli(
        'clients',
        'register',
        '--name',
        'Own shop',
        '--redirect-uri',
        'https://shop.example/cb',
        '--consent',
        policy,
      );
    const policyIn = ({ out }: { out: string }) => /Consent +(.+)/.exec(out)?.[1];
    expect(policyIn(await register('always'))).toBe('always asked for');
    const never = await register('never');
    expect(policyIn(never)).toBe('never asked for');
    const id = /Client id +(\S+)/.exec(never.out)?.[1] ?? '';
    expect(await cli.json('clients', 'show', id)).toMatchObject({ consent: 'never' });
    await cli('clients', 'review', id, '--revoke');
    expect(policyIn(await cli('clients', 'show', id))).toBe('asked for what is new');
    expect(await register('sometimes')).toMatchObject({ code: 2, out: '' });
    for (const client of await cli.json<ClientJson[]>('clients', 'list'))
      if (client.client_name === 'Own shop') await cli('clients', 'delete', client.client_id, '--yes');
  });

  test('a refusal is one line of JSON on standard error, and exit code 1', async () => {
    const refused = await cli(
      'clients',
      'register',
      '--name',
      'Bad',
      '--redirect-uri',
      'http://app.example.com/cb',
      '--json',
    );
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(JSON.parse(refused.err)).toMatchObject({
      error: 'invalid_redirect_uri',
      message: expect.stringContaining('https'),
    });
    const unknown = await cli('clients', 'show', 'nobody', '--json');
    expect(JSON.parse(unknown.err)).toMatchObject({ error: 'not_found' });
  });
});

test('apis: add, list, remove, and back in from the list', async () => {
  const api = {
    identifier: 'https://orders.example.com',
    name: 'Orders',
    scopes: [
      { name: 'orders:read', sentence: 'See your orders.', default: true, optional: false, held: false, bearer: false },
    ],
    tokenFormat: 'opaque',
    tokenTyp: 'at+jwt',
    signingAlg: 'ES256',
    tokenLifetime: 60,
    introspectors: ['piped'],
    mcpServer: false,
  };
  const options = [
    '--name',
    'Orders',
    '--scope',
    'orders:read=See your orders.',
    '--default',
    'orders:read',
    '--token-format',
    'opaque',
    '--token-lifetime',
    '60',
    '--introspector',
    'piped',
  ];
  expect(await cli.json('apis', 'add', api.identifier, ...options)).toEqual(api);
  const [builtIn, added] = await cli.json<(typeof api)[]>('apis', 'list');
  expect(builtIn?.identifier).toBe('http://localhost:3999/user');
  expect(added).toEqual(api);
  expect(await cli.json('apis', 'remove', api.identifier)).toEqual({ identifier: api.identifier, removed: true });
  expect((await cli('apis', 'remove', api.identifier)).code).toBe(1);
  expect((await cli('apis', 'remove', 'http://localhost:3999/user')).code).toBe(1);
  expect(JSON.parse((await cli.fed(JSON.stringify(added), 'apis', 'add', '--file', '-', '--json')).out)).toEqual(api);
  expect(await audited('api.added')).toHaveLength(2);
  expect(await audited('api.removed')).toMatchObject([{ detail: { via: 'cli', identifier: api.identifier } }]);
});

test('apis update: what is named is changed, the rest stays; what cannot be is refused', async () => {
  const identifier = 'https://stock.example.com';
  const add = (...more: string[]) => cli.json('apis', 'add', identifier, '--name', 'Stock', ...more);
  const before = await add('--scope', 'read=See it.', '--scope', 'write=Change it.', '--introspector', 'one');
  const update = (...more: string[]) => cli.json<Record<string, unknown>>('apis', 'update', identifier, ...more);
  const marked = await update('--default', 'read', '--optional', 'write', '--bearer', 'write', '--held', 'write');
  expect(marked).toEqual({
    ...(before as object),
    scopes: [
      { name: 'read', sentence: 'See it.', default: true, optional: false, held: false, bearer: false },
      { name: 'write', sentence: 'Change it.', default: false, optional: true, held: true, bearer: true },
    ],
  });
  expect(await update('--token-typ', 'JWT', '--signing-alg', 'RS256', '--token-lifetime', '30')).toEqual({
    ...marked,
    ...{ tokenTyp: 'JWT', signingAlg: 'RS256', tokenLifetime: 30 },
  });
  const more = ['--scope', 'read=Read it.', '--scope', 'list=List it.', '--plain', 'write', '--server-lifetime'];
  const changed = await update(...more, '--introspector', 'two', '--remove-introspector', 'one', '--name', 'Shelf');
  expect(changed).toMatchObject({
    ...{ name: 'Shelf', tokenLifetime: null, introspectors: ['two'], tokenTyp: 'JWT' },
    scopes: [
      { name: 'read', sentence: 'Read it.', default: true },
      { name: 'write', optional: false, held: false, bearer: false },
      { name: 'list', default: false },
    ],
  });
  expect((await update('--remove-scope', 'list')).scopes).toHaveLength(2);
  const fed = await cli.fed('{"tokenFormat":"opaque"}', 'apis', 'update', identifier, '--file', '-', '--json');
  expect(JSON.parse(fed.out)).toMatchObject({ tokenFormat: 'opaque', name: 'Shelf', introspectors: ['two'] });
  expect((await cli('apis', 'list')).out).toMatch(/read \(default\), write/);
  expect(await audited('api.updated')).toHaveLength(5);

  const refusal = async (...args: string[]) => {
    const { code, err } = await cli('apis', ...args);
    return [code, err];
  };
  expect(await refusal('update', 'https://no.example.com', '--name', 'x')).toEqual([
    ...[1, expect.stringContaining('There is no API')],
  ]);
  expect(await refusal('update', 'http://localhost:3999/user', '--name', 'x')).toEqual([
    ...[1, expect.stringContaining('built in')],
  ]);
  expect(await refusal('update', identifier, '--default', 'nothing')).toEqual([
    ...[2, expect.stringContaining('It has: read, write.')],
  ]);
  expect(await refusal('update', identifier, '--remove-scope', 'read', '--remove-scope', 'write')).toEqual([
    ...[1, expect.stringContaining('scopes must not be empty')],
  ]);
  const renamed = await cli.fed('{"identifier":"https://b.example"}', 'apis', 'update', identifier, '--file', '-');
  expect(renamed).toMatchObject({ code: 1, err: expect.stringContaining('identifier cannot be changed') });
  for (const [taken, why] of [
    ['http://localhost:3999', 'reserved for this server'],
    ['http://localhost:3999/userinfo', 'reserved for this server'],
    [`${identifier}/`, `names the same API as ${identifier}`],
  ] as const) {
    const answer = await refusal('add', taken, '--name', 'x', '--scope', 'a=A.');
    expect(answer).toEqual([1, expect.stringContaining(why)]);
  }
  // Nor can a client be named as an API or the server is, by an option or in a file.
  const uri = ['--name', 'x', '--redirect-uri', 'https://app.example.com/cb'];
  for (const id of [identifier, 'http://localhost:3999', 'http://localhost:3999/userinfo']) {
    expect((await cli('clients', 'register', ...uri, '--id', id)).code).not.toBe(0);
    const file = JSON.stringify({ client_id: id });
    expect((await cli.fed(file, 'clients', 'register', ...uri, '--file', '-')).code).not.toBe(0);
  }
});

test('apis: an MCP server is announced, has its metadata printed, and needs an address and a default scope', async () => {
  const scope = ['--name', 'Notes', '--scope', 'notes:read=Read your notes.', '--default', 'notes:read'];
  const own = 'http://localhost:3999/notes';
  const added = await cli('apis', 'add', own, '--mcp-server', ...scope);
  expect(added.out).toContain(`a gateway route has prefix: /notes and audience: ${own}`);
  const away = await cli('apis', 'add', 'https://mcp.example.com', '--mcp-server', ...scope);
  expect(away.out).toContain('https://mcp.example.com/.well-known/oauth-protected-resource\n');
  expect(away.out).toContain('apis metadata https://mcp.example.com');
  const document = {
    resource: own,
    authorization_servers: ['http://localhost:3999'],
    scopes_supported: ['notes:read'],
    bearer_methods_supported: ['header'],
    resource_name: 'Notes',
  };
  expect(JSON.parse((await cli('apis', 'metadata', own)).out)).toEqual(document);
  expect(await cli.json('apis', 'metadata', own)).toEqual(document);
  const user = await cli.json<Record<string, unknown>>('apis', 'metadata', 'http://localhost:3999/user');
  expect(user).toMatchObject({ resource: 'http://localhost:3999/user', scopes_supported: ['user'] });
  expect((await cli('apis', 'metadata', 'https://nothing.example.com')).code).toBe(1);

  for (const identifier of ['urn:notes', 'http://mcp.example.com/', 'https://a.example/?x=1', 'https://a@b.example/']) {
    const refused = await cli('apis', 'add', identifier, '--mcp-server', ...scope);
    expect([identifier, refused.code, refused.err]).toEqual([identifier, 1, expect.stringContaining('its address')]);
  }
  const without = await cli('apis', 'update', own, '--plain', 'notes:read');
  expect([without.code, without.err]).toEqual([1, expect.stringContaining('needs a default scope')]);
  expect((await cli.json<Record<string, unknown>>('apis', 'update', own, '--no-mcp-server')).mcpServer).toBe(false);
  expect((await cli('apis', 'update', own, '--plain', 'notes:read')).code).toBe(0);
  for (const identifier of [own, 'https://mcp.example.com']) await cli('apis', 'remove', identifier);
});

describe('accounts', () => {
  const password = 'wet gravel under boots';

  test('create with a password from standard input, disable, set a password, delete', async () => {
    const made = await cli.fed(
      `${password}\n`,
      'accounts',
      'create',
      'alice',
      '--email',
      'alice@example.com',
      '--verified',
      '--password-stdin',
      '--json',
    );
    expect(made).toMatchObject({ code: 0, err: '' });
    const account = JSON.parse(made.out);
    expect(account).toMatchObject({
      id: 1,
      username: 'alice',
      email: 'alice@example.com',
      verified: true,
      admin: false,
      hasPassword: true,
    });
    expect(made.out).not.toMatch(/argon2|Key"|passwordHash/);
    for (const named of ['ALICE', 'id:1', account.subject]) {
      expect(await cli.json('accounts', 'show', named)).toMatchObject({ subject: account.subject });
    }
    expect(await cli.json<{ disabledAt: number }>('accounts', 'disable', 'alice')).toMatchObject({
      disabledAt: expect.any(Number),
    });
    expect(await cli.json('accounts', 'enable', 'alice')).toMatchObject({ disabledAt: null });
    expect(await cli.fed(`another ${password}`, 'accounts', 'set-password', 'alice', '--password-stdin')).toMatchObject(
      { code: 0 },
    );
    const weak = await cli.fed('short', 'accounts', 'set-password', 'alice', '--password-stdin', '--json');
    expect(weak.code).toBe(1);
    expect(JSON.parse(weak.err)).toMatchObject({ error: 'weak_password', reason: 'too-short' });
    expect(await cli.json('accounts', 'list')).toHaveLength(1);
    expect(await cli.json('accounts', 'delete', 'alice')).toEqual({ subject: account.subject, deleted: true });
    for (const event of [
      'account.created',
      'account.disabled',
      'account.enabled',
      'account.password_changed',
      'account.deleted',
    ]) {
      expect(await audited(event)).toMatchObject([{ subject: account.subject, detail: { via: 'cli' } }]);
    }
  });

  test('without a terminal a password must come from standard input', async () => {
    expect(await cli('accounts', 'create', 'bob')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--password-stdin'),
    });
    expect(await cli('accounts', 'create', 'bob', '--password', password)).toMatchObject({ code: 2 });
    expect(await cli.fed('one\ntwo\n', 'accounts', 'create', 'bob', '--password-stdin')).toMatchObject({ code: 2 });
  });

  test('setup link until there is an admin', async () => {
    const { url } = await cli.json<{ url: string }>('setup', 'link');
    expect(url).toMatch(/^http:\/\/localhost:3999\/setup\?token=[\w-]{43}$/);
    expect(stored()).not.toContain(url.split('=')[1]);
    expect((await cli('accounts', 'create', 'root', '--admin', '--no-password')).code).toBe(0);
    expect((await cli('setup', 'link')).code).toBe(1);
    expect(await cli('accounts', 'delete', 'root', '--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('root is the only administrator'),
    });
    expect((await cli('accounts', 'create', 'ROOT', '--no-password')).err).toBe('The username is taken.\n');
  });
});

test('keys: no rotation before the next keys are published, unless forced', async () => {
  const early = await cli('keys', 'rotate', '--json');
  expect(early).toMatchObject({ code: 1, out: '' });
  expect(JSON.parse(early.err)).toMatchObject({ error: 'too_early', readyAt: expect.any(Number) });
  const before = await cli.json<{ id: string; status: string }[]>('keys', 'list');
  const next = before.filter(({ status }) => status === 'next').map(({ id }) => id);
  expect(next).toHaveLength(2);
  const after = await cli.json<{ id: string; status: string }[]>('keys', 'rotate', '--force');
  expect(
    after
      .filter(({ status }) => status === 'current')
      .map(({ id }) => id)
      .sort(),
  ).toEqual(next.sort());
  expect(JSON.stringify(after)).not.toMatch(/"d"|sealed|privateKey/);
  expect(await audited('key.rotated')).toMatchObject([{ detail: { via: 'cli', forced: true } }]);
});

describe('what is typed wrongly', () => {
  test.each([
    [[], 'Usage:'],
    [['clents'], 'Did you mean clients?'],
    [['clients'], 'register'],
    [['clients', 'show'], "missing required argument 'id'"],
    [['clients', 'show', 'a', 'b'], 'too many arguments'],
    [['keys', 'rotate', '--froce'], 'Did you mean --force?'],
    [['apis', 'add', 'https://a.example.com', '--token-lifetime', 'x'], 'whole number'],
  ])('%j: exit code 2 and a hint', async (args, hint) => {
    expect(await cli(...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(hint) });
  });

  test('with --json the hint is JSON', async () => {
    const { code, err } = await cli('clents', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(err)).toMatchObject({
      error: 'usage',
      message: expect.stringContaining('Did you mean clients?'),
    });
  });

  test('help is a result', async () => {
    const { code, out, err } = await cli('clients', 'register', '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/--redirect-uri <uri>[\s\S]+Examples:\n {2}npm run -s cli -- clients register/);
  });
});

test('wrong settings: all of them at once', async () => {
  const { code, err } = await commandLine({ PORT: '0', DATA_DIR: dataDir, WORKERS: 'two' })('keys', 'list', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(err).mistakes.map(({ name }: { name: string }) => name)).toEqual(['PORT', 'WORKERS']);
});

test('a database that cannot be opened ends the command instead of holding it', async () => {
  const foreign = await commandLine({ DATA_DIR: dataDir, SECRET_KEY: 'not the key that this database was made with' })(
    'keys',
    'list',
  );
  expect(foreign).toMatchObject({ code: 1, err: expect.stringContaining('SECRET_KEY') });
  const away = commandLine({
    DATABASE_URL: 'postgres://127.0.0.1:1/nothing',
    SECRET_KEY: 'x'.repeat(40),
    DATA_DIR: dataDir,
  });
  expect(JSON.parse((await away('clients', 'list', '--json')).err)).toMatchObject({ error: 'unavailable' });
});
