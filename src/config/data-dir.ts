/** Checks that `DATA_DIR` can be a folder that only this process opens and that it may write. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { NotPrivate, privateFolder } from '../base/private-files.ts';
import { type Mistake, mistake } from './mistakes.ts';

/** Creates nothing. An existing folder is closed to other users; for a missing one, checks whether it could be made. */
export function dataDirMistake(dir: string): Mistake | undefined {
  const path = resolve(dir);
  const wrong = (details: string): Mistake => ({
    ...mistake(
      'DATA_DIR',
      dir,
      'a folder that belongs to the user of this process, who alone may open it',
      join(dir, 'gatehouse'),
    ),
    details,
  });
  try {
    if (existsSync(path)) privateFolder(path);
    const there = nearest(path);
    if (!isWritable(there)) return wrong(`${there} cannot be written by this process.`);
    return undefined;
  } catch (error) {
    if (!(error instanceof NotPrivate)) throw error;
    return wrong(error.message);
  }
}

function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path));
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
