/** Databases with the tables of this version, copied from one that is migrated once in a run. */
import { copyFileSync, existsSync } from 'node:fs';
import { openSql } from '../../../src/storage/sql/open.ts';
import { createDatabase, urlOf } from '../postgres-server.ts';
import { noteTemplate, onceInRun, runFolder, templateName, templatesOfRun } from './run-folder.ts';

/** Puts a SQLite database there, unless there is one. */
export async function migratedFile(file: string): Promise<void> {
  if (runFolder === undefined || existsSync(file)) return;
  const made = await onceInRun(runFolder, 'migrated.sqlite', async (draft) => {
    await (await openSql({ kind: 'sqlite', file: draft })).close();
  });
  copyFileSync(made, file);
}

/** The name of the Postgres database that others are copied from. */
export async function migratedTemplate(): Promise<string> {
  const [made] = templatesOfRun();
  if (made !== undefined) return made;
  const name = templateName();
  await createDatabase(name);
  await (await openSql({ kind: 'postgres', url: urlOf(name), pool: 1 }, { migrateAtOpen: true })).close();
  noteTemplate(name);
  return name;
}
