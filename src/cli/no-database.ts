/**
 * The message for a missing database. Commands do not create one, because a wrong folder would look like an empty
 * server.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NoDatabase } from '../base/errors.ts';
import { calledAs } from './command.ts';

export function whereToLook({ message }: NoDatabase): string {
  const { DATABASE_URL, DATABASE_URL_FILE, DATA_DIR } = process.env;
  const postgres = (DATABASE_URL ?? DATABASE_URL_FILE ?? '').trim() !== '';
  const named = DATA_DIR?.trim() || undefined;
  const looked = postgres
    ? 'The address is in DATABASE_URL.'
    : named === undefined
      ? `DATA_DIR is not set, so the command looked in ./data of ${resolve('.')}.`
      : `DATA_DIR is ${named}.`;
  return [
    `${message} ${looked} Nothing was created.`,
    'Set DATA_DIR (SQLite) or DATABASE_URL (Postgres) to the same value as on the server.',
    ...(existsSync('.env') ? ['The file .env in this folder is not read automatically: set -a; . ./.env; set +a'] : []),
    `To create a new database, start the server (npm start) or run: ${calledAs} migrate up`,
  ].join('\n');
}
