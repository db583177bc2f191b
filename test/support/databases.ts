/** Fresh databases for tests: a SQLite file in a folder of its own, or a Postgres database made and dropped for one suite. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { SqlSettings } from '../../src/storage/sql/open.ts';
import { describeWith } from './describe-with.ts';

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

async function onServer(server: string, command: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(command);
  } finally {
    await client.end();
  }
}

/** Needs TEST_DATABASE_URL: see `describePostgres`. */
export async function freshPostgres(pool = 8): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL;
  if (!server) throw new Error('TEST_DATABASE_URL is not set');
  const name = `gatehouse_test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `create database ${name}`);
  const address = new URL(server);
  address.pathname = `/${name}`;
  return {
    settings: { kind: 'postgres', url: address.href, pool },
    url: address.href,
    drop: () => onServer(server, `drop database if exists ${name} with (force)`),
  };
}

/** A suite that needs a Postgres server. */
export function describePostgres(name: string, suite: () => void): void {
  describeWith('Postgres')(name, suite);
}
