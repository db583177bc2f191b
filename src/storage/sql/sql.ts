/** The few things that the stores ask of a database, whichever it is. `sqlite.ts` and `postgres.ts` provide them. */
import type { Knex } from 'knex';
import { Unavailable } from '../../base/errors.ts';
import type { GrantBundle, SessionBundle, TokenBundle, Unit } from '../../core/stores/engine.ts';
import { isConflict, translated } from './failures.ts';

/** The columns of one row, in the order in which the statement names them. */
export type Row = readonly unknown[];

/** A statement whose text never changes, so that the database parses and plans it once per connection. */
export interface Statement {
  /** Name of the prepared statement; unique. */
  readonly name: string;
  /** With `?` for each value. */
  readonly text: string;
  /** The same with `$1`, `$2` … as Postgres numbers them. */
  readonly numbered: string;
  /** It changes nothing, so it may be sent again when its connection died. */
  readonly read: boolean;
}

export interface Sql {
  readonly dialect: 'sqlite' | 'postgres';
  readonly knex: Knex;
  /** Runs one fixed statement by itself. This is the hot path: Knex's builder is not on it. */
  rows(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /** Runs what Knex has built, by itself. The thunk may run again after a serialization failure. */
  run<T>(query: () => PromiseLike<T>): Promise<T>;
  /** All or nothing. `work` may run again after a serialization failure, so it must do nothing but talk to `trx`. */
  transaction<T>(work: (trx: Knex.Transaction) => Promise<T>): Promise<T>;
  roundTrips(): number;
  close(): Promise<void>;
}

export type Committed = 'committed' | 'overtaken' | 'spent';

/** What the engine's store does differently in the two databases. */
export interface EngineDialect {
  /** `spent`: something it needs was used or gone, and nothing was written. `overtaken`: all but its session was. */
  commit(unit: Unit): Promise<Committed>;
  readToken(key: string): Promise<TokenBundle | undefined>;
  /** `client` is '' for none. */
  readSession(key: string, client: string): Promise<SessionBundle | undefined>;
  /** `session` is '' for none. */
  readGrant(id: string, session: string): Promise<GrantBundle | undefined>;
}

export function statement(name: string, text: string): Statement {
  let count = 0;
  const numbered = text.replace(/\?/g, () => `$${++count}`);
  return { name, text, numbered, read: /^\s*select/i.test(text) };
}

const attempts = 4;

/** Runs `work` with the errors of the drivers told apart: a conflict is tried again, silence of the database is `Unavailable`. */
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

/** Postgres cannot hold U+0000 in text nor an id beyond its integers, so no row has either: no need to ask, nor to fail. */
export function findable(value: string | number): boolean {
  return typeof value === 'number' ? Number.isSafeInteger(value) : !value.includes('\0');
}

/** Rows of one page: between none and a thousand. */
export function page(limit: number): number {
  return Math.max(0, Math.min(1000, Math.trunc(limit)));
}

/** Text that came from outside and is only kept to be read by a person. */
export function keepable(value: string | null): string | null {
  return value === null ? null : value.replaceAll('\0', '\uFFFD');
}
