/**
 * SQLite: one connection, used directly by the fixed statements and through Knex by the rest. A statement takes
 * microseconds and blocks the process for that long, so a pool would gain nothing. Knex runs on node:sqlite through the
 * part of better-sqlite3's interface that its dialect uses.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import knex, { type Knex } from 'knex';
import { privateFile, privateFolder, privateIfThere } from '../../base/private-files.ts';
import { guarded, type Row, type Sql, type Statement } from './sql.ts';

/** Knex builds one text per number of values. Beyond this many, the oldest are dropped and prepared again on demand. */
const cachedTexts = 200;

class Prepared {
  readonly reader: boolean;
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
    this.reader = statement.columns().length > 0;
  }

  all(bindings: SQLInputValue[]): unknown[] {
    return this.#statement.all(...bindings);
  }

  run(bindings: SQLInputValue[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(...bindings);
  }
}

export class SqliteConnection {
  readonly database: DatabaseSync;
  readonly #built = new Map<string, Prepared>();
  readonly #fixed = new Map<string, StatementSync>();
  trips = 0;

  constructor(file: string) {
    this.database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
    // FULL: a commit is on disk when it returns, so kill -9 or a power cut loses nothing that was answered.
    this.database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory');
  }

  /** Called by Knex's dialect for each query. */
  prepare(text: string): Prepared {
    this.trips++;
    // Takes the write lock at once. Otherwise a transaction that reads first could fail at its first write.
    const sql = text === 'BEGIN;' ? 'BEGIN IMMEDIATE;' : text;
    let prepared = this.#built.get(sql);
    if (prepared === undefined) {
      prepared = new Prepared(this.database.prepare(sql));
      this.#built.set(sql, prepared);
      if (this.#built.size > cachedTexts)
        for (const oldest of this.#built.keys()) return this.#forget(oldest, prepared);
    }
    return prepared;
  }

  #forget(text: string, prepared: Prepared): Prepared {
    this.#built.delete(text);
    return prepared;
  }

  /** Runs one of the fixed statements. Rows are arrays. */
  rows(statement: Statement, values: readonly unknown[]): Row[] {
    let prepared = this.#fixed.get(statement.name);
    if (prepared === undefined) {
      prepared = this.database.prepare(statement.text);
      prepared.setReturnArrays(true);
      this.#fixed.set(statement.name, prepared);
    }
    // Rows are arrays, as set above; Node's types only know objects.
    return prepared.all(...(values as SQLInputValue[])) as unknown as Row[];
  }

  /** A failed COMMIT leaves its transaction open. Rolls it back, so that the next caller does not join it. */
  reset(): void {
    if (this.database.isOpen && this.database.isTransaction) this.database.exec('ROLLBACK');
  }

  close(): void {
    this.#built.clear();
    this.#fixed.clear();
    if (this.database.isOpen) this.database.close();
  }
}

// Knex publishes its dialects as files without types.
const BetterSqlite = createRequire(import.meta.url)('knex/lib/dialects/better-sqlite3/index.js') as new (
  config: Knex.Config,
) => Knex.Client;

/** A Knex client class over this connection. `held`: true while Knex has the connection; other callers must wait. */
function sqliteClient(connection: SqliteConnection): { Client: typeof Knex.Client; held: () => boolean } {
  let holders = 0;

  class NodeSqlite extends BetterSqlite {
    _driver(): unknown {
      return DatabaseSync;
    }

    override async acquireRawConnection(): Promise<SqliteConnection> {
      return connection;
    }

    /** The caller that opened the connection closes it. */
    override async destroyRawConnection(): Promise<void> {}

    override async acquireConnection(): Promise<SqliteConnection> {
      const acquired: SqliteConnection = await super.acquireConnection();
      holders++;
      return acquired;
    }

    override async releaseConnection(released: SqliteConnection): Promise<void> {
      released.reset();
      holders--;
      await super.releaseConnection(released);
    }
  }

  // Knex publishes no types for the methods that a custom client overrides.
  return { Client: NodeSqlite as unknown as typeof Knex.Client, held: () => holders > 0 };
}

export interface Sqlite extends Sql {
  /** Runs `work` while no other caller has the connection. `work` must be synchronous. */
  exclusively<T>(work: (connection: SqliteConnection) => T): Promise<T>;
}

/** SQLite gives its side files the mode of the database file. Files of an earlier run keep theirs, so set it. */
function keepPrivate(file: string): void {
  privateFolder(dirname(file));
  privateFile(file);
  for (const suffix of ['-wal', '-shm', '-journal']) privateIfThere(file + suffix);
}

export function openSqlite(file: string): Sqlite {
  if (file !== ':memory:') keepPrivate(file);
  const connection = new SqliteConnection(file);
  const { Client, held } = sqliteClient(connection);
  const quiet = () => {};
  const builder: Knex = knex({
    client: Client,
    connection: { filename: file },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
    acquireConnectionTimeout: 5000,
    // Keeps values out of error messages, which are logged.
    compileSqlOnError: false,
    log: { warn: quiet, error: quiet, debug: quiet, deprecate: quiet },
  });

  /** Never runs inside an open transaction of Knex, whose rollback would undo this work too. */
  async function exclusively<T>(work: (connection: SqliteConnection) => T): Promise<T> {
    return guarded(async () => {
      if (!held()) return work(connection);
      const acquired: SqliteConnection = await builder.client.acquireConnection();
      try {
        return work(acquired);
      } finally {
        await builder.client.releaseConnection(acquired);
      }
    });
  }

  return {
    dialect: 'sqlite',
    knex: builder,
    rows(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
      return exclusively(() => {
        connection.trips++;
        return connection.rows(statement, values);
      });
    },
    run: (query) => guarded(query),
    transaction: (work) => guarded(() => builder.transaction(work)),
    exclusively,
    roundTrips: () => connection.trips,
    async close() {
      await builder.destroy();
      connection.close();
    },
  };
}
