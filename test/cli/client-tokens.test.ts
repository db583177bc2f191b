/** `client-tokens` through its life, over one SQLite file, without a server. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openSql } from '../../src/storage/sql/open.ts';
import { commandLine } from './command-line.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-'));
const cli = commandLine({ DATA_DIR: dataDir, ISSUER: 'http://localhost:3999' }, { fresh: true });
const id = 'night-report';
beforeAll(async () => {
  await cli.json('clients', 'register', '--id', id, '--name', 'Report', '--grant-type', 'client_credentials');
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

interface Shown {
  readonly id: string;
  readonly label: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly client_token?: string;
}
const list = () => cli.json<Shown[]>('client-tokens', 'list', id);

async function audited(event: string) {
  const stores = await openSql({ kind: 'sqlite', file: join(dataDir, 'gatehouse.sqlite') });
  try {
    return await stores.audit.list({ event }, 100);
  } finally {
    await stores.close();
  }
}

test('issued, shown once, listed, revoked', async () => {
  expect((await cli('client-tokens', 'list', id)).out).toBe(`${id} has no tokens.\n`);
  const made = await cli.json<Shown>('client-tokens', 'issue', id, '--label', 'first', '--days', '30');
  expect(made).toMatchObject({ client_id: id, label: 'first' });
  expect(made.client_token).toMatch(/^gatehouse_ct_[\w-]+$/);
  expect((made.expires_at ?? 0) - made.created_at).toBe(30 * 86_400);

  const worded = await cli('client-tokens', 'issue', id);
  expect(worded.code).toBe(0);
  expect(worded.out).toMatch(/Client token +gatehouse_ct_[\w-]+ {2}\(shown this once/);
  expect(worded.out).toMatch(/Works until +it is revoked/);

  const [second, first] = await list();
  const { client_id: _client, client_token: _token, ...listed } = made as Shown & { client_id: string };
  expect(first).toEqual(listed);
  expect(second).toMatchObject({ label: '', expires_at: null });
  expect((await cli('client-tokens', 'list', id)).out).toMatch(/^ID +LABEL +MADE +WORKS UNTIL\n/);

  expect(await cli.json('client-tokens', 'revoke', id, made.id)).toEqual({ client_id: id, id: made.id, revoked: true });
  expect((await list()).map((token) => token.id)).toEqual([second?.id]);
  const stored = readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name), 'latin1'));
  expect(stored.join('')).not.toContain(made.client_token?.slice(-43));
  const detail = { via: 'cli', token: made.id };
  expect(await audited('client.token_revoked')).toMatchObject([{ clientId: id, detail }]);
  expect(await audited('client.token_issued')).toContainEqual(expect.objectContaining({ clientId: id, detail }));
});

test('what there is not is said, and nothing is changed', async () => {
  for (const words of [
    ['issue', 'nobody'],
    ['list', 'nobody'],
    ['revoke', 'nobody', 'x'],
    ['revoke', id, 'x'],
  ]) {
    const refused = await cli('client-tokens', ...words, '--json');
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(JSON.parse(refused.err)).toMatchObject({ error: 'not_found' });
  }
  expect((await cli('client-tokens', 'issue', id, '--days', '0')).code).toBe(2);
});
