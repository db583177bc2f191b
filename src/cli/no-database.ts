/** What to do where a command finds no database. Commands never make one: a wrong folder would look like an empty server. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NoDatabase } from '../base/errors.ts';
import { calledAs } from './command.ts';

export function whereToLook({ message }: NoDatabase): string {
  const { DATABASE_URL, DATABASE_URL_FILE, DATA_DIR } = process.env;
  const postgres = (DATABASE_URL ?? DATABASE_URL_FILE ?? '').trim() !== '';
  const named = DATA_DIR?.trim() || undefined;
  const looked = postgres
    ? 'DATABASE_URL names it.'
    : named === undefined
      ? `DATA_DIR is not set, so it was looked for in ./data of ${resolve('.')}.`
      : `DATA_DIR is ${named}.`;
  return [
    `${message} ${looked} Nothing was made.`,
    'Set DATA_DIR (SQLite) or DATABASE_URL (Postgres) to what the server has.',
    ...(existsSync('.env') ? ['The file .env here is not read by itself: set -a; . ./.env; set +a'] : []),
    `A new database is made by the first start of the server (npm start), or by: ${calledAs} migrate up`,
  ].join('\n');
}
