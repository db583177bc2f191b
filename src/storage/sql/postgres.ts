/**
 * Postgres: one pool, shared by Knex and the fixed statements. No call takes longer than about five seconds: the server
 * stops a long statement, and a client-side timeout covers a server that hangs. Behind a pooler, each statement is
 * unnamed and brings its own settings.
 */
import { createRequire } from 'node:module';
import knex, { type Knex } from 'knex';
import type pg from 'pg';
import { connectionEnded, isBroken } from './failures.ts';
import { type Connection, openPool, type PostgresSettings } from './postgres-pool.ts';
import { sendWith } from './postgres-query.ts';
import { forTransaction } from './session-settings.ts';
import { guarded, type Row, type Sql, type Statement } from './sql.ts';

interface PostgresSql extends Sql {
  /** True if a pooler lends the connections out. Known after the first statement. */
  behindPooler(): boolean;
}

/** What Knex's dialect needs from a connection. */
type Sender = { query(config: pg.QueryConfig, callback: (error: Error | undefined, result: unknown) => void): void };

type Dialect = Knex.Client & { _query(connection: Sender, query: { sql: string }): Promise<unknown> };

const KnexPostgres = createRequire(import.meta.url)('knex/lib/dialects/postgres/index.js') as new (
  config: Knex.Config,
) => Dialect;

export function openPostgres(settings: PostgresSettings): PostgresSql {
  const { pool, shared, ...opened } = openPool(settings);
  const locally = forTransaction(opened.settings);
  let trips = 0;

  /** A `begin` sets the settings for its transaction. A statement outside a transaction brings them along. */
  function senderOf(connection: Connection, sql: string): Sender {
    if (!shared(connection)) return connection;
    if (/^begin;?$/i.test(sql)) {
      return { query: (config, callback) => connection.query({ ...config, text: `begin; ${locally}` }, callback) };
    }
    if (connection.getTransactionStatus() !== 'I') return connection;
    return { query: (config, callback) => sendWith(locally, connection, config, callback) };
  }

  class SharedPool extends KnexPostgres {
    override async _query(connection: Connection, query: { sql: string }): Promise<unknown> {
      trips++;
      try {
        return await super._query(senderOf(connection, query.sql), query);
      } catch (error) {
        if (isBroken(error)) connection.__knex__disposed = error;
        throw error;
      }
    }
  }

  const quiet = () => {};
  const builder: Knex = knex({
    // Knex publishes no types for the methods that a custom client overrides.
    client: SharedPool as unknown as typeof Knex.Client,
    connectionPool: pool,
    // Saves Knex a query; it only checks for a version newer than 9.2.
    version: '14',
    // Keeps values out of error messages, which are logged.
    compileSqlOnError: false,
    log: { warn: quiet, error: quiet, debug: quiet, deprecate: quiet },
  });

  async function send(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const client: Connection = await pool.connect();
    let broken = false;
    try {
      trips++;
      const { name, numbered: text } = statement;
      const query = { text, values: values as unknown[], rowMode: 'array' as const };
      if (!shared(client)) return (await client.query<unknown[]>({ ...query, name })).rows;
      return await new Promise<Row[]>((resolve, reject) =>
        sendWith(locally, client, query, (error, result) => (error ? reject(error) : resolve(result?.rows ?? []))),
      );
    } catch (error) {
      broken = isBroken(error);
      throw error;
    } finally {
      client.release(broken || client.__knex__disposed !== undefined);
    }
  }

  return {
    dialect: 'postgres',
    knex: builder,
    behindPooler: opened.behindPooler,
    rows: (statement, values) =>
      guarded(async () => {
        // After a restart, every pooled connection fails at its next use. A read is retried until these connections are
        // gone; a write is not, because it may have taken effect.
        for (let dead = 0; ; dead++) {
          try {
            return await send(statement, values);
          } catch (error) {
            if (!statement.read || !connectionEnded(error) || dead > settings.pool) throw error;
          }
        }
      }),
    run: (query) => guarded(query),
    transaction: (work) => guarded(() => builder.transaction(work)),
    roundTrips: () => trips,
    async close() {
      // A server that hangs does not confirm the end.
      const enough = new Promise<void>((resolve) => setTimeout(resolve, 2000).unref());
      // Before Knex releases the pool, because Knex still returns the connections of running queries.
      await Promise.race([pool.end(), enough]);
      await builder.destroy();
    },
  };
}
