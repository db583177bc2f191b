/** The servers under test: each a process on the server's core, with an empty database of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Seeded } from './clients.ts';
import { Connection } from './connection.ts';
import { get } from './requests.ts';
import type { Upstream } from './upstream.ts';

export const kinds = ['bare', 'sqlite', 'postgres'] as const;
export type Kind = (typeof kinds)[number];

export interface Server {
  readonly kind: Kind;
  readonly port: number;
  /** The port of the service behind the gateway. */
  readonly upstreamPort: number;
  readonly seeded: Seeded;
  /** Milliseconds from the start of the process to its first discovery document. */
  readonly startMs: number;
  /** MB, as the kernel reports it. */
  rss(): number;
  /** Seconds of processor time used since the start. */
  cpu(): number;
  /** Database round trips since the start; undefined without a database. */
  roundTrips(): Promise<number | undefined>;
  stop(): Promise<void>;
}

export interface Home {
  readonly kind: Kind;
  readonly environment: Readonly<Record<string, string>>;
  readonly seeded: Seeded | undefined;
  readonly port: number;
  readonly upstreamPort: number;
  remove(): Promise<void>;
}

const root = join(import.meta.dirname, '..');
const adminKey = randomBytes(24).toString('base64url');
/** Core 1 for the servers, core 0 for everything else. */
export const pinned = availableParallelism() > 1 && works('taskset', ['--version']);

export const servicesEnvironment = { SERVICES_DIR: join(tmpdir(), 'gatehouse-bench-services') };

function works(command: string, words: string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Pins this process, the load generator, to core 0. Its child processes inherit this unless they are pinned. */
export function pinGenerator(): void {
  if (pinned) execFileSync('taskset', ['-acp', '0', String(process.pid)], { stdio: 'ignore' });
}

/** Starts a Postgres and a Redis for the benchmark. Returns undefined if one is not installed. */
export function startServices(): { databaseUrl: string; redisUrl: string } | undefined {
  const script = join(root, 'scripts/services.sh');
  const environment = { ...process.env, ...servicesEnvironment };
  let said: string;
  try {
    said = execFileSync(script, ['start'], { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
  const databaseUrl = /TEST_DATABASE_URL=(\S+)/.exec(said)?.[1];
  const redisUrl = /TEST_REDIS_URL=(\S+)/.exec(said)?.[1];
  return databaseUrl && redisUrl ? { databaseUrl, redisUrl } : undefined;
}

export function stopServices(): void {
  execFileSync(join(root, 'scripts/services.sh'), ['stop'], {
    env: { ...process.env, ...servicesEnvironment },
    stdio: 'ignore',
  });
}

/** Creates and seeds the data folder of a server. */
export async function createHome(
  kind: Kind,
  people: number,
  services: { databaseUrl: string; redisUrl: string } | undefined,
  upstream: Upstream,
): Promise<Home> {
  const port = await freePort();
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const environment: Record<string, string> = {
    NODE_ENV: 'production',
    MCP: 'true',
    SURFACES: 'all',
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: dataDir,
    ADMIN_KEY: adminKey,
    BENCH_PEOPLE: String(people),
    GATEWAY_ROUTES: upstream.routesFile,
  };
  let remove = async () => rmSync(dataDir, { recursive: true, force: true });
  if (kind === 'postgres' && services) {
    const name = `gatehouse_bench_${randomBytes(6).toString('hex')}`;
    await onServer(services.databaseUrl, `create database ${name}`);
    const url = new URL(services.databaseUrl);
    url.pathname = `/${name}`;
    Object.assign(environment, {
      DATABASE_URL: url.href,
      REDIS_URL: services.redisUrl,
      REDIS_PREFIX: `${name}:`,
      SECRET_KEY: randomBytes(32).toString('base64url'),
      MIGRATE: 'true',
    });
    remove = () => onServer(services.databaseUrl, `drop database if exists ${name} with (force)`);
  }
  const seeded: Seeded | undefined =
    kind === 'bare'
      ? undefined
      : JSON.parse(
          execFileSync(process.execPath, ['bench/seed.ts'], { cwd: root, env: whole(environment), encoding: 'utf8' }),
        );
  return { kind, environment, seeded, port, upstreamPort: upstream.port, remove };
}

export async function startServer(home: Home, nodeOptions: readonly string[] = []): Promise<Server> {
  const { kind, port } = home;
  const file = kind === 'bare' ? 'bench/bare-engine.ts' : 'src/main.ts';
  const command = [process.execPath, ...nodeOptions, file];
  const [program = '', ...words] = pinned ? ['taskset', '-c', '1', ...command] : command;
  const started = performance.now();
  const child = spawn(program, words, {
    cwd: root,
    env: whole(home.environment),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  // taskset replaces itself with the program, so this is the server's process id.
  const pid = child.pid ?? 0;
  const server: Server = {
    kind,
    port,
    upstreamPort: home.upstreamPort,
    seeded: home.seeded ?? noClients,
    startMs: await firstAnswer(port, child, started),
    rss: () => memory(pid),
    cpu: () => processorSeconds(pid),
    async roundTrips() {
      if (kind === 'bare') return undefined;
      const page = await once(port, get(server, '/metrics', { Authorization: `Bearer ${adminKey}` }));
      return Number(/^gatehouse_db_round_trips_total (\d+)/m.exec(page)?.[1]);
    },
    stop: () => ended(child),
  };
  return home.seeded ? server : { ...server, seeded: JSON.parse(said) };
}

const noClients: Seeded = { machine: { id: '', secret: '' }, web: { id: '', secret: '' }, spa: { id: '' } };

async function firstAnswer(port: number, child: ChildProcess, started: number): Promise<number> {
  const request = `GET /.well-known/openid-configuration HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
  while (performance.now() - started < 30_000) {
    if (child.exitCode !== null) throw new Error('the server under test exited at its start');
    try {
      await once(port, request);
      return performance.now() - started;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  throw new Error('the server under test does not answer');
}

async function once(port: number, request: string): Promise<string> {
  const connection = new Connection(port);
  try {
    const { status, body } = await connection.send(request);
    if (status !== 200) throw new Error(`status ${status}`);
    return body.toString();
  } finally {
    connection.close();
  }
}

function whole(environment: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  // Excludes the caller's settings, so that the run is the same on every machine.
  return { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
}

function memory(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

/** The kernel counts in hundredths of a second. */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    return undefined;
  });
}

async function onServer(server: string, command: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(command);
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
