import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from '@jest/globals';
import { sqliteEngine } from '../../src/storage/sql/engine/engine-sqlite.ts';
import { createEngineStore } from '../../src/storage/sql/engine/engine-store.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { openSqlite } from '../../src/storage/sql/sqlite.ts';
import { createOutbox } from '../../src/storage/sql/stores/outbox.ts';
import { freshSqlite, type TestDatabase } from '../support/databases.ts';
import { storageConformance } from './conformance.ts';
import { storageRaces } from './races.ts';
import { buildToken, now } from './rows.ts';

const made: TestDatabase[] = [];
async function fresh(): Promise<TestDatabase> {
  const database = await freshSqlite();
  made.push(database);
  return database;
}
afterAll(() => Promise.all(made.map((database) => database.drop())));

storageConformance('SQLite', async () => openSql((await fresh()).settings));
storageConformance('SQLite in memory', () => openSql({ kind: 'sqlite', file: ':memory:' }));

// One process, one connection: a second one in the same thread would wait for a lock that it keeps the first from
// giving back.
storageRaces('SQLite', async () => {
  const stores = await openSql((await fresh()).settings);
  return { stores, other: stores };
});

describe('SQLite', () => {
  test('what was committed is there after closing and opening again', async () => {
    const { settings } = await fresh();
    const token = buildToken();
    const first = await openSql(settings);
    await first.engine.commit({ tokens: [token] });
    await first.close();
    const second = await openSql(settings);
    expect((await second.engine.readToken(token.key))?.token).toMatchObject(token);
    await second.close();
  });

  test('a transaction that fails does not take a concurrent commit with it (they share one connection)', async () => {
    const stores = await openSql((await fresh()).settings);
    const token = buildToken();
    const failing = Array.from({ length: 5 }, () => stores.keys.replace([{ id: 'unknown', status: 'next' }], [], []));
    const commits = Array.from({ length: 5 }, (_, n) =>
      stores.engine.commit({ tokens: [{ ...token, key: `${token.key}${n}` }] }),
    );
    await Promise.all([...failing, ...commits]);
    for (let n = 0; n < 5; n++) expect(await stores.engine.readToken(`${token.key}${n}`)).toBeDefined();
    expect(await stores.changes.latest()).toBe(0);
    await stores.close();
  });

  test('a file that cannot be made is an error that says so', async () => {
    const { settings } = await fresh();
    const file = settings.kind === 'sqlite' ? settings.file : '';
    writeFileSync(file, 'this is a text, and no database, '.repeat(100));
    await expect(openSql(settings)).rejects.toThrow();
    await expect(openSql({ kind: 'sqlite', file: join(file, 'below') })).rejects.toThrow(/EEXIST|ENOTDIR/);
  });

  test('a full disk is Unavailable, for each unit of the batch; reading goes on, and so does writing once there is room', async () => {
    const { settings } = await fresh();
    await (await openSql(settings)).close();
    const sqlite = openSqlite(settings.kind === 'sqlite' ? settings.file : '');
    const outbox = createOutbox(sqlite);
    const engine = createEngineStore(sqlite, sqliteEngine(sqlite, outbox), outbox);
    await sqlite.exclusively(({ database }) => database.exec('pragma max_page_count = 60'));
    const big = () => buildToken({ payload: 'x'.repeat(100_000) });
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => engine.commit({ tokens: [big()] })));
    const reasons = outcomes.map((each) => (each.status === 'rejected' ? each.reason : each.value));
    expect(reasons).toContainEqual(expect.objectContaining({ name: 'Unavailable', what: 'database' }));
    expect(await engine.readToken('none')).toBeUndefined();
    await sqlite.exclusively(({ database }) => database.exec('pragma max_page_count = 100000'));
    expect(await engine.commit({ tokens: [big()] })).toEqual({ outcome: 'committed' });
    await sqlite.close();
  });

  test('while another process keeps the write lock, a write is Unavailable and a read answers', async () => {
    const { settings } = await fresh();
    const stores = await openSql(settings);
    const holder = new DatabaseSync(settings.kind === 'sqlite' ? settings.file : '');
    holder.exec('begin immediate');
    await expect(stores.engine.commit({ tokens: [buildToken()] })).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await stores.engine.readToken('none')).toBeUndefined();
    holder.exec('rollback');
    holder.close();
    expect(await stores.engine.insertOnce(buildToken(), now)).toBe(true);
    await stores.close();
  });
});
