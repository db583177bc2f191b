/**
 * The Postgres settings that the statements need, in two forms. On a connection of its own, this program sets them for
 * the session. Behind a pooler, other clients share the session, so they are set for one transaction.
 */

export type SessionSettings = Readonly<Record<string, string>>;

/**
 * Every statement finds its rows by an index. A prepared statement keeps its plan, also one made while the table was
 * empty; so the planner must prefer the index from the start, or it would scan a table that has grown.
 */
export const plans: SessionSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
};

/**
 * Sets the settings for the session if the answering server process is the one that greeted. Each row is the value, or
 * null if it was not set. Uses `case`, because `where` does not guarantee the order of evaluation.
 */
export function forSession(settings: SessionSettings, greetedBy: number | 'anyone'): string {
  const own = greetedBy === 'anyone' ? 'true' : `pg_backend_pid() = ${greetedBy}`;
  // Not set at start-up: a pooler would pass the name on to the next client without one.
  const name = `('application_name', coalesce(nullif(current_setting('application_name'), ''), 'gatehouse'))`;
  return `select case when ${own} then set_config(name, value, false) end as set from ${rows(settings, name)}`;
}

/** Sets the settings until the transaction ends. Returns no rows. */
export function forTransaction(settings: SessionSettings): string {
  return `select from ${rows(settings)} where set_config(name, value, true) is null`;
}

function rows(settings: SessionSettings, ...further: string[]): string {
  const pairs = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return `(values ${[...pairs, ...further].join(', ')}) as settings (name, value)`;
}
