/**
 * npm run bench:statements -- [--rounds 12] [--only join,commit]
 *
 * Each joined or merged statement beside the simple form it could have: in turns within one process, 32 at once, by the processor
 * time of this process and, on Postgres, of its backends. Postgres takes part where TEST_DATABASE_URL names a server.
 * docs/performance.md has the results. What shows no gain there is to be written simply.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { randomToken } from '../src/base/secrets.ts';
import type { EngineStore, TokenRow } from '../src/core/stores/engine.ts';
import { postgresEngine } from '../src/storage/sql/engine/engine-postgres.ts';
import { putToken } from '../src/storage/sql/engine/engine-rows.ts';
import { sqliteEngine } from '../src/storage/sql/engine/engine-sqlite.ts';
import { createEngineStore } from '../src/storage/sql/engine/engine-store.ts';
import { openSql, type SqlSettings } from '../src/storage/sql/open.ts';
import { openPostgres } from '../src/storage/sql/postgres.ts';
import { type EngineDialect, type Sql, statement } from '../src/storage/sql/sql.ts';
import { openSqlite, type Sqlite } from '../src/storage/sql/sqlite.ts';
import { accountsSeen, type Mark } from '../src/storage/sql/stores/last-seen.ts';
import { createUseStore } from '../src/storage/sql/stores/use.ts';
import { accounts, grants, sessions } from '../src/storage/sql/tables.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '12' }, only: { type: 'string', default: '' } },
});
const seats = Array.from({ length: 32 }, (_, seat) => seat);
const people = 2000;
const far = 4_000_000_000;

/** One go of one seat. */
type Go = (seat: number, go: number) => Promise<unknown>;

interface Comparison {
  readonly name: string;
  readonly goes: number;
  readonly kept: Go;
  readonly simple: Go;
}

interface Database {
  readonly kind: 'sqlite' | 'postgres';
  readonly sql: Sql;
  readonly dialect: () => EngineDialect;
  /** Microseconds of the processes that do the work. */
  readonly cpu: () => Promise<number>;
  readonly comparisons: () => readonly Comparison[];
  readonly drop: () => Promise<void>;
}

const own = async (): Promise<number> => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Of a process of this machine; the kernel counts in hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

const token = (key: string, more: Partial<TokenRow> = {}): TokenRow => ({
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

async function seed(settings: SqlSettings): Promise<void> {
  const stores = await openSql(settings, { migrateAtOpen: true });
  for (let n = 0; n < people; n += 100) {
    const batch = Array.from({ length: 100 }, (_, k) => person(n + k));
    await stores.accounts.insertAll(batch.map((account) => ({ ...account, disabledAt: null })));
    await Promise.all(batch.map(({ subject }) => stores.engine.commit(signedIn(subject))));
  }
  await stores.close();
}

const person = (n: number) => ({
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
});

function signedIn(subject: string) {
  const [key, uid, grantId] = [`k${subject}`, `u${subject}`, `g${subject}`];
  const origin = { door: 'browser', clientId: null, address: '192.0.2.1', userAgent: 'bench' };
  return {
    tokens: [token(`t${subject}`, { grantId, subject, sessionUid: uid })],
    grants: [{ id: grantId, clientId: 'client', subject, payload: '{"openid":{"scope":"openid"}}', expiresAt: far }],
    sessions: [
      { key, uid, subject, payload: '{"login":1}', grants: { client: grantId }, expiresAt: far, origin, before: null },
    ],
  };
}

const someone = () => `s${Math.floor(Math.random() * people)}`;

/** The same on both databases: what waits at one moment goes together, or each request goes by itself. */
function merging({ sql, dialect }: Pick<Database, 'sql' | 'dialect'>): Comparison[] {
  const together = createEngineStore(sql, dialect());
  const apart = seats.map(() => createEngineStore(sql, dialect()));
  const current = new Map<string, string>();
  const refresh = async (form: string, engine: EngineStore, seat: number) => {
    const [name, next] = [`${form}${seat}`, randomToken(32)];
    const key = current.get(name);
    current.set(name, next);
    const successor = { key: next, sealed: 'sealed' };
    const tokens = [token(next), token(randomToken(32), { kind: 'AccessToken' })];
    const done = await engine.commit({ tokens, ...(key !== undefined && { consume: { key, at: 1, successor } }) });
    if (done.outcome !== 'committed') throw new Error(done.outcome);
  };
  return [
    {
      name: 'merge: tokens that are read at one moment',
      goes: 200,
      kept: () => together.readToken(`t${someone()}`),
      simple: (seat) => (apart[seat] as EngineStore).readToken(`t${someone()}`),
    },
    {
      name: 'merge: sessions that are read at one moment',
      goes: 200,
      kept: () => together.readSession(`k${someone()}`, 'client'),
      simple: (seat) => (apart[seat] as EngineStore).readSession(`k${someone()}`, 'client'),
    },
    {
      name: 'merge: commits of refreshes at one moment',
      goes: 60,
      kept: (seat) => refresh('together', together, seat),
      simple: (seat) => refresh('apart', apart[seat] as EngineStore, seat),
    },
  ];
}

const byKey = {
  token: statement('bench_token', 'select * from tokens where key = ?'),
  successor: statement('bench_successor', 'select consumed_at from tokens where key = ?'),
  grant: statement('bench_grant', `${grants.select} where id = ?`),
  account: statement('bench_account', `${accounts.select} where subject = ?`),
  session: statement('bench_session', `${sessions.select} where uid = ?`),
};

const marks = (go: number) =>
  Array.from({ length: 50 }, (_, n) => ({ key: [`s${(go * 50 + n) % people}`], at: go + 2 }));
const touchOne = statement(
  'bench_touch',
  'update accounts set last_seen_at = ? where subject = ? and coalesce(last_seen_at, 0) < ?',
);

async function touchByKnex(sql: Sql, all: readonly Mark[]): Promise<void> {
  await sql.transaction(async (trx) => {
    for (const { key, at } of all)
      await trx('accounts')
        .where({ subject: key[0] })
        .where((older) => older.whereNull('last_seen_at').orWhere('last_seen_at', '<', at))
        .update({ last_seen_at: at });
  });
}

const doors = statement('bench_doors', "select distinct door from sessions where door <> 'browser'");

/** A hundred thousand sessions of three surfaces. */
async function manySessions(sql: Sql): Promise<void> {
  const row = (n: number) =>
    sessions.values({
      key: `many${n}`,
      uid: `many${n}`,
      subject: null,
      payload: '{}',
      grants: {},
      expiresAt: far,
      createdAt: 1,
      origin: {
        door: ['identity', 'tinyoauth', 'space-guard'][n % 3] ?? '',
        clientId: null,
        address: null,
        userAgent: null,
      },
    });
  for (let n = 0; n < 100_000; n += 500)
    await sql.knex('sessions').insert(Array.from({ length: 500 }, (_, k) => row(n + k)));
}

function surfaceUse(sql: Sql): Comparison {
  const use = createUseStore(sql);
  return {
    name: 'use: which doors there are among 100,000 sessions of APIs',
    goes: 1,
    kept: () => use.read(),
    simple: () => sql.rows(doors, []),
  };
}

async function openSqliteBench(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const file = join(folder, 'bench.sqlite');
  await seed({ kind: 'sqlite', file });
  const sql: Sqlite = openSqlite(file);
  await manySessions(sql);
  const dialect = () => sqliteEngine(sql);
  const together = createEngineStore(sql, dialect());
  let touched = 0;
  const comparisons = (): Comparison[] => [
    {
      name: 'join: a token with its grant, account and session',
      goes: 200,
      kept: (seat) =>
        seat === 0 ? Promise.all(seats.map(() => together.readToken(`t${someone()}`))) : Promise.resolve(),
      simple: (seat) =>
        seat === 0
          ? sql.exclusively((connection) =>
              seats.map(() => {
                const subject = someone();
                connection.rows(byKey.token, [`t${subject}`]);
                grants.read(connection.rows(byKey.grant, [`g${subject}`])[0] ?? []);
                accounts.read(connection.rows(byKey.account, [subject])[0] ?? []);
                return sessions.read(connection.rows(byKey.session, [`u${subject}`])[0] ?? []);
              }),
            )
          : Promise.resolve(),
    },
    ...merging({ sql, dialect }),
    {
      name: 'touch: 50 last-seen times, against a transaction that Knex builds',
      goes: 2,
      kept: (seat) => (seat < 2 ? accountsSeen.mark(sql, marks(touched++)) : Promise.resolve()),
      simple: async (seat) => {
        if (seat < 2) await touchByKnex(sql, marks(touched++));
      },
    },
    {
      name: 'touch: 50 last-seen times',
      goes: 4,
      kept: () => accountsSeen.mark(sql, marks(touched++)),
      simple: () =>
        sql.exclusively((connection) => {
          connection.database.exec('begin immediate');
          for (const { key, at } of marks(touched++)) connection.rows(touchOne, [at, ...key, at]);
          connection.database.exec('commit');
        }),
    },
    surfaceUse(sql),
  ];
  const drop = async () => {
    await sql.close();
    rmSync(folder, { recursive: true });
  };
  return { kind: 'sqlite', sql, dialect, cpu: own, comparisons, drop };
}

const numbered = (text: string) => statement('', text).numbered;

async function openPostgresBench(server: string): Promise<Database> {
  const name = `gatehouse_bench_${randomToken(6)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const address = new URL(server);
  address.pathname = `/${name}`;
  const settings = { kind: 'postgres', url: address.href, pool: 8 } as const;
  await seed(settings);
  const sql = openPostgres(settings);
  await manySessions(sql);
  const dialect = () => postgresEngine(sql);
  const pool = new pg.Pool({ connectionString: address.href, max: 8 });
  pool.on('error', () => {});
  const backends = new Map<number, number>();
  const apart = seats.map(() => createEngineStore(sql, dialect()));
  const current = new Map<number, string>();
  let touched = 0;

  /** What a refresh writes, one statement after the other. */
  async function refresh(seat: number): Promise<void> {
    const [key, next] = [current.get(seat), randomToken(32)];
    current.set(seat, next);
    const client = await pool.connect();
    const run = (named: string, text: string, values: unknown[]) =>
      client.query({ name: named, text: numbered(text), values });
    await client.query('begin');
    await run('use', 'update tokens set consumed_at = ?, successor_key = ? where key = ? and consumed_at is null', [
      ...[1, next, key ?? ''],
    ]);
    for (const put of [token(next), token(randomToken(32), { kind: 'AccessToken' })])
      await run('put', `${putToken.insert} ${putToken.replace}`, putToken.values(put));
    await client.query('commit');
    client.release();
  }

  const comparisons = (): Comparison[] => [
    {
      name: 'join: a token with its grant, account and session',
      goes: 60,
      kept: (seat) => (apart[seat] as EngineStore).readToken(`t${someone()}`),
      simple: async () => {
        const subject = someone();
        await sql.rows(byKey.token, [`t${subject}`]);
        await Promise.all([
          sql.rows(byKey.grant, [`g${subject}`]),
          sql.rows(byKey.account, [subject]),
          sql.rows(byKey.session, [`u${subject}`]),
        ]);
      },
    },
    ...merging({ sql, dialect }),
    {
      name: 'one statement for a refresh, against a transaction of five',
      goes: 60,
      kept: merging({ sql, dialect })[2]?.simple ?? (async () => {}),
      simple: (seat) => refresh(seat),
    },
    {
      name: 'touch: 50 last-seen times',
      goes: 4,
      kept: (seat) => (seat < 2 ? accountsSeen.mark(sql, marks(touched++)) : Promise.resolve()),
      simple: async (seat) => {
        if (seat > 1) return;
        const client = await pool.connect();
        await client.query('begin');
        // In one order, so that no two wait for each other.
        for (const { key, at } of marks(touched++).toSorted((a, b) => (a.key.join() < b.key.join() ? -1 : 1)))
          await client.query({ name: 'touch', text: touchOne.numbered, values: [at, ...key, at] });
        await client.query('commit');
        client.release();
      },
    },
    surfaceUse(sql),
  ];
  const drop = async () => {
    await pool.end();
    await sql.close();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  };
  const cpu = async () => {
    const { rows } = await admin.query('select pid from pg_stat_activity where datname = $1', [name]);
    for (const { pid } of rows) backends.set(pid, cpuOf(pid));
    return (await own()) + [...backends.values()].reduce((sum, used) => sum + used, 0);
  };
  return { kind: 'postgres', sql, dialect, cpu, comparisons, drop };
}

async function timed(database: Database, { goes }: Comparison, go: Go): Promise<number> {
  const before = await database.cpu();
  await Promise.all(
    seats.map(async (seat) => {
      for (let n = 0; n < goes; n += 1) await go(seat, n);
    }),
  );
  return ((await database.cpu()) - before) / (goes * seats.length);
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const micro = (value: number): string => value.toFixed(1);

async function compare(database: Database): Promise<void> {
  for (const comparison of database.comparisons()) {
    if (options.only && !options.only.split(',').some((only) => comparison.name.includes(only))) continue;
    const kept: number[] = [];
    const simple: number[] = [];
    for (let round = -1; round < Number(options.rounds); round += 1) {
      const [a, b] = [
        await timed(database, comparison, comparison.kept),
        await timed(database, comparison, comparison.simple),
      ];
      if (round < 0) continue;
      kept.push(a);
      simple.push(b);
    }
    const ratio = median(kept.map((value, round) => (simple[round] ?? 0) / value));
    process.stdout.write(
      `| ${comparison.name} | ${database.kind} | ${micro(median(kept))} | ${micro(median(simple))} | ${ratio.toFixed(2)} |\n`,
    );
  }
}

process.stdout.write('| statement | database | CPU µs | simple form, CPU µs | ratio |\n|---|---|---|---|---|\n');
const server = process.env.TEST_DATABASE_URL;
for (const open of [openSqliteBench, ...(server ? [() => openPostgresBench(server)] : [])]) {
  const database = await open();
  try {
    await compare(database);
  } finally {
    await database.drop();
  }
}
