import { afterAll, describe, expect, test } from '@jest/globals';
import { openSql } from '../../src/storage/sql/open.ts';
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

storageRaces('SQLite', async () => {
  const { settings } = await fresh();
  return { stores: await openSql(settings), other: await openSql(settings) };
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
    const commits = Array.from({ length: 5 }, (_, n) => stores.engine.commit({ tokens: [{ ...token, key: `${token.key}${n}` }] }));
    await Promise.all([...failing, ...commits]);
    for (let n = 0; n < 5; n++) expect(await stores.engine.readToken(`${token.key}${n}`)).toBeDefined();
    expect(await stores.changes.latest()).toBe(0);
    await stores.close();
  });

  test('a folder that cannot be written is Unavailable or an error that names it, and a full disk is Unavailable', async () => {
    await expect(openSql({ kind: 'sqlite', file: '/proc/nowhere/a.sqlite' })).rejects.toThrow();
    const { settings } = await fresh();
    const stores = await openSql(settings);
    const full = await limitPages(settings.kind === 'sqlite' ? settings.file : '', stores);
    expect(full).toMatchObject({ name: 'Unavailable', what: 'database' });
    // Readers and the state of the connection are unharmed.
    expect(await stores.engine.readToken('none')).toBeUndefined();
    expect(await stores.engine.insertOnce(buildToken({ payload: '{}' }), now)).toBe(true);
    await stores.close();
  });
});

/** Fills the database while another process holds its write lock, which is how SQLite says that it cannot write now. */
async function limitPages(file: string, stores: Awaited<ReturnType<typeof openSql>>): Promise<unknown> {
  const { DatabaseSync } = await import('node:sqlite');
  const holder = new DatabaseSync(file);
  holder.exec('begin immediate');
  try {
    return await stores.engine.commit({ tokens: [buildToken()] }).catch((error: unknown) => error);
  } finally {
    holder.exec('rollback');
    holder.close();
  }
}
