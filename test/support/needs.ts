/** What some suites need beside Node, and where it is. */
import { existsSync } from 'node:fs';
import { sampling } from './sample.ts';

export type Need = 'Postgres' | 'Redis' | 'Chromium' | 'nginx' | 'Caddy' | 'PgBouncer';

/** The variable that names it, and the path where it is looked for otherwise. */
const places: Readonly<Record<Need, readonly [variable: string, usual?: string]>> = {
  Postgres: ['TEST_DATABASE_URL'],
  Redis: ['TEST_REDIS_URL'],
  Chromium: ['TEST_CHROMIUM', '/usr/bin/chromium'],
  nginx: ['TEST_NGINX', '/usr/sbin/nginx'],
  Caddy: ['TEST_CADDY', '/usr/bin/caddy'],
  PgBouncer: ['TEST_PGBOUNCER', '/usr/sbin/pgbouncer'],
};
export const needs = Object.keys(places) as Need[];

/** Its address or path. */
export function placeOf(need: Need): string | undefined {
  const [variable, usual] = places[need];
  return process.env[variable] || (usual !== undefined && existsSync(usual) ? usual : undefined);
}

export function missing(need: Need): string {
  const [variable, usual] = places[need];
  return `${variable} is not set${usual ? ` and there is no ${usual}` : ''}: what needs ${need} is skipped.`;
}

/** False: its suites are skipped, as the run says once when it begins. In CI it must be there. */
export function isTested(need: Need): boolean {
  if (sampling) return false;
  if (placeOf(need)) return true;
  if (process.env.CI === 'true') throw new Error(missing(need));
  return false;
}
