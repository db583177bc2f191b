/** What the stores need from a database. `sqlite.ts` and `postgres.ts` implement it. */
import type { Knex } from 'knex';
import { Unavailable } from '../../base/errors.ts';
import type { GrantBundle, SessionBundle, Shared, TokenBundle, Unit } from '../../core/stores/engine.ts';
import { isConflict, translated } from './failures.ts';

/** The columns of one row, in the order of the statement. */
export type Row = readonly unknown[];

/** A statement with a fixed text, so the database parses and plans it once per connection. */
export interface Statement {
  /** Name of the prepared statement; unique. */
  readonly name: string;
  /** With `?` as the placeholder. */
  readonly text: string;
  /** With `$1`, `$2` … as the placeholders, for Postgres. */
  readonly numbered: string;
  /** True if it only reads, so it may be sent again after its connection failed. */
  readonly read: boolean;
}

export interface Sql {
  readonly dialect: 'sqlite' | 'postgres';
  readonly knex: Knex;
  /** Runs one fixed statement. This is the hot path and bypasses Knex's builder. */
  rows(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /** Runs a query built by Knex. The thunk may run again after a serialization failure. */
  run<T>(query: () => PromiseLike<T>): Promise<T>;
  /** One transaction. `work` may run again after a serialization failure, so `trx` must be its only side effect. */
  transaction<T>(work: (trx: Knex.Transaction) => Promise<T>): Promise<T>;
  roundTrips(): number;
  close(): Promise<void>;
}

export type Committed = 'committed' | 'overtaken' | 'spent' | Shared;

/** The operations of the engine's store that differ between the two databases. */
export interface EngineDialect {
  /** `spent`: a row that it needs is used or gone; nothing was written. `overtaken`: only the session was not. */
  commit(unit: Unit): Promise<Committed>;
  readToken(key: string): Promise<TokenBundle | undefined>;
  /** `client`: '' for none. */
  readSession(key: string, client: string): Promise<SessionBundle | undefined>;
  /** `session`: '' for none. */
  readGrant(id: string, session: string): Promise<GrantBundle | undefined>;
}

export function statement(name: string, text: string): Statement {
  let count = 0;
  const numbered = text.replace(/\?/g, () => `$${++count}`);
  return { name, text, numbered, read: /^\s*select/i.test(text) };
}

const attempts = 4;

/** Runs `work`, retries it after a conflict, and throws `Unavailable` if the database does not answer. */
export async function guarded<T>(work: () => PromiseLike<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (isConflict(error)) {
        if (attempt === attempts) throw new Unavailable('database', { cause: error });
        await new Promise((resolve) => setTimeout(resolve, attempt * 10 * (0.5 + Math.random())));
      } else throw translated(error);
    }
  }
}

/** Postgres stores no U+0000 in text and no id beyond its integers, so no row has such a value. */
export function findable(value: string | number): boolean {
  return typeof value === 'number' ? Number.isSafeInteger(value) : !value.includes('\0');
}

/** Limits the rows of one page to between 0 and 1000. */
export function page(limit: number): number {
  return Math.max(0, Math.min(1000, Math.trunc(limit)));
}

/** For untrusted text that is stored only for people to read. */
export function keepable(value: string | null): string | null {
  return value === null ? null : value.replaceAll('\0', '\uFFFD');
}
