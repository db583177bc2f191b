/** What a stranger finds in the sessions that a pooler lends out. */
import pg from 'pg';

export interface SessionState {
  readonly pid: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly prepared: readonly string[];
  readonly locks: readonly string[];
  readonly channels: readonly string[];
  readonly temporary: readonly string[];
}

const state = `select pg_backend_pid() pid,
  (select json_object_agg(name, setting) from pg_settings) settings,
  (select coalesce(json_agg(name), '[]') from pg_prepared_statements) prepared,
  (select coalesce(json_agg(objid), '[]') from pg_locks where locktype = 'advisory'
    and database = (select oid from pg_database where datname = current_database())) locks,
  (select coalesce(json_agg(channel), '[]') from pg_listening_channels() channel) channels,
  (select coalesce(json_agg(relname), '[]') from pg_class where relpersistence = 't') temporary`;

/** Of as many sessions, all held at the same moment, so that none is seen twice. */
export async function sessionsOf(url: string, count: number): Promise<SessionState[]> {
  const clients = Array.from({ length: count }, () => new pg.Client({ connectionString: url }));
  try {
    await Promise.all(clients.map((client) => client.connect()));
    for (const client of clients) await client.query('begin');
    const found: SessionState[] = [];
    for (const client of clients) found.push((await client.query<SessionState>(state)).rows[0] as SessionState);
    for (const client of clients) await client.query('rollback');
    return found;
  } finally {
    for (const client of clients) await client.end();
  }
}

/** The server processes of this database, but the one that is asked here. */
export async function backends(url: string, state?: 'active'): Promise<number[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
     and pid <> pg_backend_pid() and ($1::text is null or state = $1)`,
    [state],
  );
  await client.end();
  return rows.map(({ pid }) => pid);
}
