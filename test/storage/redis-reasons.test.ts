/** R6: why Redis is not used, in the log: the cause, where, and the setting. Each by a real Redis, or by none. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { commandLine } from '../cli/command-line.ts';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import { eventually } from '../support/redis-server.ts';
import { startServer } from '../support/server.ts';

const secret = 'hunter2-of-redis';
const withRedis = describeWith('Redis');

/** A Redis of this suite's own, with these lines of configuration, stopped by the function that comes back. */
async function startRedis(port: number, password: string, ...words: string[]): Promise<() => Promise<void>> {
  const child = spawn('redis-server', ['--bind', '127.0.0.1', '--save', '', '--requirepass', password, ...words], {
    stdio: 'ignore',
  });
  const client = new Redis({ port, host: '127.0.0.1', password, lazyConnect: true, retryStrategy: () => 50 });
  client.on('error', () => {});
  if (!words.includes('--tls-port')) await client.ping();
  client.disconnect();
  return async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
}

/** What a server that is given this address says of it, and what it answers in that time. */
async function toldOf(url: string): Promise<{ reason: string; ready: number; logged: string }> {
  const server = await startServer({ env: { REDIS_URL: url, LOG_LEVEL: 'info' } });
  try {
    await eventually('it is said', () => server.logged.some((line) => line.includes('going on without Redis')));
    const { status } = await fetch(`${server.url}/readyz`);
    const lines = server.logged.filter((line) => line.includes('going on without Redis'));
    return { reason: lines.at(-1) ?? '', ready: status, logged: server.logged.join('') };
  } finally {
    await server.close();
  }
}

withRedis('R6: a Redis with a password', () => {
  let port: number;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    port = await freePort();
    stop = await startRedis(port, secret, '--port', String(port));
  });
  afterAll(() => stop());

  test('that is another one', async () => {
    const { reason, ready, logged } = await toldOf(`redis://app:wrong-${secret}@127.0.0.1:${port}`);
    expect(reason).toContain(
      `Redis at 127.0.0.1:${port} refuses the password of the user "app" (WRONGPASS). Correct REDIS_URL.`,
    );
    expect(ready).toBe(200);
    expect(logged).not.toContain(secret);
    expect(logged).not.toContain('Redis answers');
  });

  test('that REDIS_URL lacks', async () => {
    const { reason, ready, logged } = await toldOf(`redis://127.0.0.1:${port}`);
    expect(reason).toContain(`Redis at 127.0.0.1:${port} requires a password (NOAUTH). Set it in REDIS_URL`);
    expect(ready).toBe(200);
    expect(logged).not.toContain('Redis answers');
  });

  test('that is right: Redis answers', async () => {
    const server = await startServer({ env: { REDIS_URL: `redis://:${secret}@127.0.0.1:${port}` } });
    try {
      await eventually('it answers', () => server.logged.some((line) => line.includes('Redis answers')));
      expect(server.logged.join('')).not.toContain('going on without');
    } finally {
      await server.close();
    }
  });

  test('the command line says it as well, and does its work', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    try {
      const env = { DATA_DIR: folder, REDIS_URL: `redis://:wrong-${secret}@127.0.0.1:${port}` };
      const { code, err } = await commandLine(env, { fresh: true, own: true })('accounts', 'list');
      expect(code).toBe(0);
      expect(err).toContain(`Redis at 127.0.0.1:${port} refuses the password of the user "default"`);
      expect(err).not.toContain(secret);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

withRedis('R6: a Redis whose certificate is unknown', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-redis-'));
  let port: number;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
      ],
      { stdio: 'ignore' },
    );
    port = await freePort();
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    stop = await startRedis(
      port,
      secret,
      '--port',
      '0',
      '--tls-port',
      String(port),
      '--tls-auth-clients',
      'no',
      ...files,
    );
  });
  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });

  test('is not trusted, and said to be so', async () => {
    const { reason } = await toldOf(`rediss://:${secret}@localhost:${port}`);
    expect(reason).toMatch(
      new RegExp(`The certificate of Redis at localhost:${port} is not trusted: it is self-signed \\(\\w+\\)`),
    );
    expect(reason).toContain('NODE_EXTRA_CA_CERTS');
  });
});

describe('R6: no Redis', () => {
  test('at the host', async () => {
    const port = await freePort();
    const { reason, ready } = await toldOf(`redis://:${secret}@127.0.0.1:${port}`);
    expect(reason).toContain(
      `Nothing listens at 127.0.0.1:${port} (ECONNREFUSED). Start Redis there, or correct REDIS_URL.`,
    );
    expect(ready).toBe(200);
  });

  test('and no such host', async () => {
    const { reason } = await toldOf(`redis://:${secret}@redis.invalid:6379`);
    expect(reason).toMatch(
      /The host \\?"redis\.invalid\\?" has no address \((ENOTFOUND|EAI_AGAIN)\)\. Correct REDIS_URL/,
    );
  });
});
