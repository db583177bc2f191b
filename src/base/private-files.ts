/** Folders and files that this user alone may open: 700 and 600, whatever the umask is and whatever they were before. */
import { chmodSync, closeSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Its message is a sentence for those who run the server: what stands in the way. */
export class NotPrivate extends Error {}

/** Makes the folder, with those above it, where there is none. Throws `NotPrivate`. */
export function privateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new NotPrivate(`${path} cannot be made (${codeOf(cause)}).`, { cause });
  }
  // Closing the root or /tmp to everybody else would stop the machine.
  const sticky = ((statOf(path)?.mode ?? 0) & 0o1000) !== 0;
  if (sticky || dirname(path) === path) throw new NotPrivate(`${path} is a folder that others use as well.`);
  keepMode(path, 0o700);
}

/** Makes an empty file where there is none. Throws `NotPrivate`. */
export function privateFile(path: string): void {
  // Exclusive, and one that exists is never opened: closing a descriptor would drop the locks that SQLite holds on the file.
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw new NotPrivate(`${path} cannot be made (${codeOf(cause)}).`, { cause });
  }
  privateIfThere(path);
}

/** The same for a file that something else makes. Throws `NotPrivate`. */
export function privateIfThere(path: string): void {
  if (statOf(path)?.isFile()) keepMode(path, 0o600);
}

function keepMode(path: string, mode: number): void {
  // Windows has no such modes: there the access list of the folder above decides.
  if (process.platform === 'win32' || isMode(path, mode)) return;
  const open = `${path} is open to other users, and its mode cannot be set to ${mode.toString(8)}`;
  try {
    chmodSync(path, mode);
  } catch (cause) {
    const [owner, own] = [statOf(path)?.uid, process.getuid?.()];
    const why = owner === own ? codeOf(cause) : `it belongs to user ${owner}, and this process runs as user ${own}`;
    throw new NotPrivate(`${open}: ${why}.`, { cause });
  }
  if (!isMode(path, mode)) throw new NotPrivate(`${open}: its file system keeps no modes.`);
}

const isMode = (path: string, mode: number): boolean => ((statOf(path)?.mode ?? 0) & 0o777) === mode;

/** Undefined also where it may not be looked at. */
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
