/** A real Caddy over a file of the test's, on a free port, with a folder of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placeOf } from './needs.ts';
import { listens } from './nginx.ts';
import { eventually } from './redis-server.ts';

/** `sites`: a Caddyfile without global options; it listens on `port`. */
export async function startCaddy(sites: string, port: number): Promise<{ close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-caddy-'));
  const file = join(folder, 'Caddyfile');
  // Its admin interface would be on one port for all.
  writeFileSync(file, `{\n\tadmin off\n}\n${sites}`);
  const child = spawn(placeOf('Caddy') ?? '', ['run', '--config', file, '--adapter', 'caddyfile'], {
    env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
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
  await eventually('Caddy listens', async () => {
    if (over) throw new Error(`Caddy did not start: ${said}`);
    return listens(port);
  });
  return {
    async close() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
