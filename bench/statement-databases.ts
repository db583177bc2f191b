/** The databases of `statements.ts`, seeded with signed-in users and many API sessions. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { randomToken } from '../src/base/secrets.ts';
import type { TokenRow } from '../src/core/stores/engine.ts';
import { postgresEngine } from '../src/storage/sql/engine/engine-postgres.ts';
import { sqliteEngine } from '../src/storage/sql/engine/engine-sqlite.ts';
import { createEngineStore } from '../src/storage/sql/engine/engine-store.ts';
import { openSql, type SqlSettings } from '../src/storage/sql/open.ts';
import { openPostgres } from '../src/storage/sql/postgres.ts';
import type { Sql } from '../src/storage/sql/sql.ts';
import { openSqlite, type Sqlite } from '../src/storage/sql/sqlite.ts';
import { createOutbox } from '../src/storage/sql/stores/outbox.ts';
import { sessions } from '../src/storage/sql/tables.ts';

export const people = 2000;
const far = 4_000_000_000;

interface Common {
  /** An engine store that shares no statements with other stores. */
  readonly engine: () => ReturnType<typeof createEngineStore>;
  /** Microseconds of processor time, of this process and of the database's processes. */
  cpu(): Promise<number>;
  drop(): Promise<void>;
}

export type Database = Common &
  (
    | { readonly kind: 'sqlite'; readonly sql: Sqlite }
    | { readonly kind: 'postgres'; readonly sql: Sql; readonly pool: pg.Pool }
  );

export const buildToken = (key: string, more: Partial<TokenRow> = {}): TokenRow => ({
  key,
  kind: 'RefreshToken',
  payload: JSON.stringify({ iat: 1, scope: 'openid profile', claims: 'x'.repeat(400) }),
  grantId: null,
  clientId: 'client',
  subject: null,
  sessionUid: null,
  expiresAt: far,
  ...more,
});

const buildPerson = (n: number) => ({
  subject: `s${n}`,
  username: `person-${n}`,
  usernameKey: `person-${n}`,
  firstName: 'Bench',
  lastName: 'Person',
  email: null,
  emailKey: null,
  verified: false,
  twoFactor: false,
  admin: false,
  passwordHash: null,
  createdAt: 1,
  disabledAt: null,
});

const origin = { door: 'browser', clientId: null, address: '192.0.2.1', userAgent: 'bench' };

/** The token `t…`, grant `g…` and session `k…`, `u…` of a subject. */
function signedIn(subject: string) {
  const [key, uid, grantId] = [`k${subject}`, `u${subject}`, `g${subject}`];
  const payload = '{"login":1}';
  const session = { key, uid, subject, payload, grants: { client: grantId }, sids: {}, expiresAt: far, origin };
  return {
    tokens: [buildToken(`t${subject}`, { grantId, subject, sessionUid: uid })],
    grants: [{ id: grantId, clientId: 'client', subject, payload: '{"openid":{"scope":"openid"}}', expiresAt: far }],
    sessions: [{ ...session, before: null }],
  };
}

function apiSession(n: number): Record<string, unknown> {
  const door = ['identity', 'tinyoauth', 'space-guard'][n % 3] ?? '';
  const [row] = signedIn(`-api-${n}`).sessions;
  return sessions.values({ ...row, createdAt: 1, origin: { ...origin, door } });
}

async function seed(settings: SqlSettings, sql: Sql): Promise<void> {
  const stores = await openSql(settings, { migrateAtOpen: true });
  for (let n = 0; n < people; n += 100) {
    const batch = Array.from({ length: 100 }, (_, k) => buildPerson(n + k));
    await stores.accounts.insertAll(batch);
    await Promise.all(batch.map(({ subject }) => stores.engine.commit(signedIn(subject))));
  }
  await stores.close();
  for (let n = 0; n < 100_000; n += 500)
    await sql.knex('sessions').insert(Array.from({ length: 500 }, (_, k) => apiSession(n + k)));
}

async function ownCpu(): Promise<number> {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Processor time of a process on this machine, in microseconds. The kernel counts in hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

export async function openSqliteBench(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const settings = { kind: 'sqlite', file: join(folder, 'bench.sqlite') } as const;
  const sql = openSqlite(settings.file);
  await seed(settings, sql);
  const outbox = createOutbox(sql);
  return {
    kind: 'sqlite',
    sql,
    engine: () => createEngineStore(sql, sqliteEngine(sql, outbox), outbox),
    cpu: ownCpu,
    async drop() {
      await sql.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export async function openPostgresBench(server: string): Promise<Database> {
  const name = `gatehouse_bench_${Date.now()}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const address = new URL(server);
  address.pathname = `/${name}`;
  const settings = { kind: 'postgres', url: address.href, pool: 8 } as const;
  const sql = openPostgres(settings);
  await seed(settings, sql);
  const outbox = createOutbox(sql);
  const pool = new pg.Pool({ connectionString: address.href, max: 8 });
  // Dropping the database ends idle connections.
  pool.on('error', () => {});
  const backends = new Map<number, number>();
  return {
    kind: 'postgres',
    sql,
    pool,
    engine: () => createEngineStore(sql, postgresEngine(sql, outbox), outbox),
    async cpu() {
      const { rows } = await admin.query('select pid from pg_stat_activity where datname = $1', [name]);
      for (const { pid } of rows) backends.set(pid, cpuOf(pid));
      return (await ownCpu()) + [...backends.values()].reduce((sum, used) => sum + used, 0);
    },
    async drop() {
      await pool.end();
      await sql.close();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

export const someone = (): string => `s${Math.floor(Math.random() * people)}`;
export const fresh = (): string => randomToken(32);
