/**
 * Declares a table once, by the literal that makes a record of a row: each member names its column. With a recorder,
 * the literal yields the columns; with a row, it reads their values in the same order. No other code knows the order.
 */
import type { Row } from './sql.ts';

/** The readers that a declaration may call. */
type Cells = Omit<Reader, 'read'>;

export interface Column {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'json';
  readonly nullable: boolean;
  /** Where the record holds the value: `['username']`, `['origin', 'address']`. */
  readonly path: readonly string[];
}

/** The columns of a select, and how to read a row of them. */
export interface Selection<T> {
  /** `accounts.id, accounts.subject, …` */
  readonly list: string;
  readonly read: (row: Row) => T;
  /** For a selection that contains this one. */
  readonly declare: (row: Cells) => T;
  readonly selected: readonly string[];
}

interface Table<T> extends Selection<T> {
  readonly name: string;
  /** `select accounts.id, … from accounts` */
  readonly select: string;
  readonly columns: readonly Column[];
  /** The column names, in a new array each time, because Knex may change it. */
  names(): string[];
  /** Reads a row as Knex returns it. */
  readNamed(row: Readonly<Record<string, unknown>>): T;
  /** The members that are present, under their column names: a row to insert, or a patch. */
  values(record: Partial<T>): Record<string, unknown>;
}

/** A placeholder for a value while the literal is recorded. */
class Mark implements Column {
  readonly name: string;
  readonly kind: Column['kind'];
  readonly nullable: boolean;
  path: readonly string[] = [];

  constructor(name: string, kind: Column['kind'], nullable: boolean) {
    this.name = name;
    this.kind = kind;
    this.nullable = nullable;
  }
}

class Recorder implements Cells {
  readonly selected: string[] = [];
  /** Without the table's name, as Knex names them. */
  readonly cells: string[] = [];
  readonly columns: Column[] = [];
  readonly #table: string;

  constructor(table: string) {
    this.#table = table;
  }

  #mark(name: string, kind: Column['kind'], nullable = false): never {
    const mark = new Mark(name, kind, nullable);
    this.columns.push(mark);
    this.cells.push(name);
    this.selected.push(`${this.#table}.${name}`);
    return mark as never;
  }

  text = (column: string) => this.#mark(column, 'text');
  textOrNull = (column: string) => this.#mark(column, 'text', true);
  number = (column: string) => this.#mark(column, 'number');
  numberOrNull = (column: string) => this.#mark(column, 'number', true);
  boolean = (column: string) => this.#mark(column, 'boolean');
  json = (column: string) => this.#mark(column, 'json');
  jsonOrNull = (column: string) => this.#mark(column, 'json', true);
  jsonText = (column: string) => this.#mark(column, 'json');

  sql(expression: string): never {
    this.cells.push(expression);
    this.selected.push(expression);
    return undefined as never;
  }

  from<T>(table: Selection<T>): never {
    this.selected.push(...table.selected);
    return undefined as never;
  }

  joined = <T>(table: Selection<T>) => this.from(table);
}

/** JSON that is parsed only on demand. */
declare const content: unique symbol;
type JsonText<T> = string & { readonly [content]: T };

export const parsed = <T>(json: JsonText<T>): T => (typeof json === 'string' ? JSON.parse(json) : json);

class Reader {
  #row: Row = [];
  #at = 0;

  read<T>(row: Row, declare: (row: Cells) => T): T {
    this.#row = row;
    this.#at = 0;
    return declare(this);
  }

  text<T extends string>(_column: string): T {
    return this.#row[this.#at++] as T;
  }

  textOrNull<T extends string>(_column: string): T | null {
    return this.#row[this.#at++] as T | null;
  }

  number(_column: string): number {
    return this.#row[this.#at++] as number;
  }

  numberOrNull(_column: string): number | null {
    return this.#row[this.#at++] as number | null;
  }

  /** SQLite stores booleans as 0 and 1. */
  boolean(_column: string): boolean {
    return Boolean(this.#row[this.#at++]);
  }

  /** JSON is stored as text. */
  json<T>(_column: string): T {
    return JSON.parse(this.#row[this.#at++] as string);
  }

  jsonOrNull<T>(_column: string): T | null {
    const text = this.#row[this.#at++] as string | null;
    return text === null ? null : JSON.parse(text);
  }

  /** For a getter that passes it to `parsed`. */
  jsonText<T>(_column: string): JsonText<T> {
    return this.#row[this.#at++] as JsonText<T>;
  }

  /** An SQL expression over the tables of the statement; never written. */
  sql<T>(_expression: string): T {
    return this.#row[this.#at++] as T;
  }

  /** A row of a table of the statement. */
  from<T>(table: Selection<T>): T {
    return table.declare(this);
  }

  /** Like `from`, for a left join: undefined if there is no row. The first column of a table is never null. */
  joined<T>(table: Selection<T>): T | undefined {
    if (this.#row[this.#at] !== null) return table.declare(this);
    this.#at += table.selected.length;
    return undefined;
  }
}

const reader = new Reader();

/** For joined rows and for columns that are expressions. */
export function selection<T>(declare: (row: Pick<Cells, 'sql' | 'from' | 'joined'>) => T): Selection<T> {
  const recorder = new Recorder('');
  declare(recorder);
  return selectionOf(declare, recorder);
}

function selectionOf<T>(declare: (row: Cells) => T, { selected }: Recorder): Selection<T> {
  return { declare, selected, list: selected.join(', '), read: (row) => reader.read(row, declare) };
}

export function table<T extends object>(name: string, declare: (row: Cells) => T): Table<T> {
  const recorder = new Recorder(name);
  setPaths(declare(recorder), []);
  const { columns, cells } = recorder;
  const selected = selectionOf(declare, recorder);
  return {
    ...selected,
    name,
    columns,
    select: `select ${selected.list} from ${name}`,
    names: () => columns.map((column) => column.name),
    readNamed: (row) => selected.read(cells.map((cell) => row[cell] ?? null)),
    values(record) {
      const values: Record<string, unknown> = {};
      for (const column of columns) {
        const value = storedValue(column, record);
        if (value !== undefined) values[column.name] = value;
      }
      return values;
    },
  };
}

function setPaths(declared: object, outer: readonly string[]): void {
  for (const [member, value] of Object.entries(declared)) {
    const path = [...outer, member];
    if (value instanceof Mark) value.path = path;
    else if (typeof value === 'object' && value !== null) setPaths(value, path);
  }
}

/** The value as the database stores it; undefined if the record does not have the member. */
function storedValue({ kind, path }: Column, record: object): unknown {
  let value: unknown = record;
  for (const member of path) {
    if (!isObject(value)) return undefined;
    value = value[member];
  }
  return kind === 'json' && value !== null && value !== undefined ? JSON.stringify(value) : value;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Fixed statements that insert a row, or replace the row with the same key. */
interface Put<T> {
  /** `key, kind, …` */
  readonly list: string;
  /** `key text, kind text, …`, for json_to_recordset. */
  readonly types: string;
  /** `insert into tokens (key, kind, …) values (?, ?, …)` */
  readonly insert: string;
  /** `insert into tokens (key, kind, …) select ?, ?, …`, for a condition to follow. */
  readonly select: string;
  /** `on conflict (key) do update set kind = excluded.kind, …` */
  readonly replace: string;
  /** The columns that a later put with the same key changes. */
  readonly changed: readonly string[];
  /** For the placeholders of `insert`; null for missing members. */
  values(record: Partial<T>): unknown[];
  /** The values of `changed`. */
  changes(record: Partial<T>): unknown[];
  /** By column name, added to `beside`. */
  row(record: Partial<T>, beside: Record<string, unknown>): Record<string, unknown>;
}

/** `leaves`: columns that no put writes. `keeps`: columns that only the first put with a key writes. */
export function put<T extends object>(
  { name, columns }: Table<T>,
  { key = '', leaves = [], keeps = [] }: { key?: string; leaves?: readonly string[]; keeps?: readonly string[] },
): Put<T> {
  const written = columns.filter((column) => !leaves.includes(column.name));
  const names = written.map((column) => column.name);
  const changing = written.filter((column) => column.name !== key && !keeps.includes(column.name));
  const changed = changing.map((column) => column.name);
  const list = names.join(', ');
  return {
    list,
    changed,
    types: written.map((column) => `${column.name} ${postgresTypes[column.kind]}`).join(', '),
    insert: `insert into ${name} (${list}) values (${names.map(() => '?').join(', ')})`,
    select: `insert into ${name} (${list}) select ${names.map(() => '?').join(', ')}`,
    replace: `on conflict (${key}) do update set ${changed.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    values: (record) => written.map((column) => storedValue(column, record) ?? null),
    changes: (record) => changing.map((column) => storedValue(column, record) ?? null),
    row(record, beside) {
      const row: Record<string, unknown> = beside;
      for (const column of written) row[column.name] = storedValue(column, record);
      return row;
    },
  };
}

const postgresTypes = { text: 'text', number: 'bigint', boolean: 'boolean', json: 'text' } as const;
