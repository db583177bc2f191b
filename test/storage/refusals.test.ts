/** What core/stores/refusals promises, on both databases. */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RefusalRow } from '../../src/core/stores/refusals.ts';
import { openSql, type SqlStores } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';

let made = 0;
function row(overrides: Partial<RefusalRow> = {}): RefusalRow {
  made += 1;
  return {
    ...{ reference: `r-${made}`, atMs: made, lastMs: made, times: 1, endpoint: 'token', clientId: 'a', scope: 'a' },
    ...{
      address: '192.0.2.1',
      network: '192.0.2.1',
      check: 'client_secret_wrong',
      status: 401,
      error: 'invalid_client',
    },
    ...{ expected: null, received: 'é\u{1f600}', nearest: null, advice: 'Send another.' },
    ...overrides,
  };
}

function promises(name: string, fresh: () => Promise<TestDatabase>): void {
  describe(`refusals on ${name}`, () => {
    let stores: SqlStores;
    const opened: { stores: SqlStores; database: TestDatabase }[] = [];
    beforeEach(async () => {
      const database = await fresh();
      stores = await openSql(database.settings, { migrateAtOpen: true });
      opened.push({ stores, database });
    });
    afterAll(async () => {
      for (const each of opened) {
        await each.stores.close();
        await each.database.drop();
      }
    });
    const all = () => stores.refusals.list({}, 1000);

    test('a record comes back as it was written; a taken reference stays; repeats add up', async () => {
      const first = row();
      await stores.refusals.write([first], []);
      await stores.refusals.write([{ ...first, advice: 'another' }], []);
      expect(await stores.refusals.find(first.reference)).toEqual(first);
      await stores.refusals.write([row()], [{ reference: first.reference, times: 41, lastMs: 1e12 }]);
      expect(await stores.refusals.find(first.reference)).toEqual({ ...first, times: 42, lastMs: 1e12 });
      for (const none of ['', 'r-none', 'a\0b']) expect(await stores.refusals.find(none)).toBeUndefined();
    });

    test('a list is newest first, of one client, in pages', async () => {
      const rows = Array.from({ length: 5 }, (_, n) => row({ clientId: n % 2 === 0 ? 'even' : 'odd' }));
      await stores.refusals.write(rows, []);
      const references = (list: readonly RefusalRow[]) => list.map(({ reference }) => reference);
      expect(references(await all())).toEqual(references(rows.toReversed()));
      expect(await stores.refusals.list({ clientId: 'even' }, 2)).toHaveLength(2);
      expect(references(await stores.refusals.list({ beforeMs: rows[2]?.lastMs ?? 0 }, 10))).toEqual(
        references(rows.slice(0, 2).toReversed()),
      );
      expect(await stores.refusals.list({ clientId: 'a\0' }, 10)).toEqual([]);
    });

    test('the network with the most records gives its oldest; the others keep theirs', async () => {
      const quiet = [row({ network: 'quiet' }), row({ network: 'other' })];
      await stores.refusals.write(quiet, []);
      await stores.refusals.write(
        Array.from({ length: 60 }, () => row({ network: 'loud' })),
        [],
      );
      await stores.refusals.write([row({ scope: 'b', network: 'loud' })], []);
      expect(await stores.refusals.trim('a', 20)).toBe(42);
      const left = await all();
      expect(left.filter(({ scope }) => scope === 'a')).toHaveLength(20);
      expect(left.filter(({ network }) => network !== 'loud')).toHaveLength(2);
      expect(await stores.refusals.trim('a', 20)).toBe(0);
    });

    test('of all scopes the largest gives', async () => {
      await stores.refusals.write([row({ scope: 'small' })], []);
      await stores.refusals.write(
        Array.from({ length: 50 }, () => row({ scope: 'large' })),
        [],
      );
      expect(await stores.refusals.trimAll(10)).toBe(41);
      expect((await all()).map(({ scope }) => scope).sort()).toEqual([...Array(9).fill('large'), 'small']);
    });

    test('what is old goes, in batches', async () => {
      const rows = Array.from({ length: 10 }, () => row());
      await stores.refusals.write(rows, []);
      const limit = rows[8]?.lastMs ?? 0;
      expect([
        await stores.refusals.prune(limit, 5),
        await stores.refusals.prune(limit, 5),
        await stores.refusals.prune(limit, 5),
      ]).toEqual([5, 3, 0]);
      expect(await all()).toHaveLength(2);
    });
  });
}

promises('SQLite', freshSqlite);
describePostgres('Postgres', () => promises('Postgres', () => freshPostgres()));
