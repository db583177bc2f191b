/**
 * Migrates a database to the version of this program: the files of `db/migrations`, each with `up` and `down`. If the
 * database is up to date, this costs one query and one directory listing; no migration file is loaded.
 */

import { readdirSync } from 'node:fs';
import type { Knex } from 'knex';
import { nowSeconds } from '../../base/clock.ts';
import { guarded } from './sql.ts';

interface MigrationStatus {
  /** In the order of application. */
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Applied by a newer version of this program: no file of this version has the name. */
  readonly unknown: readonly string[];
}

export interface Migrations {
  status(): Promise<MigrationStatus>;
  /** Applies pending migrations up to and including `to` (a name or its number). Returns their names. */
  up(options?: { to?: string }): Promise<string[]>;
  /** Reverts the latest `steps` migrations. Returns their names. */
  down(options: { steps: number }): Promise<string[]>;
}

interface Migration {
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

export interface MigrationTarget {
  readonly dialect: 'sqlite' | 'postgres';
  readonly knex: Knex;
}

const folder = new URL('../../../db/migrations/', import.meta.url);

/** An arbitrary number; no other program may lock the same one in this database. */
const advisoryLock = 7_203_114_501;

function listed(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -3))
    .sort();
}

async function load(name: string): Promise<Migration> {
  return (await import(new URL(`${name}.ts`, folder).href)) as Migration;
}

function noSuchTable(error: unknown): boolean {
  // Not `instanceof Error`: an error of node:sqlite comes from outside the test runner's realm.
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === '42P01' || String(message).includes('no such table');
}

async function appliedIn(knex: Knex): Promise<string[]> {
  try {
    return await guarded(() => knex('migrations').orderBy('name').pluck('name'));
  } catch (error) {
    if (noSuchTable(error)) return [];
    throw error;
  }
}

function compare(applied: readonly string[]): MigrationStatus {
  const names = listed();
  return {
    applied,
    pending: names.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !names.includes(name)),
  };
}

export async function migrationStatus(knex: Knex): Promise<MigrationStatus> {
  return compare(await appliedIn(knex));
}

/** Throws if a newer version of this program has changed the database: this version could damage its data. */
export function refuseNewer({ unknown }: MigrationStatus): void {
  if (unknown.length === 0) return;
  throw new Error(
    `The database was migrated by a newer version of Gatehouse (${unknown.join(', ')}). Run that version, or revert its ` +
      'migrations with that version first: npm run cli -- migrate down',
  );
}

/** `open` returns a connection for one run: a migration may take longer than a request may. */
export function createMigrations(
  open: () => Promise<{ target: MigrationTarget; close: () => Promise<void> }>,
): Migrations {
  /** One run at a time, also across processes, in one transaction: both databases can roll back changes of tables. */
  async function locked<T>(work: (knex: Knex, applied: string[]) => Promise<T>): Promise<T> {
    const { target, close } = await open();
    try {
      return await guarded(() =>
        target.knex.transaction(async (trx) => {
          // On SQLite, BEGIN IMMEDIATE already holds the write lock.
          if (target.dialect === 'postgres') await trx.raw('select pg_advisory_xact_lock(?)', [advisoryLock]);
          if (!(await trx.schema.hasTable('migrations'))) {
            await trx.schema.createTable('migrations', (table) => {
              table.string('name').primary();
              table.bigInteger('applied_at').notNullable();
            });
          }
          return work(trx, await trx('migrations').orderBy('name').pluck('name'));
        }),
      );
    } finally {
      await close();
    }
  }

  return {
    async status() {
      const { target, close } = await open();
      try {
        return await migrationStatus(target.knex);
      } finally {
        await close();
      }
    },

    up: ({ to } = {}) =>
      locked(async (knex, applied) => {
        const status = compare(applied);
        refuseNewer(status);
        const last = to === undefined ? undefined : listed().find((name) => name === to || name.startsWith(`${to}-`));
        if (to !== undefined && last === undefined) throw new Error(`Unknown migration "${to}".`);
        const wanted = status.pending.filter((name) => last === undefined || name <= last);
        for (const name of wanted) {
          await (await load(name)).up(knex);
          await knex('migrations').insert({ name, applied_at: nowSeconds() });
        }
        return wanted;
      }),

    down: ({ steps }) =>
      locked(async (knex, applied) => {
        refuseNewer(compare(applied));
        const wanted = steps > 0 ? applied.slice(-steps).reverse() : [];
        for (const name of wanted) {
          await (await load(name)).down(knex);
          await knex('migrations').where({ name }).delete();
        }
        return wanted;
      }),
  };
}
