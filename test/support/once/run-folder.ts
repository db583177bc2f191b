/** What is made once for a whole run of the tests lies in a folder of the run. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Set by `run-begins.ts`. Without it, as in a command of its own, nothing is shared. */
export const runFolder = process.env.TEST_RUN_FOLDER;

export const randomWord = (): string => randomBytes(6).toString('hex');

/** The path of a file that `make` writes. Two processes may make it at once: the last one stays, whole. */
export async function onceInRun(folder: string, name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const draft = `${path}-${randomWord()}`;
  await make(draft);
  renameSync(draft, path);
  return path;
}

const templates = 'gatehouse_template_';

export const templateName = (): string => `${templates}${randomWord()}`;

/** Notes a Postgres database that others are copied from. The end of the run drops it. */
export function noteTemplate(name: string): void {
  if (runFolder !== undefined) writeFileSync(join(runFolder, name), '');
}

export function templatesOfRun(): readonly string[] {
  return runFolder === undefined ? [] : readdirSync(runFolder).filter((name) => name.startsWith(templates));
}
