/**
 * Fresh databases for tests: a SQLite file in a folder of its own, or a Postgres database made and dropped for one
 * suite.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqlSettings } from '../../src/storage/sql/open.ts';
import { describeWith } from './describe-with.ts';
import { migratedTemplate } from './once/migrated.ts';
import { randomWord } from './once/run-folder.ts';
import { createDatabase, dropDatabase, urlOf } from './postgres-server.ts';

export interface TestDatabase {
  /** For `openSql`. */
  readonly settings: SqlSettings;
  /** For `DATABASE_URL`; empty for SQLite. */
  readonly url: string;
  /** Close what you opened first; a Postgres database goes anyway. */
  drop(): Promise<void>;
}

export async function freshSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  return {
    settings: { kind: 'sqlite', file: join(folder, 'gatehouse.sqlite') },
    url: '',
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function createPostgres(pool: number, template?: string): Promise<TestDatabase> {
  const name = `gatehouse_test_${randomWord()}`;
  await createDatabase(name, template);
  const url = urlOf(name);
  return { settings: { kind: 'postgres', url, pool }, url, drop: () => dropDatabase(name) };
}

/** An empty one. Needs TEST_DATABASE_URL: see `describePostgres`. */
export const freshPostgres = (pool = 8): Promise<TestDatabase> => createPostgres(pool);

/** With the tables of this version, in a third of the time. */
export const migratedPostgres = async (pool = 8): Promise<TestDatabase> =>
  createPostgres(pool, await migratedTemplate());

/** A suite that needs a Postgres server. */
export function describePostgres(name: string, suite: () => void): void {
  describeWith('Postgres')(name, suite);
}
