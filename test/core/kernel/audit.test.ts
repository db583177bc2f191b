/**
 * Over a real database; what fails is made to fail by closing it or by a port in front of it that counts and refuses.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../../src/base/errors.ts';
import { createLog } from '../../../src/base/log.ts';
import { createMetrics, type Metrics } from '../../../src/base/metrics.ts';
import { type Audit, auditEvents, createAudit } from '../../../src/core/kernel/audit.ts';
import type { AuditStore } from '../../../src/core/stores/audit.ts';
import type { Stores } from '../../../src/core/stores/stores.ts';
import { openSql } from '../../../src/storage/sql/open.ts';

let stores: Stores;
let metrics: Metrics;
let lines: Record<string, unknown>[];
let audit: Audit;
let open: (retryMs: number) => Audit;
let appends: number[];
/** What the next appends fail with, before they reach the database. */
let failures: Error[];

beforeEach(async () => {
  stores = await openSql({ kind: 'sqlite', file: ':memory:' });
  metrics = createMetrics();
  lines = [];
  appends = [];
  failures = [];
  const { log } = createLog({ level: 'info', format: 'json', to: { write: (line) => lines.push(JSON.parse(line)) } });
  const store: AuditStore = {
    list: stores.audit.list,
    walk: stores.audit.walk,
    async append(events) {
      appends.push(events.length);
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      await stores.audit.append(events);
    },
  };
  open = (retryMs) => createAudit({ store, log, metrics, retryMs });
  audit = open(5);
});
afterEach(() => stores.close());

const events = async (): Promise<string[]> => (await stores.audit.list({}, 1000)).map(({ event }) => event).reverse();

test('a record is in the database, in the log and counted when it resolves', async () => {
  await audit.record('account.created', {
    subject: 's1',
    caller: { via: 'browser', address: '192.0.2.1', requestId: 'r1' },
    detail: { via: 'cli' },
  });
  const [written] = await stores.audit.list({}, 10);
  expect(written).toEqual({
    id: expect.any(Number),
    atMs: expect.any(Number),
    event: 'account.created',
    subject: 's1',
    clientId: null,
    address: '192.0.2.1',
    requestId: 'r1',
    detail: { via: 'cli' },
  });
  expect(lines).toEqual([
    expect.objectContaining({ audit: 'account.created', subject: 's1', requestId: 'r1', level: 'info' }),
  ]);
  expect((await metrics.page()).body).toContain('gatehouse_audit_events_total{event="account.created"} 1');
});

test('concurrent records share an append, in the order of the calls', async () => {
  await Promise.all(Array.from({ length: 100 }, (_, n) => audit.record('sign_out', { subject: `s${n}` })));
  expect(appends.length).toBeLessThanOrEqual(2);
  const written = await stores.audit.list({}, 1000);
  expect(written.map(({ subject }) => subject).reverse()).toEqual(Array.from({ length: 100 }, (_, n) => `s${n}`));
});

test('a note does not wait, and close waits for it', async () => {
  audit.note('sign_in.failed', {});
  expect(appends).toEqual([]);
  await audit.close();
  expect(await events()).toEqual(['sign_in.failed']);
});

describe('a database that fails', () => {
  test('a record rejects with Unavailable, and is neither logged as done nor counted', async () => {
    failures = [new Unavailable('database')];
    await expect(audit.record('sign_out', {})).rejects.toBeInstanceOf(Unavailable);
    expect(lines).toEqual([]);
    expect((await metrics.page()).body).not.toContain('gatehouse_audit_events_total{');
    await audit.record('sign_out', {});
    expect(await events()).toEqual(['sign_out']);
  });

  test('a note is tried again and does not hold up a record', async () => {
    failures = [new Unavailable('database'), new Unavailable('database')];
    // So long that whatever is quick did not wait for it.
    audit = open(3600_000);
    audit.note('sign_in.failed', { subject: 's1' });
    while (appends.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await expect(audit.record('sign_out', {})).rejects.toBeInstanceOf(Unavailable);
    await audit.record('sign_in.succeeded', {});
    await audit.close();
    expect((await events()).toSorted()).toEqual(['sign_in.failed', 'sign_in.succeeded']);
  });

  test('a note that cannot be written is dropped in the end, counted and logged', async () => {
    failures = Array.from({ length: 5 }, () => new Unavailable('database'));
    audit.note('sign_in.failed', { subject: 's1' });
    await audit.close();
    expect(appends).toHaveLength(5);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'error',
        audit: 'sign_in.failed',
        subject: 's1',
        msg: 'an audit record was dropped',
      }),
    ]);
    expect((await metrics.page()).body).toContain('gatehouse_audit_events_dropped_total 1');
  });

  test('one event that cannot be stored does not take the others with it', async () => {
    const circle: Record<string, never> = {};
    Object.assign(circle, { circle });
    const outcomes = await Promise.allSettled([
      audit.record('sign_out', { subject: 's1' }),
      audit.record('sign_out', { subject: 's2', detail: circle }),
      audit.record('sign_out', { subject: 's3' }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: expect.any(Unavailable) });
  });

  test('closed', async () => {
    await stores.close();
    await expect(audit.record('sign_out', {})).rejects.toBeInstanceOf(Unavailable);
    stores = await openSql({ kind: 'sqlite', file: ':memory:' });
  });
});

test('what a stranger sent is made storable', async () => {
  await audit.record('grant.replayed', { clientId: `a\0b\ud800${'x'.repeat(1000)}`, detail: { text: 'a\0\ud800' } });
  const [written] = await stores.audit.list({}, 1);
  expect(written?.clientId).toBe(`a\uFFFDb\uFFFD${'x'.repeat(252)}`);
  expect(written?.detail).toEqual({ text: 'a\0\ud800' });
});

test('docs/audit.md and the code list the same events', () => {
  const text = readFileSync(new URL('../../../docs/audit.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(Object.entries(auditEvents).map(([name, sentence]) => `| \`${name}\` | ${sentence} |`));
});
