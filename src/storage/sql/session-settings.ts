/**
 * What our statements need Postgres to be set to, and the two ways to say so. On a connection of our own it holds for the
 * session. Behind a pooler a session is shared with strangers, so it holds for one transaction and is gone with it.
 */

export type SessionSettings = Readonly<Record<string, string>>;

/**
 * Every statement looks rows up by an index. A plan that was made when a table was empty is kept with the prepared statement,
 * and must not go on reading the whole table when it has grown; so the planner is told to prefer the index from the start.
 */
export const plans: SessionSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
};

/**
 * Sets them for the session if the process that answers is the one that greeted us, and does nothing otherwise. Each row is
 * the value, or null where it was not set. `case` looks at its condition first; a `where` need not.
 */
export function forSession(settings: SessionSettings, greetedBy: number | 'anyone'): string {
  const own = greetedBy === 'anyone' ? 'true' : `pg_backend_pid() = ${greetedBy}`;
  // Not at the start-up, where a pooler would leave it to the next who brings no name.
  const name = `('application_name', coalesce(nullif(current_setting('application_name'), ''), 'gatehouse'))`;
  return `select case when ${own} then set_config(name, value, false) end as set from ${rows(settings, name)}`;
}

/** Sets them until the transaction ends. Returns no rows. */
export function forTransaction(settings: SessionSettings): string {
  return `select from ${rows(settings)} where set_config(name, value, true) is null`;
}

function rows(settings: SessionSettings, ...further: string[]): string {
  const pairs = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return `(values ${[...pairs, ...further].join(', ')}) as settings (name, value)`;
}
