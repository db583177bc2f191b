/**
 * Postgres: one pool, which Knex shares with the fixed statements. No answer takes longer than about five seconds: the server
 * stops a statement, and where the server hangs we give up on it ourselves.
 */
import { createRequire } from 'node:module';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import { connectionEnded, guarded, isBroken } from './failures.ts';
import type { Row, Sql, Statement } from './sql.ts';

export interface PostgresSettings {
  readonly url: string;
  /** Connections, at most. */
  readonly pool: number;
  /** For migrations, which may take as long as they need. */
  readonly patient?: boolean;
}

const statementTimeoutMs = 5000;

/**
 * Every statement looks rows up by an index. A plan that was made when a table was empty is kept with the prepared statement,
 * and must not go on reading the whole table when it has grown; so the planner is told to prefer the index from the start.
 */
const plans =
  "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off; set timezone = 'UTC'";

/** Marks a connection that must not return to the pool; Knex reads the same member. */
type Connection = pg.PoolClient & { __knex__disposed?: unknown };

type Dialect = Knex.Client & { _query(connection: Connection, query: { sql: string }): Promise<unknown> };

const KnexPostgres = createRequire(import.meta.url)('knex/lib/dialects/postgres/index.js') as new (
  config: Knex.Config,
) => Dialect;

const int8 = 20;
const types: pg.CustomTypesConfig = {
  // Times, ids and counts are far below 2^53.
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : format === 'binary' ? pg.types.getTypeParser(oid, format) : pg.types.getTypeParser(oid),
};

function openPool(settings: PostgresSettings): pg.Pool {
  const setUp = settings.patient ? plans : `set statement_timeout = ${statementTimeoutMs}; ${plans}`;
  const pool = new pg.Pool({
    connectionString: settings.url,
    max: settings.pool,
    types,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 2000,
    application_name: 'gatehouse',
    ...(settings.patient ? {} : { query_timeout: statementTimeoutMs + 250 }),
    onConnect: async (client) => {
      await client.query({ text: setUp, query_timeout: 2000 } as pg.QueryConfig);
    },
  });
  pool.on('connect', (client: Connection) => {
    // While it is lent out nobody else listens, and an 'error' without a listener ends the process.
    client.on('error', (error) => {
      client.__knex__disposed = error;
    });
  });
  // An idle connection that breaks is dropped by the pool; the next call opens another.
  pool.on('error', () => {});
  return pool;
}

export function openPostgres(settings: PostgresSettings): Sql {
  const pool = openPool(settings);
  let trips = 0;

  class SharedPool extends KnexPostgres {
    override async _query(connection: Connection, query: { sql: string }): Promise<unknown> {
      trips++;
      try {
        return await super._query(connection, query);
      } catch (error) {
        if (isBroken(error)) connection.__knex__disposed = error;
        throw error;
      }
    }
  }

  const quiet = () => {};
  const builder: Knex = knex({
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
      const query = {
        name: statement.name,
        text: statement.numbered,
        values: values as unknown[],
        rowMode: 'array' as const,
      };
      return (await client.query<unknown[]>(query)).rows;
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
      await builder.destroy();
      // A server that hangs does not say goodbye.
      const enough = new Promise<void>((resolve) => setTimeout(resolve, 2000).unref());
      await Promise.race([pool.end(), enough]);
    },
  };
}
