/** The exact versions that are tried: one place for each language. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const folder = import.meta.dirname;

const read = (file: string) => readFileSync(join(folder, file), 'utf8');

export function nodeVersion(name: string): string {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const version = dependencies[name];
  if (version === undefined) throw new Error(`package.json does not name ${name}`);
  return version;
}

export function pythonVersion(name: string): string {
  const version = new RegExp(`^${name}==(\\S+)`, 'm').exec(read('requirements.txt'))?.[1];
  if (version === undefined) throw new Error(`requirements.txt does not name ${name}`);
  return version;
}

export const oauth2Proxy = { module: 'github.com/oauth2-proxy/oauth2-proxy/v7', version: '7.15.6' } as const;
