/**
 * The connections to Postgres, and the detection of a pooler such as PgBouncer. Behind a pooler, each transaction may
 * run in another server process, the session keeps no state, and a prepared statement may exist already or be gone.
 */
import pg from 'pg';
import { Unusable } from '../../base/errors.ts';
import { forSession, plans, type SessionSettings } from './session-settings.ts';

/** `auto`: each new connection is tested. `on`: there is a pooler. `off`: the session is never shared. */
type Pooler = 'auto' | 'on' | 'off';

export interface PostgresSettings {
  readonly url: string;
  /** Maximum number of connections. */
  readonly pool: number;
  /** Default: `auto`. */
  readonly pooler?: Pooler;
  /** True: no statement timeout, for migrations. */
  readonly patient?: boolean;
}

/** Marks a connection that must not return to the pool; Knex reads the same member. */
export type Connection = pg.PoolClient & { __knex__disposed?: unknown; readonly processID?: number | null };

interface PostgresPool {
  readonly pool: pg.Pool;
  /** Settings that each transaction on a `shared` connection must set itself. */
  readonly settings: SessionSettings;
  /** True if a pooler lends this connection out. */
  shared(connection: Connection): boolean;
  /** True if a pooler lends out the connection that was opened last. */
  behindPooler(): boolean;
}

const statementTimeoutMs = 5000;
const greetingMs = 2000;

const int8 = 20;
const types: pg.CustomTypesConfig = {
  // Times, ids and counts are far below 2^53.
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : format === 'binary' ? pg.types.getTypeParser(oid, format) : pg.types.getTypeParser(oid),
};

export function openPool({ url, pool: max, pooler = 'auto', patient = false }: PostgresSettings): PostgresPool {
  const settings = patient ? plans : { statement_timeout: String(statementTimeoutMs), ...plans };
  const lent = new WeakSet<object>();
  let behindPooler = false;
  let carriesTransactions = false;

  async function greet(client: Connection): Promise<void> {
    behindPooler = pooler === 'on' || !(await ownSession(client, settings, pooler === 'off'));
    if (!behindPooler) return;
    lent.add(client);
    if (!carriesTransactions) await refuseStatementMode(client);
    carriesTransactions = true;
  }

  const pool = new pg.Pool({
    connectionString: url,
    max,
    types,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 2000,
    ...(patient ? {} : { query_timeout: statementTimeoutMs + 250 }),
    onConnect: (client) => greet(client as Connection),
  });
  pool.on('connect', (client: Connection) => {
    // The pool does not listen while the connection is checked out, and an unhandled 'error' event ends the process.
    client.on('error', (error) => {
      client.__knex__disposed = error;
    });
  });
  // The pool drops an idle connection that breaks. The next call opens another.
  pool.on('error', () => {});
  return { pool, settings, shared: (connection) => lent.has(connection), behindPooler: () => behindPooler };
}

/** Sets the session settings. Returns false, and sets nothing, if another server process answers than greeted. */
async function ownSession(client: Connection, settings: SessionSettings, sure: boolean): Promise<boolean> {
  const { rows } = await asked(client, forSession(settings, sure ? 'anyone' : (client.processID ?? 0)));
  return rows.every(([set]) => set !== null);
}

/** In PgBouncer's statement mode each statement may run in another server process, so there are no transactions. */
async function refuseStatementMode(client: Connection): Promise<void> {
  try {
    await asked(client, 'begin');
    await asked(client, 'rollback');
  } catch (error) {
    if (!/statement pooling mode/.test(String((error as { message?: unknown }).message))) throw error;
    throw new Unusable(
      'The pooler at DATABASE_URL pools by statement, which allows no transactions. Set its pool_mode to transaction or session.',
    );
  }
}

function asked(client: Connection, text: string): Promise<pg.QueryArrayResult> {
  const query = { text, rowMode: 'array' as const, query_timeout: greetingMs };
  return client.query(query);
}
