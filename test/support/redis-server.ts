/**
 * A Redis of a test's own, so that it can be stopped, killed, flushed and filled with rubbish. Needs `redis-server` on
 * the path.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

/** For what is not about a Redis that hangs: a machine that stands still for a moment is not taken for one. */
export const patiently = (url: string): string => `${url}?commandTimeout=10000`;

export interface TestRedis {
  readonly url: string;
  /** Outside the code under test. */
  readonly client: Redis;
  start(): Promise<void>;
  kill(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  close(): Promise<void>;
}

export async function startTestRedis(): Promise<TestRedis> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    // It writes to disk only when it is told to (SAVE), and comes back with that.
    server = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
      { stdio: 'ignore' },
    );
    await client.ping();
  }

  async function kill(): Promise<void> {
    const running = server;
    server = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  }

  await start();
  return {
    url,
    client,
    start,
    kill,
    signal: (signal) => void server?.kill(signal),
    async close() {
      client.disconnect();
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}

/**
 * Asks until it is so; fails after `limitMs`. One turn counts for 50 ms at most: a machine that stood still is not
 * taken for a server that is late.
 */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  let waited = 0;
  for (;;) {
    const began = performance.now();
    if (await isSo()) return;
    if (waited > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    waited += Math.min(performance.now() - began, 50);
  }
}
