/** A start of the program that comes to nothing: how it ends, and what it says. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface As {
  /** The user it runs as, where this process may choose. */
  readonly uid?: number | undefined;
  /** In place of the server: a program and its arguments. */
  readonly words?: readonly string[];
}

/** `environment` is all there is. */
export function failedStart(environment: Readonly<Record<string, string>>, as: As = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, ...environment };
    const { uid, words = ['src/main.ts'] } = as;
    const child = spawn(process.execPath, [...words], { cwd: root, env, ...(uid !== undefined && { uid }) });
    const [out, err]: [string[], string[]] = [[], []];
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text));
    // A start that succeeds would never end by itself.
    const limit = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, out: out.join(''), err: err.join('') });
    });
  });
}
