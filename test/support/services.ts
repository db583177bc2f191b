/**
 * A Postgres of one run's own, through scripts/services.sh in a folder of its own: it can be stopped, hung and started
 * again.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

const script = join(import.meta.dirname, '../../scripts/services.sh');
const run = promisify(execFile);

export interface OwnPostgres {
  /** The address of a new, empty database. */
  database(): Promise<string>;
  /** `pg_ctl stop -m immediate`: no checkpoint, no goodbye. */
  stopImmediately(): Promise<void>;
  /** Resolves when it accepts connections. */
  start(): Promise<void>;
  /** The postmaster and every one of its processes. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  close(): Promise<void>;
}

/** Undefined where this machine has no Postgres: then the run does without, except in CI, where it must not. */
export async function ownPostgres(): Promise<OwnPostgres | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-services-'));
  await chmod(folder, 0o711);
  const env = { ...process.env, SERVICES_DIR: folder };
  const services = async (...words: string[]) => (await run(script, words, { env })).stdout;
  const url = /TEST_DATABASE_URL=(\S+)/.exec(await services('start', 'postgres'))?.[1];
  if (url === undefined) {
    await rm(folder, { recursive: true, force: true });
    if (process.env.CI === 'true') throw new Error('there is no Postgres here, and in CI there must be one');
    return undefined;
  }
  const postmaster = () => {
    const file = join(folder, 'postgres/data/postmaster.pid');
    return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined;
  };
  const signal: OwnPostgres['signal'] = (name) => {
    const pid = postmaster();
    if (pid === undefined) return;
    // The postmaster first when stopping, so that it replaces no process; last when it goes on.
    const children = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && parentOf(entry) === pid);
    const all = [pid, ...children.map(Number)];
    for (const one of name === 'SIGSTOP' ? all : all.reverse()) tryKill(one, name);
  };
  return {
    async database() {
      const name = `gatehouse_${randomBytes(6).toString('hex')}`;
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      const address = new URL(url);
      address.pathname = `/${name}`;
      return address.href;
    },
    async stopImmediately() {
      const pid = postmaster();
      if (pid === undefined) throw new Error('Postgres does not run');
      process.kill(pid, 'SIGQUIT');
      while (postmaster() !== undefined) await sleep(20);
    },
    async start() {
      await services('start', 'postgres');
    },
    signal,
    async close() {
      signal('SIGCONT');
      await services('stop').catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
