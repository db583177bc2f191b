/** Brings what the clients of one language need into ignored folders beside this file, when it is not there yet. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Language } from './client.ts';
import { folder, oauth2Proxy } from './pins.ts';

export const pythonFolder = join(folder, '.python');
export const goFolder = join(folder, '.go');

/** Why the clients of this language are not run; undefined: they are there. A registry that fails is an error. */
export function install(language: Language): string | undefined {
  if (language !== 'go') return installIn(folder, language);
  if (!has('go', ['version'])) return 'no go';
  once(folder, '.go', 'pins.ts', () =>
    run(folder, 'go', ['install', `${oauth2Proxy.module}@v${oauth2Proxy.version}`], { GOBIN: goFolder }),
  );
  return undefined;
}

/** What `package-lock.json` or `requirements.txt` of this folder names, into `node_modules` or `.python` there. */
export function installIn(at: string, language: Exclude<Language, 'go'>): string | undefined {
  if (language === 'node') {
    once(at, 'node_modules', 'package-lock.json', () => run(at, 'npm', ['ci']));
    return undefined;
  }
  if (!has('python3', ['-c', 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 10))']))
    return 'no Python 3.10 with venv';
  once(at, '.python', 'requirements.txt', () => {
    const environment = join(at, '.python');
    rmSync(environment, { recursive: true, force: true });
    run(at, 'python3', ['-m', 'venv', environment]);
    run(at, join(environment, 'bin/pip'), ['install', '--quiet', '--require-hashes', '-r', 'requirements.txt']);
  });
  return undefined;
}

/** Once for each state of the file that says what is wanted. */
function once(at: string, place: string, file: string, work: () => void): void {
  const stamp = join(at, place, '.installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(at, file)))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  work();
  writeFileSync(stamp, wanted);
}

function run(at: string, command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  execFileSync(command, args, { cwd: at, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
}

function has(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
