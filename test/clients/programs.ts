/** How the programs of each language are started. */
import { join } from 'node:path';
import type { Client, Given } from './client.ts';
import { goFolder, pythonFolder } from './install.ts';
import { folder } from './pins.ts';

const told = ({ issuer, id, secret, url, port }: Given) => ({
  ISSUER: issuer,
  CLIENT_ID: id,
  CLIENT_SECRET: secret,
  APP_URL: url,
  PORT: String(port),
});

export const nodeProgram =
  (file: string): Client['program'] =>
  (given) => ({ command: process.execPath, args: [join(folder, 'programs', file)], env: told(given) });

export const pythonProgram =
  (file: string, env: Readonly<Record<string, string>> = {}): Client['program'] =>
  (given) => ({
    command: join(pythonFolder, 'bin/python'),
    args: [join(folder, 'programs', file)],
    env: { ...told(given), ...env },
  });

export const goProgram =
  (name: string, args: (given: Given) => readonly string[]): Client['program'] =>
  (given) => ({ command: join(goFolder, name), args: args(given) });
