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
  switch (language) {
    case 'node':
      once('node_modules', 'package-lock.json', () => run('npm', ['ci']));
      return undefined;
    case 'python':
      if (!has('python3', ['-c', 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 10))']))
        return 'no Python 3.10 with venv';
      once('.python', 'requirements.txt', () => {
        rmSync(pythonFolder, { recursive: true, force: true });
        run('python3', ['-m', 'venv', pythonFolder]);
        run(join(pythonFolder, 'bin/pip'), ['install', '--quiet', '--require-hashes', '-r', 'requirements.txt']);
      });
      return undefined;
    case 'go':
      if (!has('go', ['version'])) return 'no go';
      once('.go', 'pins.ts', () =>
        run('go', ['install', `${oauth2Proxy.module}@v${oauth2Proxy.version}`], { GOBIN: goFolder }),
      );
      return undefined;
  }
}

/** Once for each state of the file that says what is wanted. */
function once(place: string, file: string, work: () => void): void {
  const stamp = join(folder, place, '.installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, file)))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  work();
  writeFileSync(stamp, wanted);
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
}

function has(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
