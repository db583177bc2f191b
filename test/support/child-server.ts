/**
 * The real server as a process of its own, so that it can be killed, starved and seen to crash; and the place it lives
 * in (database, folder, address), which outlives it and can be filled from here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { openCore } from '../../src/open-core.ts';
import { freePort } from './free-port.ts';

export const childAdminKey = 'an-admin-key-for-tests-0123456789';

const root = join(import.meta.dirname, '../..');

export interface Place {
  readonly kind: 'sqlite' | 'postgres';
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Works on the storage beside whatever server runs there, as the command line does. */
  within<T>(work: (app: App) => Promise<T>): Promise<T>;
  close(): void;
}

export interface PlaceOptions {
  readonly databaseUrl?: string | undefined;
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function createPlace({ databaseUrl, dataDir, env = {} }: PlaceOptions = {}): Promise<Place> {
  const port = await freePort();
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const url = `http://127.0.0.1:${port}`;
  const settings: Record<string, string> = {
    HOST: '127.0.0.1',
    PORT: String(port),
    ISSUER: url,
    DATA_DIR: folder,
    ADMIN_KEY: childAdminKey,
    SECRET_KEY: 'a-secret-key-for-tests-0123456789abcdef',
    // Cheap hashes, and no one is throttled: both are tested elsewhere.
    PASSWORD_HASH_MEMORY: '8192',
    PASSWORD_HASH_TIME: '1',
    THROTTLE_ACCOUNT_LIMIT: '100',
    THROTTLE_ADDRESS_LIMIT: '100000',
    LOG_LEVEL: 'warn',
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl, MIGRATE: 'true' }),
    ...env,
  };
  return {
    kind: databaseUrl === undefined ? 'sqlite' : 'postgres',
    url,
    port,
    dataDir: folder,
    env: settings,
    async within(work) {
      const { REDIS_URL: _url, ...ownSettings } = settings;
      const loaded = loadConfig(ownSettings);
      if (!loaded.ok) throw new Error(`the settings are wrong: ${JSON.stringify(loaded.mistakes)}`);
      const core = await openCore(loaded.config, { logLevel: 'silent', logTo: { write: () => {} } });
      const app = await createApp(core);
      try {
        return await work(app);
      } finally {
        await app.close(1);
      }
    },
    close() {
      if (dataDir === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildServer {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  readonly pid: number;
  /** From the start of the process to the first 200 of /readyz. */
  readonly startMs: number;
  readonly ended: Promise<Ended>;
  running(): boolean;
  /** The end of what it printed. */
  printed(): string;
  /** MB. */
  rss(): number;
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Ended>;
}

/**
 * Settings of Node's and the C library's: memory that grows is then memory that is kept, not what has not been
 * collected yet.
 */
export const thrifty = { NODE_OPTIONS: '--max-old-space-size=128', MALLOC_ARENA_MAX: '2' } as const;

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** A shell's commands to run before it takes the server's place, such as `ulimit -n 256`. */
  readonly after?: string;
  /** What it prints is left in the pipe. */
  readonly unread?: boolean;
}

export async function startChild(place: Place, options: StartOptions = {}): Promise<ChildServer> {
  const port = options.port ?? place.port;
  const url = `http://127.0.0.1:${port}`;
  const server = [process.execPath, 'src/main.ts'];
  const command = options.after === undefined ? server : ['bash', '-c', `${options.after}; exec "$@"`, '-', ...server];
  const began = performance.now();
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd: root,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ...place.env,
      PORT: String(port),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-20_000);
  };
  if (!options.unread) {
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
  }
  let over = false;
  const ended = new Promise<Ended>((resolve) => {
    child.once('exit', (code, signal) => {
      over = true;
      resolve({ code, signal });
    });
  });
  while (!(await isReady(url))) {
    if (over || performance.now() - began > 60_000) {
      child.kill('SIGKILL');
      throw new Error(`the server did not start: ${printed}`);
    }
    await sleep(10);
  }
  return {
    url,
    port,
    process: child,
    pid: child.pid ?? 0,
    startMs: Math.round(performance.now() - began),
    ended,
    running: () => !over,
    printed: () => printed,
    rss: () => rssOf(child.pid ?? 0),
    end(signal = 'SIGKILL') {
      child.kill(signal);
      return ended;
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(1000),
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** MB; 0 where the system does not say. */
function rssOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
