/** Updates the last-seen times of many rows in one statement, so that these batches do not delay requests. */
import { type Sql, type Statement, statement } from '../sql.ts';

/** `key`: the values of the key columns, in order. */
interface Mark {
  readonly key: readonly string[];
  readonly at: number;
}

interface LastSeen {
  /** Moves the time of each row forward. Ignores rows that do not exist. */
  mark(sql: Sql, marks: readonly Mark[]): Promise<void>;
  /** For the test that an index serves each statement. */
  readonly statements: { readonly sqlite: Statement; readonly postgres: Statement };
}

function lastSeenOf(table: string, columns: readonly string[], time: string): LastSeen {
  const list = columns.join(', ');
  const same = (other: string) => columns.map((column) => `${table}.${column} = ${other}.${column}`).join(' and ');
  const sqlite = statement(
    `touch_${table}`,
    `update ${table} set ${time} = m.at
     from (select ${columns.map((column, n) => `value ->> ${n} as ${column}`).join(', ')}, value ->> ${columns.length} as at
       from json_each(?)) m
     where ${same('m')} and coalesce(${table}.${time}, 0) < m.at`,
  );
  // Locks rows in one order everywhere, so two processes that mark the same rows cannot deadlock.
  const ordered = columns.map((column) => `${table}.${column}`).join(', ');
  const postgres = statement(
    `touch_${table}`,
    `with m as (
       select ${ordered}, q.at from unnest(${columns.map(() => '?::text[]').join(', ')}, ?::bigint[]) q (${list}, at)
       join ${table} on ${same('q')}
       where ${table}.${columns[0]} = any (?::text[]) and coalesce(${table}.${time}, 0) < q.at
       order by ${ordered} for no key update of ${table}
     )
     update ${table} set ${time} = m.at from m where ${same('m')}`,
  );
  return {
    async mark(sql, marks) {
      if (marks.length === 0) return;
      if (sql.dialect === 'sqlite') {
        await sql.rows(sqlite, [JSON.stringify(marks.map(({ key, at }) => [...key, at]))]);
        return;
      }
      const keys = columns.map((_, n) => marks.map(({ key }) => key[n]));
      await sql.rows(postgres, [...keys, marks.map(({ at }) => at), keys[0]]);
    },
    statements: { sqlite, postgres },
  };
}

export const accountsSeen = lastSeenOf('accounts', ['subject'], 'last_seen_at');
export const sessionsSeen = lastSeenOf('sessions', ['uid'], 'last_seen_at');
export const registrationsUsed = lastSeenOf('registrations', ['client_id'], 'last_used_at');
export const consentsUsed = lastSeenOf('consents', ['subject', 'client_id'], 'last_used_at');
