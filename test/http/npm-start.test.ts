/** R2: a signal to npm, as systemd and Docker send it, drains the server behind it; then both are gone. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { describePostgres, freshPostgres } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/mail.ts';

const root = join(import.meta.dirname, '../..');
const start = ['start'];
const serve = ['run', 'cli', '--', 'serve'];

const groups: number[] = [];
/** Also after a test that has waited in vain. */
afterEach(() => {
  for (const group of groups.splice(0)) {
    try {
      if (group > 0) process.kill(-group, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  }
});

/** What npm runs, in a process group of its own, so that nothing of it outlives the test. */
function npm(words: readonly string[], env: Readonly<Record<string, string>>) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('npm', words, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, ...env },
  });
  groups.push(child.pid ?? 0);
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      printed += part.toString();
    });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  return {
    printed: () => printed,
    ended,
    signal: (name: NodeJS.Signals) => child.kill(name),
  };
}

/** A request of which the server has read the head and waits for the body. */
async function requestUnderWay(port: number) {
  const body = 'grant_type=authorization_code';
  const socket = connect(port, 'localhost');
  let received = '';
  socket.on('data', (part: Buffer) => {
    received += part.toString();
  });
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', (error) => {
    received += error.message;
  });
  socket.write(
    `POST /oauth/token HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
      `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
  );
  await until(() => received.includes('100 Continue'));
  return {
    async finish() {
      socket.write(body);
      await over;
      return received.slice(received.indexOf('HTTP/1.1', 12));
    },
  };
}

const isTaken = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, 'localhost');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

async function drains(words: readonly string[], signal: NodeJS.Signals, env: Readonly<Record<string, string>> = {}) {
  const port = await freePort();
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const run = npm(words, { PORT: String(port), DATA_DIR: dataDir, ...env });
  let over = false;
  void run.ended.then(() => {
    over = true;
  });
  try {
    await until(() => run.printed().includes('Gatehouse is ready.') || over);
    const request = await requestUnderWay(port);
    run.signal(signal);
    await until(() => run.printed().includes('stopping') || over);
    expect([run.printed(), over]).toEqual([expect.stringContaining('stopping'), false]);
    expect(await request.finish()).toMatch(/^HTTP\/1\.1 40[01] [\s\S]*"error":"invalid_/);
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(await isTaken(port)).toBe(false);
    return run.printed();
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

test.each([
  ['npm start', 'SIGTERM', start],
  ['npm start', 'SIGINT', start],
  ['npm run cli -- serve', 'SIGTERM', serve],
  ['npm run cli -- serve', 'SIGINT', serve],
] as const)(
  'R2: %s, %s to npm: what is under way is answered, the port is free, npm ends',
  async (_name, signal, words) => {
    await drains(words, signal);
  },
);

test('R2: production on loopback needs no other setting', async () => {
  const printed = await drains(start, 'SIGTERM', { NODE_ENV: 'production' });
  expect(printed).not.toContain('/playground');
});

describePostgres('several workers', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('R2: npm start with WORKERS=2, %s to npm', async (signal) => {
    const database = await freshPostgres();
    try {
      const printed = await drains(start, signal, {
        WORKERS: '2',
        DATABASE_URL: database.url,
        SECRET_KEY: 'a-secret-key-for-tests-0123456789abcdef',
        MIGRATE: 'true',
      });
      expect(printed.split('Gatehouse is ready.')).toHaveLength(2);
      expect(printed).toMatch(/^ {2}Workers +2$/m);
    } finally {
      await database.drop();
    }
  });
});
