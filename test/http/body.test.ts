/**
 * A request's body has so long to arrive and no longer, whichever part reads it. How long at the real server: `npm run
 * faults`.
 */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { limitBodyTime } from '../../src/http/body.ts';
import { eventually } from '../support/redis-server.ts';

let server: Server;
beforeAll(async () => {
  server = createServer({ requestTimeout: 0 }, async (req, res) => {
    limitBodyTime(req, 150);
    if (req.url === '/longer') limitBodyTime(req, 1_000_000);
    if (req.url === '/unread') return void res.end('no need');
    if (req.url === '/slow-answer') {
      req.resume();
      await sleep(400);
      return void res.end('late');
    }
    return void req.resume().on('end', () => res.end('read'));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
});
afterAll(() => new Promise((resolve) => void server.close(resolve)));

function post(path: string, header: string, body = '') {
  const socket = connect((server.address() as AddressInfo).port, 'localhost');
  const seen = { text: '', closed: false };
  socket.on('data', (chunk) => {
    seen.text += chunk.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    seen.closed = true;
  });
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n${body}`);
  return { socket, seen };
}

test.each(['Content-Length: 1000', 'Transfer-Encoding: chunked'])('%s, a byte at a time, is 408', async (header) => {
  const { socket, seen } = post('/', header);
  const dribble = setInterval(() => socket.write(header.startsWith('C') ? 'x' : '1\r\nx\r\n'), 20);
  await eventually('let go', () => seen.closed);
  clearInterval(dribble);
  expect(seen.text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
});

test('a body that is not read has its time as well', async () => {
  const { socket, seen } = post('/unread', 'Content-Length: 1000');
  const dribble = setInterval(() => socket.write('x'), 20);
  await eventually('answered', () => seen.text.includes('no need'));
  await eventually('let go', () => seen.closed);
  clearInterval(dribble);
});

test('a later word counts, and a whole body is not hurried', async () => {
  const longer = post('/longer', 'Content-Length: 10');
  const late = post('/slow-answer', 'Content-Length: 4', 'body');
  await eventually('late', () => late.seen.text.includes('late'));
  longer.socket.write('0123456789');
  await eventually('read', () => longer.seen.text.includes('read'));
  expect([longer.seen.closed, late.seen.closed]).toEqual([false, false]);
  for (const { socket } of [longer, late]) socket.destroy();
});
