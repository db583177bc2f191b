/**
 * Postgres: one pool, which Knex shares with the fixed statements. No answer takes longer than about five seconds: the server
 * stops a statement, and where the server hangs we give up on it ourselves. On a connection that a pooler lends out, each
 * statement is unnamed and brings its settings along.
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
  /** A pooler lends the connections out. Known once a statement was answered. */
  behindPooler(): boolean;
}

/** What Knex's dialect asks of a connection. */
type Sender = { query(config: pg.QueryConfig, callback: (error: Error | undefined, result: unknown) => void): void };

type Dialect = Knex.Client & { _query(connection: Sender, query: { sql: string }): Promise<unknown> };

const KnexPostgres = createRequire(import.meta.url)('knex/lib/dialects/postgres/index.js') as new (
  config: Knex.Config,
) => Dialect;

export function openPostgres(settings: PostgresSettings): PostgresSql {
  const { pool, shared, ...opened } = openPool(settings);
  const locally = forTransaction(opened.settings);
  let trips = 0;

  /** What begins a transaction sets everything for it; what is sent outside of one brings it along. */
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
    // Knex publishes no types for what a client of one's own overrides.
    client: SharedPool as unknown as typeof Knex.Client,
    connectionPool: pool,
    // Saves Knex from asking; it only wants to know that this is newer than 9.2.
    version: '14',
    // Values do not belong into the messages of errors, which end in logs.
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
        // After a restart every pooled connection is dead, and each is found out by being used. A read may ask again until they
        // are gone; of a write nobody knows whether it happened.
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
      // A server that hangs does not say goodbye.
      const enough = new Promise<void>((resolve) => setTimeout(resolve, 2000).unref());
      // Before Knex lets go of the pool: until then it gives back the connections of what is under way.
      await Promise.race([pool.end(), enough]);
      await builder.destroy();
    },
  };
}
