/** Bodies in both directions, deadlines, limits, and what happens when one side goes away. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../support/free-port.ts';
import { eventually } from '../support/redis-server.ts';
import {
  audience,
  call,
  type Gateway,
  machineToken,
  openRaw,
  openService,
  type Service,
  startGateway,
} from './world.ts';

const megabyte = 1024 * 1024;

let service: Service;
let server: Gateway;
let bearer: string;
let listener: (req: IncomingMessage, res: ServerResponse) => void;
/** Speaks whatever a test makes it say, to whatever it is told. */
let crooked: Server;
let crookedAnswer: (socket: Socket) => void;

beforeAll(async () => {
  service = await openService((req, res) => listener(req, res));
  crooked = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => crookedAnswer(socket));
  });
  const crookedPort = await freePort();
  await new Promise<void>((resolve) => crooked.listen(crookedPort, '127.0.0.1', resolve));
  const nobody = await freePort();
  const plain = { tokens: ['oauth'], audience, upstream: service.url };
  server = await startGateway([
    { ...plain, prefix: '/api', maxBody: 200 * megabyte },
    { ...plain, prefix: '/small', maxBody: 1000 },
    // Each limit by itself, so that on a slow machine it is not another one that ends the waiting.
    { ...plain, prefix: '/unanswered', timeouts: { answer: 1 } },
    { ...plain, prefix: '/stalled', timeouts: { idle: 1 } },
    { ...plain, prefix: '/dribbled', timeouts: { upload: 1 } },
    { ...plain, prefix: '/nobody', upstream: `http://127.0.0.1:${nobody}` },
    { ...plain, prefix: '/unnamed', upstream: 'http://no-such-host.invalid' },
    // TEST-NET-1 (RFC 5737): no host answers, or the network says at once that there is no way.
    { ...plain, prefix: '/unreachable', upstream: 'http://192.0.2.1', timeouts: { connect: 0.2 } },
    { ...plain, prefix: '/crooked', upstream: `http://127.0.0.1:${crookedPort}` },
  ]);
  bearer = await machineToken(server);
});
afterAll(async () => {
  await server.close();
  await service.close();
  await new Promise((resolve) => crooked.close(resolve));
});

const head = (method: string, path: string, more = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${bearer}\r\n${more}\r\n`;

/** Connections to the service that are open at this moment. */
const connections = () =>
  new Promise<number>((resolve) => service.server.getConnections((_error, count) => resolve(count)));

describe('bodies', () => {
  test('arrive whole, with a length and without', async () => {
    listener = (req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk) => chunks.push(chunk));
      req.on('end', () => {
        const body = Buffer.concat(chunks);
        res.setHeader('X-Length', String(req.headers['content-length']));
        res.end(body);
      });
    };
    const body = randomBytes(300_000).toString('base64');
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await call(server, {
        method,
        path: '/api',
        bearer,
        body,
        headers: { 'content-length': String(body.length) },
      });
      expect([method, answer.status, answer.headers['x-length'], answer.text === body]).toEqual([
        method,
        200,
        String(body.length),
        true,
      ]);
      const chunked = await call(server, {
        method,
        path: '/api',
        bearer,
        body,
        headers: { 'transfer-encoding': 'chunked' },
      });
      expect([method, chunked.status, chunked.headers['x-length'], chunked.text === body]).toEqual([
        method,
        200,
        'undefined',
        true,
      ]);
    }
  });

  test('compressed answers stay as they are', async () => {
    const packed = gzipSync('hello '.repeat(1000));
    listener = (_req, res) => {
      res.setHeader('Content-Encoding', 'gzip');
      res.end(packed);
    };
    const answer = await fetch(`${server.url}/api`, { headers: { authorization: `Bearer ${bearer}` } });
    expect([answer.headers.get('content-encoding'), await answer.text()]).toEqual(['gzip', 'hello '.repeat(1000)]);
  });

  test('50 MB go up no faster than the service takes them', async () => {
    let req: IncomingMessage | undefined;
    listener = (asked, res) => {
      req = asked;
      asked.pause();
      asked.on('end', () => res.end('thanks'));
    };
    const size = 50 * megabyte;
    const { socket, text } = openRaw(server);
    socket.write(head('POST', '/api', `Content-Length: ${size}\r\nConnection: close\r\n`));
    let sent = 0;
    const chunk = Buffer.alloc(256 * 1024);
    const push = () => {
      while (sent < size) {
        sent += chunk.length;
        if (!socket.write(chunk)) return socket.once('drain', push);
      }
      return undefined;
    };
    push();
    await eventually('the service has the headers', () => req !== undefined);
    // It does not read: what has been taken from the sender is in buffers, and those are small.
    const taken = () => socket.bytesWritten - socket.writableLength;
    let before = -1;
    await eventually('the sender is held up', async () => {
      const was = before;
      before = taken();
      await sleep(100);
      return was === taken();
    });
    expect(taken()).toBeLessThan(20 * megabyte);
    let got = 0;
    req?.on('data', (part: Buffer) => {
      got += part.length;
    });
    req?.resume();
    await eventually('the answer', () => text().includes('thanks'), 20_000);
    expect(got).toBe(size);
    socket.destroy();
  });

  test('50 MB come down no faster than the caller takes them', async () => {
    const size = 50 * megabyte;
    let written = 0;
    let upstream: Socket | undefined;
    listener = (req, res) => {
      upstream = req.socket;
      res.setHeader('Content-Length', String(size));
      const chunk = Buffer.alloc(256 * 1024);
      const push = () => {
        while (written < size) {
          written += chunk.length;
          if (!res.write(chunk)) return res.once('drain', push);
        }
        return res.end();
      };
      push();
    };
    const { socket } = openRaw(server);
    socket.removeAllListeners('data');
    socket.pause();
    socket.write(head('GET', '/api', 'Connection: close\r\n'));
    await eventually('it comes', () => written > 0);
    const given = () => (upstream?.bytesWritten ?? 0) - (upstream?.writableLength ?? 0);
    let before = -1;
    await eventually('the service is held up', async () => {
      const was = before;
      before = given();
      await sleep(100);
      return was === given();
    });
    expect(given()).toBeLessThan(20 * megabyte);
    let got = 0;
    socket.on('data', (part) => {
      got += part.length;
    });
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(got).toBeGreaterThan(size);
    expect(got).toBeLessThan(size + 2000);
  });

  test('events pass one by one, headers before the first', async () => {
    let res: ServerResponse | undefined;
    listener = (_req, answer) => {
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
      answer.flushHeaders();
      res = answer;
    };
    const { socket, text } = openRaw(server);
    socket.write(head('GET', '/api'));
    await eventually('headers', () => text().includes('text/event-stream'));
    for (const event of ['one', 'two', 'three']) {
      res?.write(`data: ${event}\n\n`);
      await eventually(event, () => text().includes(`data: ${event}\n\n`));
    }
    res?.end();
    await eventually('the end', () => text().endsWith('0\r\n\r\n'));
    socket.destroy();
  });

  test('a body that waits to be asked for is asked for only when it may come', async () => {
    listener = (req, res) => void req.resume().on('end', () => res.end('got it'));
    const expecting = (token: string) =>
      `POST /small HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;
    const good = openRaw(server);
    good.socket.write(expecting(bearer));
    await eventually('asked', () => good.text().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    good.socket.write('body');
    await eventually('answered', () => good.text().includes('got it'));
    const bad = openRaw(server);
    bad.socket.write(expecting('nonsense'));
    await eventually('refused', () => bad.text().startsWith('HTTP/1.1 401 '));
    expect(bad.text()).not.toContain('100 Continue');
    const large = openRaw(server);
    large.socket.write(expecting(bearer).replace('Length: 4', 'Length: 4000'));
    await eventually('refused', () => large.text().startsWith('HTTP/1.1 413 '));
    // Elsewhere it is as ever.
    const own = openRaw(server);
    own.socket.write(
      'POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
    );
    await eventually('asked', () => own.text().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    // Not at /gateway/verify, which reads none.
    const verify = openRaw(server);
    verify.socket.write(expecting(bearer).replace('/small', '/gateway/verify'));
    await eventually('refused', () => verify.text().startsWith('HTTP/1.1 403 '));
    for (const { socket } of [good, bad, large, own, verify]) socket.destroy();
  });
});

describe('limits', () => {
  test('a body that grows beyond the limit on its way is 413, and the service sees it break off', async () => {
    let ended: 'whole' | 'broken' | undefined;
    listener = (req, res) => {
      req.on('error', () => {});
      req.on('close', () => {
        ended = req.complete ? 'whole' : 'broken';
      });
      req.resume().on('end', () => res.end('all of it'));
    };
    const { socket, text } = openRaw(server);
    socket.write(head('POST', '/small', 'Transfer-Encoding: chunked\r\n'));
    for (let n = 0; n < 3; n += 1) {
      socket.write(`190\r\n${'x'.repeat(400)}\r\n`);
      await sleep(20);
    }
    await eventually('413', () => text().startsWith('HTTP/1.1 413 '));
    expect(JSON.parse(text().split('\r\n\r\n')[1] ?? '').error).toBe('payload_too_large');
    await eventually('broken off', () => ended === 'broken');
    // What was on its way is dropped, and the connection goes on.
    socket.write('0\r\n\r\n');
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually('the next answer', () => text().includes('alive'));
    socket.destroy();
  });

  test('a body within the limit without a length passes', async () => {
    listener = (req, res) => void req.resume().on('end', () => res.end('all of it'));
    const answer = await call(server, {
      method: 'POST',
      path: '/small',
      bearer,
      body: 'x'.repeat(1000),
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect([answer.status, answer.text]).toEqual([200, 'all of it']);
  });

  test('an upload that takes too long ends', async () => {
    let broken = false;
    listener = (req) => {
      req.on('error', () => {});
      req.resume().on('close', () => {
        broken = !req.complete;
      });
    };
    const { socket, text, closed } = openRaw(server);
    socket.write(head('POST', '/dribbled', 'Content-Length: 1000\r\n'));
    const dribble = setInterval(() => socket.write('x'), 50);
    await eventually('let go', closed);
    clearInterval(dribble);
    expect(text()).toMatch(/^HTTP\/1\.1 408 /);
    await eventually('and the service with it', () => broken);
  });
});

describe('a service that is not there', () => {
  test.each([
    ['/nobody', 502],
    ['/unnamed', 502],
  ])('%s: %i with a reference that is in the log', async (path, status) => {
    const answer = await call(server, { path: `${path}/x?access_token=secret`, bearer });
    const body = JSON.parse(answer.text);
    expect([answer.status, body.error]).toEqual([status, 'bad_gateway']);
    const line = server.logged.find((logged) => logged.includes(body.reference));
    expect(line).toContain('an upstream failed');
    expect(line).not.toContain('secret');
    expect(answer.text).not.toMatch(/ECONN|ENOTFOUND|127\.0\.0\.1|at /);
  });

  test('one that cannot be reached is 504, or 502 where the network says so', async () => {
    const { status } = await call(server, { path: '/unreachable', bearer });
    expect([502, 504]).toContain(status);
  });

  test('one that does not answer is 504', async () => {
    let gone = false;
    listener = (req) => {
      req.on('error', () => {});
      req.socket.on('close', () => {
        gone = true;
      });
    };
    const answer = await call(server, { path: '/unanswered', bearer });
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([504, 'gateway_timeout']);
    await eventually('no one waits for it any more', () => gone);
  });

  test('one that stops in the middle is cut off, so that no one takes half for the whole', async () => {
    listener = (_req, res) => {
      res.writeHead(200, { 'Content-Length': '100' });
      res.write('half');
    };
    await expect(call(server, { path: '/stalled', bearer })).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    listener = (_req, res) => {
      res.write('half');
      setTimeout(() => res.socket?.resetAndDestroy(), 20);
    };
    await expect(call(server, { path: '/api', bearer })).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  const answers: Record<string, string> = {
    'no HTTP': 'hello\r\n\r\n',
    'HTTP/0.9': '<html>',
    'a length that is none': 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    'a length and chunks':
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'a header with NUL': 'HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n',
    'a header without a colon': 'HTTP/1.1 200 OK\r\nX-A\r\n\r\n',
    'an upgrade that was not asked for':
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'a status of four digits': 'HTTP/1.1 2000 OK\r\n\r\n',
    'headers without an end': `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(100_000)}`,
    nothing: '',
  };

  test.each(Object.keys(answers))('one that answers with %s is 502', async (name) => {
    crookedAnswer = (socket) => socket.end(answers[name] ?? '');
    const answer = await call(server, { path: '/crooked', bearer });
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([502, 'bad_gateway']);
  });

  test('its answers leak nothing into the next one', async () => {
    crookedAnswer = (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    const first = await call(server, { path: '/crooked', bearer });
    crookedAnswer = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
    const second = await call(server, { path: '/crooked', bearer });
    expect([first.text, second.text]).toEqual(['hello', 'fine']);
  });

  test('no connection is left behind', async () => {
    listener = (_req, res) => res.end('here');
    for (let n = 0; n < 30; n += 1) await call(server, { path: '/nobody', bearer });
    await Promise.all(Array.from({ length: 30 }, () => call(server, { path: '/api', bearer })));
    await eventually('the kept ones are let go', async () => (await connections()) === 0, 10_000);
  });

  test('a kept connection that the service closes in between is no 502, unless it had a body', async () => {
    let connected = 0;
    // Good for one request each; the next one on it meets a closed door.
    const forgetful = createServer((socket) => {
      connected += 1;
      let answered = false;
      socket.on('error', () => {});
      socket.on('data', () => {
        if (answered) return socket.destroy();
        answered = true;
        return socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere');
      });
    });
    const port = await freePort();
    await new Promise<void>((resolve) => forgetful.listen(port, '127.0.0.1', resolve));
    const other = await startGateway([
      { prefix: '/api', tokens: ['oauth'], audience, upstream: `http://127.0.0.1:${port}` },
    ]);
    try {
      const token = await machineToken(other);
      const statuses: number[] = [];
      for (const method of ['GET', 'GET', 'GET', 'GET', 'GET', 'POST']) {
        const body = method === 'POST' ? { body: 'x' } : {};
        statuses.push((await call(other, { method, path: '/api', bearer: token, ...body })).status);
      }
      // Every second one meets a closed door. It is tried again on a connection that is not kept, but a body is gone by
      // then.
      expect([statuses, connected]).toEqual([[200, 200, 200, 200, 200, 502], 5]);
    } finally {
      await other.close();
      await new Promise((resolve) => forgetful.close(resolve));
    }
  });
});

describe('a caller that goes away', () => {
  test('takes the request with it', async () => {
    let state: 'open' | 'gone' = 'open';
    let asked = false;
    listener = (req) => {
      asked = true;
      req.on('error', () => {});
      req.socket.on('close', () => {
        state = 'gone';
      });
    };
    for (const request of [head('GET', '/api'), `${head('POST', '/api', 'Content-Length: 1000\r\n')}xyz`]) {
      state = 'open';
      asked = false;
      const { socket } = openRaw(server);
      socket.write(request);
      await eventually('it is under way', () => asked);
      socket.destroy();
      await eventually('the service knows', () => state === 'gone');
    }
  });

  test('in the middle of an answer too', async () => {
    let gone = false;
    listener = (req, res) => {
      const more = setInterval(() => res.write('more'), 10);
      req.socket.on('close', () => {
        clearInterval(more);
        gone = true;
      });
    };
    const { socket, text } = openRaw(server);
    socket.write(head('GET', '/api'));
    await eventually('it comes', () => text().includes('more'));
    socket.resetAndDestroy();
    await eventually('the service knows', () => gone);
    expect(server.logged.filter((line) => /a request failed/.test(line))).toEqual([]);
  });
});

test('an answer that comes before the whole request does not confuse the next one', async () => {
  listener = (_req, res) => {
    res.statusCode = 403;
    res.end('no need for that');
  };
  const { socket, text } = openRaw(server);
  socket.write(head('POST', '/api', 'Content-Length: 300000\r\n'));
  socket.write('x'.repeat(100_000));
  await eventually('the early answer', () => text().includes('no need for that'));
  socket.write('x'.repeat(200_000));
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await eventually('the next answer', () => text().includes('alive') || text().includes('Connection: close'));
  socket.destroy();
});
