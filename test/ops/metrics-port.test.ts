/**
 * S15: metrics on a port of their own, for this machine or for those with a token; and the figures of several
 * processes.
 */
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMetricsServer } from '../../src/ops/metrics-server.ts';
import { type ChildServer, childAdminKey, createPlace, type Place, startChild } from '../support/child-server.ts';
import { describePostgres, freshPostgres, type TestDatabase } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { failedStart } from '../support/program.ts';
import { eventually } from '../support/redis-server.ts';
import { adminKey, startServer, type TestServer } from '../support/server.ts';

const [old, fresh] = ['the-old-scrape-token-0123', 'the-new-scrape-token-0123'];
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** An address of this machine that is not loopback. */
const outside = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  const open = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return open;
}

interface Started {
  readonly place: Place;
  readonly server: ChildServer;
  readonly port: number;
  end(): Promise<void>;
}

async function start(env: Record<string, string> = {}): Promise<Started> {
  const port = await freePort();
  const place = await createPlace({ env: { METRICS_PORT: String(port), ...env } });
  const server = await startChild(place);
  return {
    place,
    server,
    port,
    async end() {
      await server.end('SIGTERM');
      place.close();
    },
  };
}

describe('METRICS_PORT alone', () => {
  let started: Started;
  beforeAll(async () => {
    started = await start();
  });
  afterAll(() => started.end());

  const get = (path: string, options: RequestInit = {}) => fetch(`http://127.0.0.1:${started.port}${path}`, options);

  test('S15: it listens on loopback, and asks for nothing there', async () => {
    const answer = await get('/metrics');
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await answer.text()).toContain('gatehouse_http_requests_total');
    if (outside === undefined) expect(await isOpen('127.0.0.2', started.port)).toBe(false);
    else expect(await isOpen(outside, started.port)).toBe(false);
  });

  test('anything else there is refused in words that say nothing', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await get('/metrics/')).status).toBe(404);
    expect((await get('/metrics?name=x')).status).toBe(200);
    expect((await get('/metrics', { method: 'HEAD' })).status).toBe(200);
    const posted = await get('/metrics', { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('the main port has none', async () => {
    expect((await fetch(`${started.place.url}/metrics`, { headers: bearer(childAdminKey) })).status).toBe(404);
  });
});

describe('METRICS_TOKEN', () => {
  const answers = async (url: string) => {
    const wrong = [{}, bearer('wrong'), bearer(`${old}x`), { authorization: `Basic ${old}` }, { 'x-admin-key': old }];
    for (const headers of wrong as Record<string, string>[]) {
      const answer = await fetch(url, { headers });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(await answer.text()).not.toContain('gatehouse_');
    }
    for (const token of [old, fresh]) {
      const answer = await fetch(url, { headers: bearer(token) });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('gatehouse_');
    }
  };

  test('S15: either of two opens the port of its own, on all addresses; the admin key does not', async () => {
    const started = await start({ METRICS_HOST: '0.0.0.0', METRICS_TOKEN: `${old}, ${fresh}` });
    try {
      const url = `http://127.0.0.1:${started.port}/metrics`;
      await answers(url);
      expect((await fetch(url, { headers: bearer(childAdminKey) })).status).toBe(401);
      if (outside !== undefined) await answers(`http://${outside}:${started.port}/metrics`);
    } finally {
      await started.end();
    }
  });

  test('S15: it opens the main port where there is no other, and the admin key goes on doing so', async () => {
    const server: TestServer = await startServer({ env: { METRICS_TOKEN: `${old},${fresh}` } });
    try {
      await answers(`${server.url}/metrics`);
      expect((await fetch(`${server.url}/metrics`, { headers: bearer(adminKey) })).status).toBe(200);
      // It is for the metrics alone.
      const made = await fetch(`${server.url}/clients/register`, { method: 'POST', headers: { 'x-admin-key': old } });
      expect(made.status).toBe(401);
    } finally {
      await server.close();
    }
  });

  test('S15: without one a start beyond loopback comes to nothing', async () => {
    const { code, err } = await failedStart({ METRICS_PORT: String(await freePort()), METRICS_HOST: '0.0.0.0' });
    expect(code).toBe(1);
    expect(err).toMatch(/^ {2}METRICS_TOKEN$[\s\S]*because METRICS_HOST is 0\.0\.0\.0/m);
  });
});

test('S15: a port that is taken is named for what it is', async () => {
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  const place = await createPlace({ env: { METRICS_PORT: String(port) } });
  try {
    const { code, err } = await failedStart(place.env);
    expect([code, err.trim()]).toEqual([
      1,
      `Port ${port} is taken by another program. Set METRICS_PORT to a free one, for example METRICS_PORT=${port + 1}.`,
    ]);
  } finally {
    place.close();
    await new Promise((resolve) => other.close(resolve));
  }
});

describe('S15: clients that are slow or many', () => {
  test('all who ask at once share one page, and one that fails is 503', async () => {
    let asked = 0;
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const port = await freePort();
    const server = await createMetricsServer({
      ...{ port, host: '127.0.0.1', tokens: [] },
      page: async () => {
        asked += 1;
        await gate;
        if (asked > 1) throw new Error('the inside');
        return { contentType: 'text/plain', body: 'x 1\n' };
      },
    });
    let arrived = 0;
    server.prependListener('request', () => {
      arrived += 1;
    });
    try {
      const url = `http://127.0.0.1:${port}/metrics`;
      const all = Promise.all(Array.from({ length: 20 }, () => fetch(url)));
      await eventually('all are there', async () => arrived === 20);
      release();
      expect((await all).map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect(asked).toBe(1);
      const failed = await fetch(url);
      expect([failed.status, await failed.text()]).toEqual([503, '{"error":"temporarily_unavailable"}']);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test('a request that does not end, an answer that is not read and a crowd are let go', async () => {
    const port = await freePort();
    const page = async () => ({ contentType: 'text/plain', body: '' });
    const server = await createMetricsServer({ port, host: '127.0.0.1', tokens: [], page });
    try {
      // The limits of the main port (http/server), and some that only this one can have.
      expect(server).toMatchObject({
        headersTimeout: 10_000,
        requestTimeout: 10_000,
        timeout: 30_000,
        maxConnections: 100,
      });
      const crowd = Array.from({ length: 100 }, () => connect({ port, host: '127.0.0.1' }));
      for (const socket of crowd) socket.on('error', () => {});
      await eventually('the crowd is in', async () => {
        return (await new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)))) === 100;
      });
      const late = connect({ port, host: '127.0.0.1' });
      await new Promise((resolve) => late.once('close', resolve).on('error', () => {}));
      for (const socket of crowd) socket.destroy();
      await eventually('there is room again', () =>
        fetch(`http://127.0.0.1:${port}/metrics`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});

describePostgres('S15: several processes', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await freshPostgres();
  });
  afterAll(() => database.drop());

  /** Over a connection of its own, so that the processes take turns. */
  const ask = (url: string, headers: Record<string, string> = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request(url, { agent: false, headers: { ...headers, connection: 'close' } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve(text));
      });
      sent.on('error', reject).end();
    });
  const counted = (page: string): number =>
    [...page.matchAll(/^gatehouse_http_requests_total\{[^}]*jwks[^}]*\} (\d+)$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );

  test.each(['its own', 'the main'])('on %s port every scrape has the sum of all', async (which) => {
    const port = await freePort();
    const env = {
      ...{ WORKERS: '2', METRICS_TOKEN: old },
      ...(which === 'its own' ? { METRICS_PORT: String(port) } : {}),
    };
    const place = await createPlace({ databaseUrl: database.url, env });
    const server = await startChild(place);
    try {
      const url = which === 'its own' ? `http://127.0.0.1:${port}/metrics` : `${place.url}/metrics`;
      const scrape = () => ask(url, bearer(old));
      await eventually('both workers answer', async () => {
        await ask(`${place.url}/oauth/jwks`);
        return (await scrape()).includes('gatehouse_process_resident_memory_bytes');
      });
      const before = counted(await scrape());
      for (let n = 0; n < 20; n += 1) await ask(`${place.url}/oauth/jwks`);
      const pages = await Promise.all(Array.from({ length: 6 }, scrape));
      expect(pages.map(counted)).toEqual(Array(6).fill(before + 20));
    } finally {
      await server.end('SIGTERM');
      place.close();
    }
  });
});
