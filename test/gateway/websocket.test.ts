/** WebSockets through the gateway (RFC 6455), by hand: a client that could set no header could not authenticate. */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/redis-server.ts';
import { spoofed } from './spoofed-headers.ts';
import {
  apiSessionToken,
  audience,
  caller,
  type Gateway,
  machineToken,
  openRaw,
  openService,
  type Service,
  startGateway,
} from './world.ts';

let service: Service;
let server: Gateway;
let bearer: string;
/** What the service does with a handshake. */
let onUpgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
let upgrades: IncomingMessage[] = [];

beforeAll(async () => {
  service = await openService((_req, res) => res.end('plain'));
  service.server.on('upgrade', (req, socket, head) => {
    upgrades.push(req);
    socket.on('error', () => {});
    onUpgrade(req, socket, head);
  });
  const plain = { tokens: ['oauth'], audience, upstream: service.url };
  server = await startGateway([
    { ...plain, prefix: '/live' },
    { ...plain, prefix: '/posts', methods: ['POST'] },
    { ...plain, prefix: '/scoped', scopes: ['write'] },
    { ...plain, prefix: '/nobody', upstream: 'http://127.0.0.1:1' },
    { ...plain, prefix: '/silent', timeouts: { connect: '500ms', answer: '500ms' } },
    { prefix: '/mine', tokens: ['tinyoauth'], upstream: service.url },
  ]);
  bearer = await machineToken(server);
});
afterAll(async () => {
  await server.close();
  await service.close();
});

const key = randomBytes(16).toString('base64');
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

function handshake(path: string, token: string | undefined = bearer, more = ''): string {
  const authorization = token === '' ? '' : `Authorization: Bearer ${token}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nOrigin: https://app.example.com\r\n${authorization}${more}\r\n`;
}

const agree = (req: IncomingMessage, socket: Duplex): void => {
  const answer = createHash('sha1').update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${answer.digest('base64')}\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n`,
  );
};

/** Agrees, and sends back whatever comes. */
const echo: typeof onUpgrade = (req, socket, head) => {
  agree(req, socket);
  if (head.length > 0) socket.write(head);
  socket.pipe(socket);
};

async function opened(path: string, token?: string) {
  const connection = openRaw(server);
  connection.socket.write(handshake(path, token));
  await eventually('101', () => connection.text().includes('\r\n\r\n'));
  expect(connection.text()).toMatch(/^HTTP\/1\.1 101 /);
  return connection;
}

describe('a handshake', () => {
  test('opens a WebSocket that carries bytes both ways, and tells the service who it is', async () => {
    upgrades = [];
    onUpgrade = echo;
    const { socket, text } = await opened('/live/room?x=1');
    expect(text()).toContain(`Sec-WebSocket-Accept: ${accept}`.toLowerCase().slice(0, 22));
    expect(text()).toContain(accept);
    expect(text().match(/set-cookie: [ab]=[12]/gi)).toHaveLength(2);
    const [req] = upgrades;
    expect([req?.url, req?.headers.upgrade, req?.headers.origin]).toEqual([
      '/live/room?x=1',
      'websocket',
      'https://app.example.com',
    ]);
    expect([req?.headers.authorization, req?.headers['x-gatehouse-token-kind']]).toEqual([undefined, 'oauth']);
    expect(req?.headers['x-forwarded-for']).toMatch(/^(::1|127\.0\.0\.1)$/);
    socket.write('\x81\x05hello');
    await eventually('echo', () => text().endsWith('\x81\x05hello'));
    const large = randomBytes(300_000).toString('hex');
    socket.write(large);
    await eventually('all of it', () => text().endsWith(large));
    socket.destroy();
  });

  test('S14: a caller says no more of itself in a handshake than in a request', async () => {
    upgrades = [];
    onUpgrade = echo;
    const names = Object.keys(spoofed);
    for (let at = 0; at < names.length; at += 100) {
      const { socket, text } = openRaw(server);
      const lines = names.slice(at, at + 100).map((name) => `${name}: evil\r\n`);
      socket.write(handshake('/live', bearer, lines.join('')));
      await eventually('101', () => /^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/.test(text()));
      socket.destroy();
    }
    expect(upgrades.length).toBe(Math.ceil(names.length / 100));
    expect(JSON.stringify(upgrades.map(({ rawHeaders }) => rawHeaders))).not.toContain('evil');
  });

  test('may bring its first message along', async () => {
    onUpgrade = echo;
    const { socket, text } = openRaw(server);
    socket.write(`${handshake('/live')}first`);
    await eventually('echo', () => text().endsWith('\r\n\r\nfirst'));
    socket.destroy();
  });

  const refused: readonly (readonly [string, () => string, number])[] = [
    ['without a token', () => handshake('/live', ''), 401],
    ['with a bad token', () => handshake('/live', 'nonsense'), 401],
    ['with the token in the query', () => handshake(`/live?access_token=${bearer}`, ''), 401],
    [
      'with the token as a subprotocol',
      () => handshake('/live', '', `Sec-WebSocket-Protocol: bearer, ${bearer}\r\n`),
      401,
    ],
    ['without the scope', () => handshake('/scoped'), 403],
    ['where GET is not taken', () => handshake('/posts'), 405],
    ['by a trick with the path', () => handshake('/live/%2e%2e/x'), 404],
    ['with a body', () => handshake('/live', bearer, 'Content-Length: 5\r\n'), 400],
    ['with a body in chunks', () => handshake('/live', bearer, 'Transfer-Encoding: chunked\r\n'), 400],
    ['to a closed port', () => handshake('/nobody'), 502],
  ];
  test.each(refused)('%s is refused in HTTP', async (_name, request, status) => {
    upgrades = [];
    const { socket, text, closed } = openRaw(server);
    socket.write(request());
    await eventually('closed', closed);
    const [head = '', body = ''] = text().split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toContain('Connection: close');
    expect(JSON.parse(body)).toEqual({
      error: expect.any(String),
      error_description: expect.any(String),
      reference: expect.any(String),
    });
    expect(upgrades).toEqual([]);
  });

  test('that the service leaves unanswered is 504', async () => {
    onUpgrade = () => {};
    const { socket, text, closed } = openRaw(server);
    socket.write(handshake('/silent'));
    await eventually('closed', closed);
    expect(text()).toMatch(/^HTTP\/1\.1 504 /);
  });

  test('whose caller goes away is given up', async () => {
    let gone = false;
    upgrades = [];
    onUpgrade = (_req, socket) => {
      socket.resume().on('end', () => {
        gone = true;
      });
    };
    const { socket } = openRaw(server);
    socket.write(handshake('/live'));
    await eventually('it is under way', () => upgrades.length === 1);
    socket.resetAndDestroy();
    await eventually('the service knows', () => gone);
  });

  test('that the service refuses is answered in its words, and what follows goes nowhere', async () => {
    const before = service.seen.length;
    onUpgrade = (_req, socket) =>
      socket.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope');
    const { socket, text, closed } = openRaw(server);
    socket.write(`${handshake('/live')}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n`);
    await eventually('closed', closed);
    expect(text()).toMatch(/^HTTP\/1\.1 426 [\s\S]*\r\n\r\nnope$/);
    expect(service.seen.length).toBe(before);
  });

  test('anywhere else is an ordinary request, as before', async () => {
    for (const [path, status] of [
      ['/healthz', 200],
      ['/nothing/here', 404],
      ['/gateway/verify', 403],
    ] as const) {
      const { socket, text } = openRaw(server);
      socket.write(handshake(path));
      await eventually('answered', () => text().includes('\r\n\r\n'));
      expect([path, text().split(' ')[1]]).toEqual([path, String(status)]);
      socket.destroy();
    }
    const { socket, text } = openRaw(server);
    socket.write(handshake('/live').replace('Upgrade: websocket', 'Upgrade: h2c'));
    await eventually('answered', () => text().endsWith('plain'));
    socket.destroy();
  });
});

describe('a WebSocket whose one end does not read', () => {
  const size = 50_000_000;
  const chunk = Buffer.alloc(250_000, 'x');
  /** As fast as it is taken; what has left this end. */
  function pour(into: Socket): () => number {
    let put = 0;
    const push = () => {
      while (put < size) {
        put += chunk.length;
        if (!into.write(chunk)) return into.once('drain', push);
      }
      return undefined;
    };
    push();
    return () => into.bytesWritten - into.writableLength;
  }
  async function heldUp(taken: () => number): Promise<void> {
    let before = -1;
    await eventually(
      'the sender is held up',
      async () => {
        const was = before;
        before = taken();
        await sleep(100);
        return was > 0 && was === taken();
      },
      20_000,
    );
    // In buffers, and those are small.
    expect(taken()).toBeLessThan(size / 2);
  }
  async function all(from: Socket): Promise<void> {
    let got = 0;
    from.on('data', (part: Buffer) => {
      got += part.length;
    });
    from.resume();
    await eventually('all of it', () => got >= size, 30_000);
    expect(got).toBe(size);
  }

  test('holds up the caller', async () => {
    let other: Socket | undefined;
    onUpgrade = (req, socket) => {
      other = socket as Socket;
      agree(req, socket);
      socket.pause();
    };
    const { socket } = await opened('/live');
    await heldUp(pour(socket));
    if (!other) throw new Error('the service has no socket');
    await all(other);
    socket.destroy();
  });

  test('holds up the service', async () => {
    let other: Socket | undefined;
    onUpgrade = (req, socket) => {
      other = socket as Socket;
      agree(req, socket);
    };
    const { socket } = await opened('/live');
    if (!other) throw new Error('the service has no socket');
    socket.removeAllListeners('data');
    socket.pause();
    await heldUp(pour(other));
    await all(socket);
    socket.destroy();
  });
});

describe('an open WebSocket ends', () => {
  test('with the caller', async () => {
    let gone = false;
    onUpgrade = (req, socket, head) => {
      echo(req, socket, head);
      socket.on('close', () => {
        gone = true;
      });
    };
    const { socket } = await opened('/live');
    socket.resetAndDestroy();
    await eventually('the service knows', () => gone);
  });

  test('with the service, after what it still had to say', async () => {
    onUpgrade = (req, socket, head) => {
      echo(req, socket, head);
      setTimeout(() => socket.end('goodbye'), 30);
    };
    const { text, closed } = await opened('/live');
    await eventually('closed', closed);
    expect(text()).toMatch(/goodbye$/);
    onUpgrade = (req, socket, head) => {
      echo(req, socket, head);
      setTimeout(() => socket.destroy(), 30);
    };
    const abrupt = await opened('/live');
    await eventually('closed', abrupt.closed);
  });

  test('with its session', async () => {
    let gone = false;
    onUpgrade = (req, socket, head) => {
      echo(req, socket, head);
      socket.on('close', () => {
        gone = true;
      });
    };
    const { token } = await apiSessionToken(server, 'tinyoauth');
    const mine = await opened('/mine', token);
    const others = await opened('/mine', (await apiSessionToken(server, 'tinyoauth')).token);
    await server.core.apiSessions.endByToken('tinyoauth', token, caller);
    await eventually('closed', mine.closed);
    await eventually('the service knows', () => gone);
    others.socket.write('still here');
    await eventually('echo', () => others.text().endsWith('still here'));
    others.socket.destroy();
  });

  test('with the server', async () => {
    onUpgrade = echo;
    const other = await startGateway([{ prefix: '/live', tokens: ['oauth'], audience, upstream: service.url }]);
    const connection = openRaw(other);
    connection.socket.write(handshake('/live', await machineToken(other)));
    await eventually('101', () => connection.text().includes('101'));
    await other.close();
    await eventually('closed', connection.closed);
  });
});
