/**
 * npm run bench:statements -- [--rounds 12] [--only join,commit]
 *
 * Compares each joined or merged statement with its simple form: in turns within one process, 32 at once, by the
 * processor time of this process and of the Postgres backends. Postgres is included if TEST_DATABASE_URL is set.
 * docs/performance.md has the results. A statement without a gain there should have the simple form.
 */
import { parseArgs } from 'node:util';
import { putToken } from '../src/storage/sql/engine/engine-store.ts';
import { statement } from '../src/storage/sql/sql.ts';
import { accountsSeen } from '../src/storage/sql/stores/last-seen.ts';
import { createUseStore } from '../src/storage/sql/stores/use.ts';
import { accounts, grants, sessions } from '../src/storage/sql/tables.ts';
import {
  buildToken,
  type Database,
  fresh,
  openPostgresBench,
  openSqliteBench,
  people,
  someone,
} from './statement-databases.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '12' }, only: { type: 'string', default: '' } },
});
const seatsOf = (count: number) => Array.from({ length: count }, (_, seat) => seat);
const seats = seatsOf(32);

/** One run of one seat. */
type Go = (seat: number) => Promise<unknown>;

interface Comparison {
  readonly name: string;
  readonly atOnce?: number;
  /** Runs per seat. */
  readonly goes: number;
  readonly kept: Go;
  readonly simple: Go;
}

/** The writes of a refresh: consumes one token and stores two. */
function refreshOf() {
  const current = new Map<number, string>();
  return (seat: number) => {
    const [key, next] = [current.get(seat), fresh()];
    current.set(seat, next);
    const tokens = [buildToken(next), buildToken(fresh(), { kind: 'AccessToken' })];
    return {
      tokens,
      ...(key !== undefined && { consume: [{ key, at: 1, successor: { key: next, sealed: 'sealed' } }] }),
    };
  };
}

const use = statement(
  'bench_use',
  'update tokens set consumed_at = ?, successor_key = ?, successor_sealed = ? where key = ? and consumed_at is null',
);
const putOne = statement('bench_put', `${putToken.insert} ${putToken.replace}`);

const tokenByKey = statement('bench_token', 'select * from tokens where key = ?');
const grantById = statement('bench_grant', `${grants.select} where id = ?`);
const accountBySubject = statement('bench_account', `${accounts.select} where subject = ?`);
const sessionByUid = statement('bench_session', `${sessions.select} where uid = ?`);

function reading(database: Database): Comparison[] {
  const { engine } = database;
  const together = engine();
  const apart = seats.map(engine);
  const mine = (seat: number) => apart[seat] ?? together;
  const ofSubject = (subject: string) =>
    [
      [tokenByKey, `t${subject}`],
      [grantById, `g${subject}`],
      [accountBySubject, subject],
      [sessionByUid, `u${subject}`],
    ] as const;
  const joined: Comparison = {
    name: 'join: a token with its grant, account and session, against four look-ups',
    goes: 100,
    kept: (seat) => mine(seat).readToken(`t${someone()}`),
    simple: () => {
      const looks = ofSubject(someone());
      if (database.kind === 'sqlite')
        return database.sql.exclusively((connection) => looks.map(([by, key]) => connection.rows(by, [key])));
      return Promise.all(looks.map(([by, key]) => database.sql.rows(by, [key])));
    },
  };
  const merged = (what: string, go: (by: typeof together, subject: string) => Promise<unknown>): Comparison => ({
    name: `merge: concurrent reads of ${what}, against one by one`,
    goes: 200,
    kept: () => go(together, someone()),
    simple: (seat) => go(mine(seat), someone()),
  });
  return [
    joined,
    merged('tokens', (by, subject) => by.readToken(`t${subject}`)),
    merged('sessions', (by, subject) => by.readSession(`k${subject}`, 'client')),
    merged('grants', (by, subject) => by.readGrant(`g${subject}`, `u${subject}`)),
  ];
}

function committing(database: Database): Comparison[] {
  const { engine } = database;
  const together = engine();
  const apart = seats.map(engine);
  const [merged, single, plain] = [refreshOf(), refreshOf(), refreshOf()];
  const comparisons: Comparison[] = [
    {
      name: 'merge: concurrent commits of refreshes, against one by one',
      goes: 60,
      kept: (seat) => together.commit(merged(seat)),
      simple: (seat) => (apart[seat] ?? together).commit(single(seat)),
    },
  ];
  if (database.kind === 'sqlite') return comparisons;
  const { pool } = database;
  const inFive: Comparison = {
    name: 'commit: merged refreshes, against a transaction of five statements each',
    goes: 60,
    kept: (seat) => together.commit(merged(seat)),
    async simple(seat) {
      const { consume, tokens } = plain(seat);
      const client = await pool.connect();
      await client.query('begin');
      const [spent] = consume ?? [];
      const used = [spent?.at, spent?.successor.key, spent?.successor.sealed, spent?.key];
      await client.query({ name: use.name, text: use.numbered, values: used });
      for (const token of tokens)
        await client.query({ name: putOne.name, text: putOne.numbered, values: putToken.values(token) });
      await client.query('commit');
      client.release();
    },
  };
  return [...comparisons, inFive];
}

let touched = 0;
/** Fifty sorted marks, of other subjects each time. */
function marks() {
  touched += 50;
  const subjects = Array.from({ length: 50 }, (_, n) => `s${(touched + n) % people}`).sort();
  return subjects.map((subject) => ({ key: [subject], at: touched }));
}

function touching({ sql }: Database): Comparison {
  return {
    name: 'touch: 50 last-seen times, against a transaction of 50 updates',
    // More than ever run at once in production.
    atOnce: 2,
    goes: 10,
    kept: () => accountsSeen.mark(sql, marks()),
    simple: () =>
      sql.transaction(async (trx) => {
        const older = (at: number) => trx.raw('coalesce(last_seen_at, 0) < ?', [at]);
        for (const { key, at } of marks())
          await trx('accounts').where({ subject: key[0] }).where(older(at)).update({ last_seen_at: at });
      }),
  };
}

const doors = statement('bench_doors', "select distinct door from sessions where door <> 'browser'");

function surfaces({ sql }: Database): Comparison {
  const store = createUseStore(sql);
  return {
    name: 'use: the doors of all sessions (100,000 of APIs), against distinct',
    atOnce: 1,
    goes: 10,
    kept: () => store.read(),
    simple: () => sql.rows(doors, []),
  };
}

async function timed(database: Database, { goes, atOnce = seats.length }: Comparison, go: Go): Promise<number> {
  const before = await database.cpu();
  await Promise.all(
    seatsOf(atOnce).map(async (seat) => {
      for (let n = 0; n < goes; n += 1) await go(seat);
    }),
  );
  return ((await database.cpu()) - before) / (goes * atOnce);
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

async function compare(database: Database, comparison: Comparison): Promise<void> {
  const { name, kept, simple } = comparison;
  const [first, second]: [number[], number[]] = [[], []];
  for (let round = 0; round <= Number(options.rounds); round += 1) {
    const [a, b] = [await timed(database, comparison, kept), await timed(database, comparison, simple)];
    // The first round warms up.
    if (round === 0) continue;
    first.push(a);
    second.push(b);
  }
  const ratio = median(first.map((value, round) => (second[round] ?? 0) / value)).toFixed(1);
  const [one, other] = [first, second].map((numbers) => median(numbers).toFixed(0));
  process.stdout.write(`| ${name} | ${database.kind} | ${one} | ${other} | ${ratio} |\n`);
}

process.stdout.write('| statement | database | CPU µs | simple form, CPU µs | ratio |\n|---|---|---|---|---|\n');
const server = process.env.TEST_DATABASE_URL;
for (const open of [openSqliteBench, ...(server ? [() => openPostgresBench(server)] : [])]) {
  const database = await open();
  try {
    const all = [...reading(database), ...committing(database), touching(database), surfaces(database)];
    const asked = all.filter(({ name }) => options.only.split(',').some((only) => name.includes(only)));
    for (const comparison of asked) await compare(database, comparison);
  } finally {
    await database.drop();
  }
}
