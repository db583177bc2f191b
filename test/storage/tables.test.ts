/** Each table's declaration is what the database has, and nothing of a record is lost between the two. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { openSql } from '../../src/storage/sql/open.ts';
import { openPostgres } from '../../src/storage/sql/postgres.ts';
import type { Sql } from '../../src/storage/sql/sql.ts';
import { openSqlite } from '../../src/storage/sql/sqlite.ts';
import { type Column, put, table } from '../../src/storage/sql/table.ts';
import * as declared from '../../src/storage/sql/tables.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';

const tables = Object.values(declared);

/** Each of them has few columns, which one store names. */
const undeclared = ['change_counter', 'changes', 'group_members', 'leases', 'migrations'];

const kinds: Readonly<Record<string, string>> = {
  text: 'text',
  boolean: 'boolean',
  bigint: 'number',
  integer: 'number',
};

/** As text, for a difference that can be read: `accounts.email: text or null`. */
const line = (of: string, name: string, kind: string, nullable: boolean) =>
  `${of}.${name}: ${kind}${nullable ? ' or null' : ''}`;

const kept = ({ kind }: Column) => (kind === 'json' ? 'text' : kind);

async function columnsOf({ dialect, knex }: Sql): Promise<string[]> {
  if (dialect === 'postgres') {
    const { rows } = await knex.raw(`select table_name, column_name, data_type, is_nullable
      from information_schema.columns where table_schema = current_schema()`);
    return rows
      .filter((row: Record<string, string>) => !undeclared.includes(row.table_name ?? ''))
      .map((row: Record<string, string>) =>
        line(row.table_name ?? '', row.column_name ?? '', kinds[row.data_type ?? ''] ?? '?', row.is_nullable === 'YES'),
      );
  }
  // SQLite lets a primary key be null unless it is told otherwise; none is ever written so.
  const rows: { of: string; name: string; type: string; required: number }[] = await knex.raw(
    `select m.name as 'of', c.name, c.type, c."notnull" or c.pk as required from sqlite_master m join pragma_table_info(m.name) c
     where m.type = 'table' and m.name not like 'sqlite_%'`,
  );
  return rows
    .filter((row) => !undeclared.includes(row.of))
    .map((row) => line(row.of, row.name, kinds[row.type.toLowerCase()] ?? '?', row.required === 0));
}

function agrees(fresh: () => Promise<TestDatabase>, open: (database: TestDatabase) => Sql): void {
  const made: TestDatabase[] = [];
  afterAll(() => Promise.all(made.map((database) => database.drop())));

  test('after all migrations the database has the columns that are declared, and no others', async () => {
    const database = await fresh();
    made.push(database);
    await (await openSql(database.settings, { migrateAtOpen: true })).close();
    const sql = open(database);
    const expected = tables.flatMap(({ name, columns }) =>
      columns.map((column) => line(name, column.name, kept(column), column.nullable)),
    );
    const found = await columnsOf(sql);
    await sql.close();
    expect(found.toSorted()).toEqual(expected.toSorted());
  });
}

describe('tables of SQLite', () =>
  agrees(freshSqlite, ({ settings }) => openSqlite(settings.kind === 'sqlite' ? settings.file : '')));

describePostgres('tables of Postgres', () =>
  agrees(
    () => freshPostgres(2),
    ({ settings }) => {
      if (settings.kind === 'sqlite') throw new Error('not Postgres');
      return openPostgres(settings);
    },
  ),
);

/** One value of its own for each column, or null. */
function sample(columns: readonly Column[], absent: boolean): Record<string, unknown> {
  const value = ({ kind, name, nullable }: Column, n: number): unknown => {
    if (absent && nullable) return null;
    if (kind === 'json') return JSON.stringify([name]);
    return kind === 'number' ? n + 1 : kind === 'boolean' ? n % 2 === 0 : name;
  };
  return Object.fromEntries(columns.map((column, n) => [column.name, value(column, n)]));
}

test.each(tables)('$name: what is read of a row is written back as that row, whether it has its nulls or not', (of) => {
  // The tables hold records of many types.
  const { columns, readNamed, values } = of as ReturnType<typeof table<object>>;
  for (const absent of [true, false]) {
    const row = sample(columns, absent);
    expect(values(readNamed(row))).toEqual(row);
  }
  expect(columns.filter(({ path }) => path.length === 0)).toEqual([]);
  expect(columns[0]?.nullable).toBe(false);
});

test('a new column is one line of a declaration: what is selected, read, inserted, patched and put follows', () => {
  const accounts = table('accounts', (row) => ({
    id: row.number('id'),
    email: row.textOrNull('email'),
    nickname: row.textOrNull('nick_name'),
    seen: { at: row.numberOrNull('seen_at') },
    tags: row.json<string[]>('tags'),
  }));
  expect(accounts.select).toBe(
    'select accounts.id, accounts.email, accounts.nick_name, accounts.seen_at, accounts.tags from accounts',
  );
  expect(accounts.read([1, null, 'ada', 5, '["a"]'])).toEqual({
    id: 1,
    email: null,
    nickname: 'ada',
    seen: { at: 5 },
    tags: ['a'],
  });
  expect(accounts.values({ nickname: 'ada' })).toEqual({ nick_name: 'ada' });
  expect(accounts.values({ nickname: null, seen: { at: 7 }, tags: [] })).toEqual({
    nick_name: null,
    seen_at: 7,
    tags: '[]',
  });
  const account = put(accounts, { key: 'id', leaves: ['email'], keeps: ['tags'] });
  expect(account.insert).toBe('insert into accounts (id, nick_name, seen_at, tags) values (?, ?, ?, ?)');
  expect(account.replace).toBe(
    'on conflict (id) do update set nick_name = excluded.nick_name, seen_at = excluded.seen_at',
  );
  expect(account.types).toBe('id bigint, nick_name text, seen_at bigint, tags text');
  expect(account.values({ id: 1, tags: ['a'] })).toEqual([1, null, null, '["a"]']);
  expect(account.changes({ id: 1, nickname: 'ada' })).toEqual(['ada', null]);
  expect(account.row({ id: 1, tags: ['a'] }, { n: 0 })).toEqual({ n: 0, id: 1, tags: '["a"]' });
});
