/** Last-seen times of many rows by one statement: they come in batches, and must not hold up what people wait for. */
import { type Sql, type Statement, statement } from '../sql.ts';

export interface LastSeen {
  /** Moves the time of each named row forward; names that are not there are passed over. */
  mark(sql: Sql, marks: readonly (readonly [name: string, at: number])[]): Promise<void>;
  /** For the test that each of them is served by an index. */
  readonly statements: { readonly sqlite: Statement; readonly postgres: Statement };
}

function lastSeenOf(table: 'accounts' | 'sessions', key: 'subject' | 'uid'): LastSeen {
  const sqlite = statement(
    `touch_${table}`,
    `update ${table} set last_seen_at = m.at from (select value ->> 0 name, value ->> 1 at from json_each(?)) m
     where ${table}.${key} = m.name and coalesce(last_seen_at, 0) < m.at`,
  );
  // Locked in one order everywhere, so that two processes that mark the same rows do not wait for each other in turns.
  const postgres = statement(
    `touch_${table}`,
    `with m as (
       select t.${key} as name, q.at from unnest(?::text[], ?::bigint[]) q (name, at)
       join ${table} t on t.${key} = q.name
       where t.${key} = any (?::text[]) and coalesce(t.last_seen_at, 0) < q.at
       order by t.${key} for no key update of t
     )
     update ${table} t set last_seen_at = m.at from m where t.${key} = m.name`,
  );
  return {
    async mark(sql, marks) {
      if (sql.dialect === 'sqlite') {
        await sql.rows(sqlite, [JSON.stringify(marks)]);
        return;
      }
      const names = marks.map(([name]) => name);
      await sql.rows(postgres, [names, marks.map(([, at]) => at), names]);
    },
    statements: { sqlite, postgres },
  };
}

export const accountsSeen = lastSeenOf('accounts', 'subject');
export const sessionsSeen = lastSeenOf('sessions', 'uid');
