/** `audit list` and `audit export`. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../src/core/stores/audit.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { type CommandLine, commandLine } from './command-line.ts';

interface AuditRecord {
  readonly id: number;
  readonly at: string;
  readonly event: string;
  readonly detail: { readonly n: number };
}
interface Page {
  readonly records: AuditRecord[];
  readonly next: number | null;
}

/** Long ago, so that nothing that the server does itself is among them. */
const start = Date.parse('2020-01-01T00:00:00Z');
const hour = 3_600_000;

const build = (n: number, more: Partial<AuditEvent> = {}): AuditEvent => ({
  atMs: start + n * hour,
  event: 'sign_out',
  subject: null,
  clientId: null,
  address: null,
  requestId: null,
  detail: { n },
  ...more,
});
const numbers = (lines: string): unknown[] =>
  lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).detail.n);

describeStorages('the audit trail on the command line', (storage) => {
  let server: TestServer;
  let cli: CommandLine;
  let person: { username: string; subject: string };
  beforeAll(async () => {
    server = await storage.start();
    cli = commandLine(server.env);
    person = await buildPerson(server);
    await server.core.stores.audit.append([
      build(0, { clientId: 'shelf', event: 'client.updated' }),
      build(1, { clientId: 'shelf', address: '192.0.2.1' }),
      build(2, { subject: person.subject, requestId: 'request-2' }),
      build(3, { clientId: 'shelf', address: '192.0.2.1', event: 'client.updated' }),
      build(4, { subject: 'gone', address: '2001:db8::1' }),
      build(5, { clientId: 'lately', atMs: Date.now() - 1.5 * hour }),
    ]);
  });
  afterAll(() => server.close());

  const until = ['--until', '2021-01-01'];
  const found = async (...words: string[]) =>
    (await cli.json<Page>('audit', 'list', ...until, ...words)).records.map(({ detail }) => detail.n);

  test('by event, account, client, address, request and time, the newest first', async () => {
    expect(await found()).toEqual([4, 3, 2, 1, 0]);
    expect(await found('--event', 'client.updated')).toEqual([3, 0]);
    expect(await found('--client', 'shelf')).toEqual([3, 1, 0]);
    expect(await found('--client', 'shelf', '--event', 'sign_out')).toEqual([1]);
    expect(await found('--address', '192.0.2.1')).toEqual([3, 1]);
    expect(await found('--request', 'request-2')).toEqual([2]);
    expect(await found('--account', person.username)).toEqual([2]);
    // No account has this subject any more.
    expect(await found('--account', 'gone')).toEqual([4]);
    expect(await found('--since', '2020-01-01T02:00Z')).toEqual([4, 3, 2]);
    expect(await found('--since', '2020-01-01T03:00+01:00')).toEqual([4, 3, 2]);
    expect(await found('--since', '24h')).toEqual([]);
  });

  test.each([
    ['110m', '70m'],
    ['2h', '1h'],
    ['1d', '1h'],
  ])('between %s and %s ago', async (since, until) => {
    const page = await cli.json<Page>('audit', 'list', '--client', 'lately', '--since', since, '--until', until);
    expect(page.records.map(({ detail }) => detail.n)).toEqual([5]);
  });

  test('page by page, to the end', async () => {
    const pages: number[][] = [];
    for (let next: number | null | undefined; next !== null; ) {
      const before: string[] = next === undefined ? [] : ['--before', String(next)];
      const page: Page = await cli.json<Page>('audit', 'list', ...until, '--limit', '2', ...before);
      pages.push(page.records.map(({ at }) => (Date.parse(at) - start) / hour));
      next = page.next;
    }
    expect(pages).toEqual([[4, 3], [2, 1], [0]]);
    const words = await cli('audit', 'list', ...until, '--limit', '2');
    expect(words.out).toMatch(/^ID +TIME +EVENT +ACCOUNT +CLIENT +ADDRESS +REQUEST +DETAIL\n/);
    expect(words.out).toMatch(/For older records: --before \d+\n$/);
    expect((await cli('audit', 'list', '--until', '2019-01-01')).out).toBe('No records match.\n');
  });

  test('export: the oldest first, in the same order each time, on from a record', async () => {
    const all = await cli('audit', 'export', ...until);
    expect([all.code, all.err]).toEqual([0, '']);
    expect(numbers(all.out)).toEqual([0, 1, 2, 3, 4]);
    expect((await cli('audit', 'export', ...until, '--json')).out).toBe(all.out);
    const third = JSON.parse(all.out.split('\n')[2] ?? '');
    expect(third).toEqual({
      ...{ id: expect.any(Number), at: '2020-01-01T02:00:00.000Z', atMs: start + 2 * hour },
      ...{ event: 'sign_out', subject: person.subject, clientId: null, address: null, requestId: 'request-2' },
      detail: { n: 2 },
    });
    expect(numbers((await cli('audit', 'export', ...until, '--after', String(third.id))).out)).toEqual([3, 4]);
    expect(numbers((await cli('audit', 'export', ...until, '--client', 'shelf')).out)).toEqual([0, 1, 3]);
  });

  test('export ends before what is too young: the next one, from the last record on, misses nothing', async () => {
    const clientId = `young-${randomBytes(6).toString('hex')}`;
    const young = Date.now() + hour;
    await server.core.stores.audit.append([
      build(0, { clientId }),
      build(1, { clientId, atMs: young }),
      build(2, { clientId }),
    ]);
    expect(numbers((await cli('audit', 'export', '--client', clientId)).out)).toEqual([0]);
  });

  test.each([
    [['--event', 'client.updted'], 'Did you mean client.updated?'],
    [['--since', 'yesterday'], '--since yesterday is not a time'],
    [['--until', '2020-01-01T00:00'], 'is not a time'],
    [['--before', '0'], 'whole number'],
  ])('%j is typed wrongly', async (words, hint) => {
    expect(await cli('audit', 'list', ...words)).toMatchObject({ code: 2, err: expect.stringContaining(hint) });
  });
});

describe('100,000 records', () => {
  test('are exported with less memory than they fill', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    try {
      const stores = await openSql({ kind: 'sqlite', file: join(dataDir, 'gatehouse.sqlite') });
      const text = 'x'.repeat(2000);
      for (let from = 0; from < 100_000; from += 5000)
        await stores.audit.append(Array.from({ length: 5000 }, (_, n) => build(0, { detail: { n: from + n, text } })));
      await stores.close();
      // 200 MB of records, 100 MB of heap.
      const cli = commandLine({ DATA_DIR: dataDir, NODE_OPTIONS: '--max-old-space-size=100' }, { own: true });
      const { code, out } = await cli('audit', 'export');
      expect(code).toBe(0);
      const found = numbers(out);
      expect([found.length, found[0], found.at(-1), new Set(found).size]).toEqual([100_000, 0, 99_999, 100_000]);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
