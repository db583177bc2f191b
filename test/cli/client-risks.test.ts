/** What the commands say of metadata that is not used, refused, or a risk. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openSql } from '../../src/storage/sql/open.ts';
import { commandLine } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
const dataDir = join(folder, 'data');
const cli = commandLine({ DATA_DIR: dataDir, ISSUER: 'http://localhost:3999' }, { fresh: true });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const callback = 'https://app.example.com/cb';
const register = (...words: string[]) => cli('clients', 'register', '--name', 'Bookshelf', ...words);

function fileOf(metadata: object): string {
  const file = join(folder, 'client.json');
  writeFileSync(file, JSON.stringify(metadata));
  return file;
}

/** As an older version stored it. */
async function store(id: string, more: Record<string, string | number | boolean>): Promise<void> {
  const stores = await openSql({ kind: 'sqlite', file: join(dataDir, 'gatehouse.sqlite') });
  try {
    const client = await stores.clients.find(id);
    if (!client) throw new Error('no such client');
    await stores.clients.update({
      ...client,
      metadata: { ...client.metadata, ...more },
      version: client.version + 1,
    });
  } finally {
    await stores.close();
  }
}

const rowOf = (out: string, id: string) => out.split('\n').find((line) => line.startsWith(id)) ?? '';

describe('P7: what is not used', () => {
  test('P7: one warning for each member and value that is dropped, and the answer lists what was registered', async () => {
    const file = fileOf({
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'urn:openid:params:grant-type:ciba'],
      scope: '',
      skip_consent: true,
      require_signed_request_object: false,
    });
    const names = ['grant_types urn:openid:params:grant-type:ciba', 'scope (it is empty)', 'skip_consent'];
    const made = await register('--file', file);
    expect(made.code).toBe(0);
    expect(made.err.trim().split('\n').sort()).toEqual(names.map((name) => `Not used: ${name}.`));
    const json = await register('--file', file, '--json');
    const said = JSON.parse(json.out);
    expect(said.dropped.sort()).toEqual(names);
    expect(said).toMatchObject({ grant_types: ['authorization_code'], redirect_uris: [callback], risks: [] });
    expect(said).not.toHaveProperty('skip_consent');
    expect(said).not.toHaveProperty('scope');
  });

  test.each([
    [{ require_signed_request_object: true }, 'request objects'],
    [{ frontchannel_logout_uri: 'https://app.example.com/logout' }, 'front-channel logout'],
  ])('P7: %j is refused', async (more, reason) => {
    const refused = await register('--file', fileOf({ redirect_uris: [callback], ...more }));
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain(`asks for`);
    expect(refused.err).toContain(reason);
  });

  test('P7: a client from before that has one is not said to have that protection', async () => {
    await register('--redirect-uri', callback, '--id', 'older');
    await store('older', {
      require_signed_request_object: true,
      dpop_bound_access_tokens: false,
      frontchannel_logout_uri: 'https://app.example.com/logout',
    });
    const shown = await cli.json<Record<string, unknown>>('clients', 'show', 'older');
    expect(shown.risks).toEqual(['not-enforced']);
    expect(shown).not.toHaveProperty('require_signed_request_object');
    expect(shown).not.toHaveProperty('frontchannel_logout_uri');
    const { out } = await cli('clients', 'show', 'older');
    for (const member of ['require_signed_request_object', 'frontchannel_logout_uri'])
      expect(out).toContain(`Its metadata has ${member}, which this server does not enforce.`);
    expect(out).not.toContain('app.example.com/logout');
    expect(rowOf((await cli('clients', 'list')).out, 'older')).toMatch(/ not-enforced *$/);
  });
});

describe('risks', () => {
  test('http on other hosts is refused, and with the option it is listed', async () => {
    const uri = 'http://nas.lan:8080/cb';
    const refused = await register('--redirect-uri', uri);
    expect(refused.err).toContain('for others set allow_insecure_redirects');
    const made = await register('--redirect-uri', uri, '--allow-insecure-redirects', '--id', 'nas');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toMatch(/Risks +Its codes may be sent unencrypted: allow_insecure_redirects is set\./);
    expect(rowOf((await cli('clients', 'list')).out, 'nas')).toMatch(/ insecure-redirects *$/);
  });

  test('a client that sends neither PKCE nor a nonce is listed, with the day', async () => {
    await register('--redirect-uri', callback, '--id', 'bare');
    expect(rowOf((await cli('clients', 'list')).out, 'bare')).not.toContain('no-pkce');
    await store('bare', { unprotected_at: 1_750_000_000 });
    expect((await cli('clients', 'show', 'bare')).out).toContain(
      'It sent neither PKCE nor a nonce, last on 2025-06-15',
    );
    expect(rowOf((await cli('clients', 'list')).out, 'bare')).toMatch(/ no-pkce-no-nonce *$/);
  });
});

test('schemes: known ones without a word, others by the option, none that browsers handle', async () => {
  expect(await register('--public', '--redirect-uri', 'cursor://anysphere.cursor-mcp/oauth/callback')).toMatchObject({
    code: 0,
    err: '',
  });
  expect((await register('--public', '--redirect-uri', 'acme://cb')).code).toBe(1);
  const made = await register('--public', '--redirect-uri', 'acme://cb', '--redirect-scheme', 'acme');
  expect(made.code).toBe(0);
  expect(made.out).toMatch(/Added schemes +acme/);
  const script = await register('--public', '--redirect-uri', 'javascript:/x', '--redirect-scheme', 'javascript');
  expect(script.err).toContain('redirect_schemes must not have a scheme that browsers or systems handle');
});

test('--require-pkce is said and kept', async () => {
  const made = await register('--redirect-uri', callback, '--require-pkce', '--json');
  expect(JSON.parse(made.out)).toMatchObject({ require_pkce: true });
});
