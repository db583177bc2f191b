/** The fixed statements that write a row of a table. */
import { storedValue, type Table } from './table.ts';

/** They insert a row, or replace the one with its key. */
export interface Put<T> {
  /** `key, kind, …` */
  readonly list: string;
  /** `key text, kind text, …`, for json_to_recordset. */
  readonly types: string;
  /** `insert into tokens (key, kind, …) values (?, ?, …)` */
  readonly insert: string;
  /** `on conflict (key) do update set kind = excluded.kind, …` */
  readonly replace: string;
  /** The columns that a later put of the same key changes. */
  readonly changed: readonly string[];
  /** For the places of `insert`; null for what the record does not have. */
  values(record: Partial<T>): unknown[];
  /** Of the columns that are changed. */
  changes(record: Partial<T>): unknown[];
  /** By the names of the columns, added to what a statement needs beside them. */
  row(record: Partial<T>, beside: Record<string, unknown>): Record<string, unknown>;
}

/** `leaves`: columns that no put writes. `keeps`: columns that only the first put of a key writes. */
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
