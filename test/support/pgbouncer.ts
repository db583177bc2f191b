/** A real PgBouncer before the Postgres of the tests, on a free port, with a folder of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { describePostgres } from './databases.ts';
import { freePort } from './free-port.ts';
import { isTested, placeOf } from './needs.ts';
import { listens } from './nginx.ts';
import { eventually } from './redis-server.ts';

/** A suite that needs a PgBouncer and a Postgres. */
export function describePgbouncer(name: string, suite: () => void): void {
  if (isTested('PgBouncer')) describePostgres(name, suite);
  else describe.skip(name, suite);
}

export interface PgbouncerOptions {
  readonly mode?: 'session' | 'transaction' | 'statement';
  /** Server connections for each database, at most. */
  readonly size?: number;
  /** Further lines of `[pgbouncer]`. */
  readonly settings?: string;
}

export interface Pgbouncer {
  /** The same database through the pooler. */
  through(databaseUrl: string): string;
  close(): Promise<void>;
}

/**
 * `server`: an address on the Postgres that it stands before; any database of it can be reached with the same name and
 * password.
 */
export async function startPgbouncer(
  server: string,
  { mode = 'transaction', size = 3, settings = '' }: PgbouncerOptions = {},
): Promise<Pgbouncer> {
  const address = new URL(server);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-pgbouncer-'));
  const port = await freePort();
  const [users, file] = [join(folder, 'users'), join(folder, 'pgbouncer.ini')];
  writeFileSync(users, `"${decodeURIComponent(address.username)}" "${decodeURIComponent(address.password)}"\n`);
  writeFileSync(
    file,
    `[databases]
* = host=${address.hostname} port=${address.port || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = ${size}
max_client_conn = 500
${settings}
`,
  );
  const child = spawn(placeOf('PgBouncer') ?? '', [file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...ordinaryUser(folder),
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  let over = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      over = true;
      resolve();
    });
  });
  await eventually('PgBouncer listens', async () => {
    if (over) throw new Error(`PgBouncer did not start: ${said}`);
    return listens(port);
  });
  return {
    through(databaseUrl) {
      const url = new URL(databaseUrl);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
    async close() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** It refuses to run as root. */
function ordinaryUser(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })));
  for (const path of [folder, join(folder, 'users'), join(folder, 'pgbouncer.ini')])
    chownSync(path, uid ?? 0, gid ?? 0);
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
