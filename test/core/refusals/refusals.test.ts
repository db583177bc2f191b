/**
 * Refusal records over a real database: what is written, what is counted, what is evicted, and what a slow database
 * costs.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { createLog } from '../../../src/base/log.ts';
import { createMetrics } from '../../../src/base/metrics.ts';
import { createRefusals, type Refused, refusalBounds } from '../../../src/core/refusals/refusals.ts';
import type { RefusalStore } from '../../../src/core/stores/refusals.ts';
import { openSql, type SqlStores } from '../../../src/storage/sql/open.ts';
import { setClock } from '../../support/clock.ts';

let now = Date.parse('2026-11-30T12:00:00Z');
const clock = {
  /** Seconds. */
  advance(seconds: number) {
    now += seconds * 1000;
    setClock(now, { runs: false });
  },
};
clock.advance(0);
const opened: SqlStores[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((stores) => stores.close()));
});

async function build(front: (store: RefusalStore) => RefusalStore = (store) => store) {
  const stores = await openSql({ kind: 'sqlite', file: ':memory:' });
  opened.push(stores);
  const lines: Record<string, unknown>[] = [];
  const { log } = createLog({
    level: 'info',
    format: 'json',
    to: { write: (line: string) => lines.push(JSON.parse(line)) },
  });
  const metrics = createMetrics();
  const refusals = createRefusals({ store: front(stores.refusals), log, metrics });
  return { stores, refusals, lines, metrics };
}

let made = 0;
const refused = ({ address = '192.0.2.1', ...overrides }: Partial<Refused> & { address?: string } = {}): Refused => ({
  endpoint: 'token',
  check: 'client_secret_wrong',
  status: 401,
  error: 'invalid_client',
  clientId: 'bookshelf',
  known: true,
  caller: { via: 'oauth', address, requestId: `request-${++made}` },
  received: '12 characters, base64url',
  ...overrides,
});

describe('a refusal record', () => {
  test('is found at once, before and after it is written, and is in one log line', async () => {
    const { refusals, stores, lines } = await build();
    const reference = refusals.note(refused({ expected: '43 characters, base64url' }));
    const wanted = {
      reference,
      times: 1,
      clientId: 'bookshelf',
      check: 'client_secret_wrong',
      expected: '43 characters, base64url',
      received: '12 characters, base64url',
      advice: expect.stringContaining('rotate'),
    };
    expect(await refusals.find(reference)).toMatchObject(wanted);
    await refusals.close();
    expect(await stores.refusals.find(reference)).toMatchObject(wanted);
    expect(lines).toEqual([
      expect.objectContaining({ msg: 'a request was refused', reference, check: 'client_secret_wrong', level: 'info' }),
    ]);
    expect(await refusals.find('unknown')).toBeUndefined();
  });

  test('100,000 bad requests of one client from one address are five records and a count; others keep theirs', async () => {
    const { refusals, stores, lines } = await build();
    const others = refusals.note(refused({ clientId: 'other' }));
    const earlier = refusals.note(refused({ address: '198.51.100.7' }));
    await refusals.close();
    let last = '';
    for (let n = 0; n < 100_000; n++) last = refusals.note(refused());
    await refusals.close();
    expect(await refusals.find(others)).toBeDefined();
    expect(await refusals.find(earlier)).toBeDefined();
    const rows = await refusals.list({ clientId: 'bookshelf' }, 1000);
    expect(rows).toHaveLength(6);
    expect(rows.reduce((sum, { times }) => sum + times, 0)).toBe(100_001);
    // The last answer names a record that says how often.
    expect((await stores.refusals.find(last))?.times).toBe(99_996);
    expect(lines).toHaveLength(7);
  });

  test('names of clients that are not registered share one quota, however many there are', async () => {
    const { refusals } = await build();
    for (let n = 0; n < 100; n++)
      refusals.note(refused({ clientId: `made-up-${n}`, known: false, check: 'client_unknown' }));
    await refusals.close();
    expect(await refusals.list({}, 1000)).toHaveLength(5);
  });

  test('a client keeps 500, and one network cannot displace what another left', async () => {
    const { refusals, stores } = await build();
    const kept = refusals.note(refused({ address: '198.51.100.7' }));
    for (let n = 0; n < refusalBounds.perClient + 200; n++) {
      clock.advance(13);
      refusals.note(refused());
    }
    await refusals.close();
    const rows = await stores.refusals.list({ clientId: 'bookshelf' }, 1000);
    expect(rows.length).toBeLessThanOrEqual(refusalBounds.perClient);
    expect(rows.length).toBeGreaterThan(refusalBounds.perClient - 30);
    expect(rows.map(({ reference }) => reference)).toContain(kept);
  });

  test('a database that is away costs the answer nothing: the record is dropped and counted', async () => {
    const { refusals, metrics } = await build((store) => ({
      ...store,
      write: () => Promise.reject(new Error('away')),
    }));
    const reference = refusals.note(refused());
    await refusals.close();
    expect(await refusals.find(reference)).toBeUndefined();
    const { body } = await metrics.page();
    expect(body).toContain('gatehouse_refusals_total{endpoint="token",check="client_secret_wrong"} 1');
    expect(body).toContain('gatehouse_refusals_dropped_total 1');
  });

  test('a database that hangs holds a bounded number of records', async () => {
    let release = () => {};
    const hang = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { refusals, metrics } = await build((store) => ({
      ...store,
      write: async (...rows) => {
        await hang;
        return store.write(...rows);
      },
    }));
    for (let n = 0; n < 2_000; n++) {
      clock.advance(1);
      refusals.note(refused({ clientId: `client-${n}` }));
    }
    release();
    await refusals.close();
    expect((await refusals.list({}, 1000)).length).toBeLessThanOrEqual(1_000);
    expect((await metrics.page()).body).toMatch(/refusals_dropped_total \d{3}/);
  });

  test('the nearest value is looked for after the answer, and only for a record', async () => {
    const { refusals } = await build();
    let looks = 0;
    const look = async () => {
      looks += 1;
      return 'bookshelf';
    };
    const reference = refusals.note(refused({ look }));
    for (let n = 0; n < 50; n++) refusals.note(refused({ look }));
    await refusals.close();
    expect((await refusals.find(reference))?.nearest).toBe('bookshelf');
    expect(looks).toBe(5);
  });

  test('after 30 days it goes', async () => {
    const { refusals } = await build();
    const old = refusals.note(refused());
    await refusals.close();
    clock.advance(20 * 86_400);
    const young = refusals.note(refused({ address: '192.0.2.9' }));
    await refusals.close();
    clock.advance(11 * 86_400);
    await refusals.prune();
    expect(await refusals.find(old)).toBeUndefined();
    expect(await refusals.find(young)).toBeDefined();
  });
});
