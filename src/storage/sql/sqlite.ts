/**
 * SQLite: one connection, used directly by the fixed statements and through Knex by the rest. A statement takes
 * microseconds and blocks the process for that long, so there is nothing to gain from a pool.
 */
import { dirname } from 'node:path';
import knex, { type Knex } from 'knex';
import { privateFile, privateFolder, privateIfThere } from '../../base/private-files.ts';
import { guarded } from './failures.ts';
import type { Row, Sql, Statement } from './sql.ts';
import { SqliteConnection, sqliteClient } from './sqlite-client.ts';

export interface Sqlite extends Sql {
  /** Runs `work` while nobody else has the connection. It must not wait for anything. */
  exclusively<T>(work: (connection: SqliteConnection) => T): Promise<T>;
}

/** SQLite gives the files beside the database its mode, whatever the umask; those of a run before have their own. */
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
    // Values do not belong into the messages of errors, which end in logs.
    compileSqlOnError: false,
    log: { warn: quiet, error: quiet, debug: quiet, deprecate: quiet },
  });

  /** Outside a transaction that Knex holds between two of its statements: inside, a rollback would take ours with it. */
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
