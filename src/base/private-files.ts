/** Folders and files that only their owner can open: modes 700 and 600, whatever the umask and the previous mode. */
import { chmodSync, closeSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The message is a sentence for the operator that says what prevents it. */
export class NotPrivate extends Error {}

/** Creates the folder and its parents if missing, and sets its mode. Throws `NotPrivate`. */
export function privateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new NotPrivate(`${path} cannot be created (${codeOf(cause)}).`, { cause });
  }
  // Closing the root or /tmp to other users would break the machine.
  const sticky = ((statOf(path)?.mode ?? 0) & 0o1000) !== 0;
  if (sticky || dirname(path) === path) throw new NotPrivate(`${path} is a folder that other users share.`);
  keepMode(path, 0o700);
}

/** Creates an empty file if missing, and sets its mode. Throws `NotPrivate`. */
export function privateFile(path: string): void {
  // An existing file is never opened: closing a descriptor would release the locks that SQLite holds on it.
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw new NotPrivate(`${path} cannot be created (${codeOf(cause)}).`, { cause });
  }
  privateIfThere(path);
}

/** Sets the mode of a file that another program creates. Throws `NotPrivate`. */
export function privateIfThere(path: string): void {
  if (statOf(path)?.isFile()) keepMode(path, 0o600);
}

function keepMode(path: string, mode: number): void {
  // Windows has no such modes; the access list of the parent folder decides.
  if (process.platform === 'win32' || isMode(path, mode)) return;
  const open = `${path} is open to other users, and its mode cannot be set to ${mode.toString(8)}`;
  try {
    chmodSync(path, mode);
  } catch (cause) {
    const [owner, own] = [statOf(path)?.uid, process.getuid?.()];
    const why = owner === own ? codeOf(cause) : `it belongs to user ${owner}, and this process runs as user ${own}`;
    throw new NotPrivate(`${open}: ${why}.`, { cause });
  }
  if (!isMode(path, mode)) throw new NotPrivate(`${open}: its file system does not support modes.`);
}

const isMode = (path: string, mode: number): boolean => ((statOf(path)?.mode ?? 0) & 0o777) === mode;

/** Returns undefined also if the path is not accessible. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'no reason given';
}
