/** `clients register KIND`, moving secrets in, and giving back what `clients show --json` prints. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commandLine } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
const dataDir = join(folder, 'data');
const issuer = 'http://localhost:3999';
const cli = commandLine({ DATA_DIR: dataDir, ISSUER: issuer }, { fresh: true });
beforeAll(() =>
  cli.json('apis', 'add', 'https://orders.example.com', '--name', 'Orders', '--scope', 'orders:read=See.'),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fileWith = (content: object): string => {
  const path = join(folder, 'client.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
};
const at = ['--redirect-uri', 'https://app.example.com/cb'];

describe('a kind', () => {
  test('web: the output is what the application needs, and no more', async () => {
    const { code, out } = await cli('clients', 'register', 'web', '--name', 'Bookshelf', ...at);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Registered Bookshelf as web\.\n\n {2}Issuer +http:\/\/localhost:3999\n {2}Client id +\S+\n {2}Client secret +[\w-]{43} {2}\(shown this once: keep it now\)\n {2}Discovery +http:\/\/localhost:3999\/\.well-known\/openid-configuration\n {2}Redirect URIs +https:\/\/app\.example\.com\/cb\n$/,
    );
  });

  test('spa: which origin may call; service: the token endpoint and its scopes; --json has both addresses', async () => {
    const spa = await cli('clients', 'register', 'spa', '--name', 'B', ...at);
    expect(spa.out).toMatch(/May call from +https:\/\/app\.example\.com\n/);
    expect(spa.out).not.toContain('secret');
    const tv = await cli('clients', 'register', 'device', '--name', 'TV');
    expect(tv.out).toMatch(
      /^Registered TV as device\.\n\n.*Device endpoint +http:\/\/localhost:3999\/oauth\/device\n {2}Codes are typed at +http:\/\/localhost:3999\/device\n/s,
    );
    expect(tv.out).not.toMatch(/secret|Redirect/);
    const service = await cli('clients', 'register', 'service', '--name', 'S', '--scope', 'orders:read');
    expect(service.out).toMatch(/Token endpoint +http:\/\/localhost:3999\/oauth\/token\n/);
    expect(service.out).toMatch(/Scopes +orders:read\n/);
    expect(
      await cli.json('clients', 'register', 'native', '--name', 'N', '--redirect-uri', 'http://127.0.0.1/cb'),
    ).toMatchObject({
      issuer,
      openid_configuration: `${issuer}/.well-known/openid-configuration`,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
    });
  });

  const fapi = ['--profile', 'fapi2', '--jwks-uri', 'https://app.example.com/jwks'];

  test('a profile sets all of its members, and the output says where to push', async () => {
    const { code, out } = await cli('clients', 'register', 'web', '--name', 'Bank', ...at, ...fapi, '--id', 'bank');
    expect([code, out]).toEqual([0, expect.stringMatching(/ Profile +fapi2\n +Pushes to +\S+\/oauth\/par\n/)]);
    expect(out).not.toContain('secret');
    expect(await cli.json('clients', 'show', 'bank')).toMatchObject({
      profile: 'fapi2',
      token_endpoint_auth_method: 'private_key_jwt',
      require_pkce: true,
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: 'ES256',
    });
    const shown = await cli('clients', 'show', 'bank');
    expect(shown.out).toMatch(/Profile +fapi2\n/);
    expect(shown.out).toMatch(/Pushed requests +required\n/);
  });

  test.each([
    ['--no-require-par', 'require_pushed_authorization_requests must be true for profile fapi2'],
    ['--no-require-pkce', 'require_pkce must be true for profile fapi2'],
    ['--no-dpop', 'dpop_bound_access_tokens must be true for profile fapi2'],
    ['--auth-method=client_secret_basic', 'token_endpoint_auth_method must be private_key_jwt for profile fapi2'],
    ['--public', 'token_endpoint_auth_method must be private_key_jwt for profile fapi2'],
  ])('%s contradicts the profile: refused at registration and at each change', async (option, words) => {
    const refused = await cli('clients', 'register', '--name', 'B', ...at, ...fapi, option);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(words)]);
    const id = `bank${option.replaceAll(/[^a-z]/g, '')}`;
    await cli('clients', 'register', '--name', 'B', ...at, ...fapi, '--id', id);
    const changed = await cli('clients', 'update', id, option);
    expect([changed.code, changed.err]).toEqual([1, expect.stringContaining(words)]);
  });

  test('clients update moves an application to a profile, and back', async () => {
    await cli('clients', 'register', 'web', '--name', 'Later', ...at, '--id', 'later');
    expect(await cli('clients', 'update', 'later', ...fapi)).toMatchObject({ code: 0 });
    expect(await cli.json('clients', 'show', 'later')).toMatchObject({
      profile: 'fapi2',
      require_pkce: true,
      secrets: [],
    });
    expect(await cli('clients', 'update', 'later', '--unset', 'profile')).toMatchObject({ code: 0 });
    expect(await cli.json('clients', 'show', 'later')).not.toHaveProperty('profile');
  });

  test.each([
    [['service', '--name', 'S', '--scope', 'orders:raed'], 'The nearest one is orders:read.'],
    [['service', '--name', 'S', '--scope', 'weather'], 'apis add'],
    [['service', '--name', 'S', '--scope', 'openid'], 'is about a user'],
    [['web', '--name', 'W', '--public', ...at], 'as spa or native'],
    [['spa', '--name', 'W', '--auth-method', 'client_secret_basic', ...at], 'as web'],
  ])('%j is refused with the fix, and nothing is stored', async (words, fix) => {
    const before = await cli.json<unknown[]>('clients', 'list');
    const { code, out, err } = await cli('clients', 'register', ...words);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(fix);
    expect(await cli.json<unknown[]>('clients', 'list')).toHaveLength(before.length);
  });

  test.each([
    [['servce', '--name', 'S'], 'Did you mean service?'],
    [['web', ...at], '--name NAME'],
    [['spa', '--name', 'S', '--secret', 'x', ...at], "unknown option '--secret'"],
  ])('%j is typed wrongly', async (words, hint) => {
    expect(await cli('clients', 'register', ...words)).toMatchObject({ code: 2, err: expect.stringContaining(hint) });
  });

  test('without a kind as before; a scope that no API has is remarked', async () => {
    const made = await cli('clients', 'register', '--name', 'Old', ...at, '--scope', 'openid orders:raed');
    expect(made.code).toBe(0);
    expect(made.err).toContain('No API has the scope orders:raed');
    expect(made.out).toMatch(/Grant types +authorization_code, refresh_token/);
  });
});

describe('P14: client_id and client_secret in a file', () => {
  const secret = 'q7Hc2VnXz0LrT9wYbK4sJ8dFgM3pA1eU';
  const metadata = { client_id: 'moved', client_name: 'Moved', grant_types: ['client_credentials'] };

  test('the secret is taken: no other is made, it is not shown, and only its hash is stored', async () => {
    const { code, out, err } = await cli(
      ...['clients', 'register', 'service', '--file', fileWith({ ...metadata, client_secret: secret }), '--json'],
    );
    expect([code, err]).toEqual([0, '']);
    const made = JSON.parse(out);
    expect(made).toMatchObject({ client_id: 'moved', secrets: [{ name: '', expires_at: null }] });
    expect(made).not.toHaveProperty('client_secret');
    const stored = readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name), 'latin1'));
    expect(stored.join('')).not.toContain(secret);
    const { records } = await cli.json<{ records: { detail: object }[] }>('audit', 'list', '--client', 'moved');
    expect(records).toMatchObject([{ detail: { via: 'cli', secret: 'given' } }]);
  });

  test('in words it says what the secret is worth', async () => {
    const file = fileWith({ ...metadata, client_id: 'moved-too', client_secret: secret });
    expect((await cli('clients', 'register', '--file', file)).err).toMatch(
      /at most \d{3} bits .* clients rotate moved-too/,
    );
  });

  test.each<[string, object, string]>([
    ['a weak secret', { client_secret: 'changeme' }, '128 bits'],
    ['a secret of a public client', { client_secret: secret, token_endpoint_auth_method: 'none' }, 'leave it out'],
    ['an id that is taken', { client_id: 'moved' }, 'taken'],
    ['the issuer as id', { client_id: issuer }, 'client_id must be'],
    ['the identifier of an API as id', { client_id: 'https://orders.example.com' }, 'client_id must be'],
  ])('%s is refused', async (_name, more, why) => {
    const client = {
      client_id: `x-${Math.abs(_name.length)}`,
      redirect_uris: ['https://app.example.com/cb'],
      ...more,
    };
    const { code, err } = await cli('clients', 'register', '--file', fileWith(client));
    expect([code, err]).toEqual([1, expect.stringContaining(why)]);
    expect(err).not.toContain('changeme');
  });

  test('what show prints registers the same client again, and update takes it as no change', async () => {
    const shown = await cli.json(
      'clients',
      'register',
      'web',
      '--name',
      'Copy',
      '--id',
      'copy',
      ...at,
      '--second-factor',
      'required',
    );
    const printed = (await cli('clients', 'show', 'copy', '--json')).out;
    const same = await cli.fed(printed, 'clients', 'update', 'copy', '--file', '-');
    expect(same).toMatchObject({ code: 0, out: 'Nothing of Copy (copy) is different.\n', err: '' });
    await cli.json('clients', 'delete', 'copy');
    const again = await cli.fed(printed, 'clients', 'register', '--file', '-', '--json');
    expect([again.code, again.err]).toEqual([0, '']);
    const {
      client_secret: _old,
      secrets: _secrets,
      client_id_issued_at: _at,
      updated_at: _updated,
      reviewed_at: _on,
      ...rest
    } = shown;
    expect(JSON.parse(again.out)).toMatchObject(rest);
  });

  test('the file of an unreviewed or disabled application registers a reviewed, enabled one, and says so', async () => {
    await cli.json('clients', 'register', 'web', '--name', 'Moved', '--id', 'elsewhere', ...at);
    for (const words of [
      ['review', 'elsewhere', '--revoke'],
      ['disable', 'elsewhere'],
    ])
      await cli.json('clients', ...words);
    const printed = (await cli('clients', 'show', 'elsewhere', '--json')).out;
    const same = await cli.fed(printed, 'clients', 'update', 'elsewhere', '--file', '-');
    expect(same).toMatchObject({ code: 0, out: 'Nothing of Moved (elsewhere) is different.\n', err: '' });
    await cli.json('clients', 'delete', 'elsewhere', '--yes');
    const again = await cli.fed(printed, 'clients', 'register', '--file', '-');
    expect([again.code, again.err]).toEqual([
      0,
      'Not used: disabled_at. See: clients disable\n' +
        'Not used: reviewed_at. The application is a reviewed one. See: clients review --revoke\n',
    ]);
  });
});
