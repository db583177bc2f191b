/** `clients pin`: a copy of the document that describes an application. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { commandLine } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
const cli = commandLine(
  { DATA_DIR: join(folder, 'data'), ISSUER: 'http://localhost:3999', MCP: 'true' },
  { fresh: true },
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const url = 'https://agent.example/client.json';
const document = { client_id: url, client_name: 'Agent', redirect_uris: ['https://agent.example/cb'] };

function fileWith(content: object): string {
  const path = join(folder, 'client.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

test('a copy is stored, shown, replaced and released; it stays unreviewed and cannot be edited', async () => {
  expect(await cli.json('clients', 'pin', url, '--file', fileWith(document))).toMatchObject({
    client_id: url,
    client_name: 'Agent',
    origin: 'metadata',
    token_endpoint_auth_method: 'none',
  });
  const renamed = await cli('clients', 'pin', url, '--file', fileWith({ ...document, client_name: 'Other' }));
  expect(renamed.out).toBe(`Other (${url}) uses this copy of its document.\n`);
  for (const words of [
    ['review', url],
    ['update', url, '--name', 'Mine'],
  ]) {
    const { code, err } = await cli('clients', ...words);
    expect([code, err]).toEqual([1, expect.stringMatching(/The document at .* describes this application/)]);
  }
  expect((await cli('clients', 'pin', url, '--release')).out).toBe(`The document of ${url} is fetched again.\n`);
  expect((await cli('clients', 'pin', url, '--release')).err).toMatch(/No copy of a document is pinned/);
});

test('a copy that is no document of this client is refused, and so are both options at once', async () => {
  const wrong = await cli('clients', 'pin', url, '--file', fileWith({ ...document, client_id: 'https://x.example/c' }));
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/client_id is not the address/)]);
  const bad = await cli('clients', 'pin', 'https://agent.example', '--file', fileWith(document));
  expect([bad.code, bad.err]).toEqual([1, expect.stringMatching(/must have a path/)]);
  expect((await cli('clients', 'pin', url)).err).toMatch(/either --file PATH or --release/);
  expect((await cli('clients', 'pin', url, '--file', 'x', '--release')).err).toMatch(/either --file PATH or --release/);
});
