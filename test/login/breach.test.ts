/** The range protocol over real HTTP: what is sent, what is believed, and what happens when there is no good answer. */
import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createLog } from '../../src/base/log.ts';
import { createBreachedPasswords } from '../../src/login/breach/breach.ts';
import { password, startServer } from '../support/server.ts';

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

let service: Server;
let answer: Answer;
let asked: IncomingMessage[];
beforeAll(async () => {
  service = createServer((req, res) => {
    asked.push(req);
    answer(req, res);
  });
  await new Promise<void>((resolve) => service.listen(0, 'localhost', resolve));
});
afterAll(() => {
  service.closeAllConnections();
  service.close();
});
beforeEach(() => {
  asked = [];
  logged = [];
});

let logged: string[];
const { log } = createLog({ level: 'info', format: 'json', to: { write: (line: string) => void logged.push(line) } });
const url = (): string => `http://localhost:${(service.address() as AddressInfo).port}/range`;
const list = (timeoutMs = 2000) => createBreachedPasswords({ url: url(), timeoutMs }, log);

const stolen = 'wet gravel under boots';
const sha1 = (text: string): string => hash('sha1', text, 'hex').toUpperCase();
const prefix = sha1(stolen).slice(0, 5);
const suffix = sha1(stolen).slice(5);
const other = `${'0'.repeat(34)}1`;
const saying =
  (body: string, status = 200, headers: Record<string, string> = {}): Answer =>
  (_req, res) =>
    void res.writeHead(status, headers).end(body);

describe('what is asked', () => {
  test('five digits of the SHA-1, with padding, and nothing else', async () => {
    answer = saying(`${other}:5\r\n`);
    await list().includes(stolen);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.method).toBe('GET');
    expect(asked[0]?.url).toBe(`/range/${prefix}`);
    expect(asked[0]?.headers['add-padding']).toBe('true');
    const sent = JSON.stringify(asked[0]?.rawHeaders);
    expect(sent).not.toContain(suffix);
    expect(sent).not.toContain('gravel');
  });

  test('the form that is hashed: all spellings of a password are one', async () => {
    answer = saying(`${sha1('crème brûlée').slice(5)}:1`);
    expect(await list().includes('crème brûlée'.normalize('NFD'))).toBe(true);
  });
});

describe('what is believed', () => {
  test.each([
    ['the only line', () => suffix, ':3', true],
    ['a line among others', () => `${other}:2\r\n${suffix}`, ':10437277\r\n', true],
    ['small letters', () => suffix.toLowerCase(), ':1\n', true],
    ['padding, which has a count of 0', () => suffix, ':0', false],
    ['somebody else’s', () => other, ':9', false],
    ['nothing', () => '', '', false],
    ['no count', () => suffix, '', false],
    ['a page of HTML', () => '<html>', '</html>', false],
  ])('%s', async (_what, line, count, is) => {
    answer = saying(line() + count);
    expect(await list().includes(stolen)).toBe(is);
    expect(logged).toEqual([]);
  });
});

describe('without a good answer the password is let through, and the log says so', () => {
  const flood: Answer = (_req, res) => {
    const more = (): void => {
      while (!res.destroyed) if (!res.write('0'.repeat(65_536))) return void res.once('drain', more);
    };
    more();
  };
  test.each<[string, Answer]>([
    ['an error', saying(`${suffix}:3`, 500)],
    ['too many requests', saying(`${suffix}:3`, 429)],
    ['a redirect, which is not followed', saying('', 302, { location: '/range/elsewhere' })],
    ['a connection that breaks', (req) => void req.socket.destroy()],
    ['silence', () => {}],
    ['an answer that never ends', (_req, res) => void res.writeHead(200).write(`${suffix}:3\r\n`)],
    ['a flood', flood],
  ])('%s', async (_what, given) => {
    answer = given;
    expect(await list(400).includes(stolen)).toBe(false);
    expect(asked).toHaveLength(1);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('does not answer');
    for (const secret of [stolen, suffix, prefix]) expect(logged[0]).not.toContain(secret);
  });
});

describe('in the server', () => {
  const form = { username: 'alice', password: stolen, firstName: '', lastName: '' };

  test('a stolen password is refused with the reason; one that is refused already is not asked about', async () => {
    const server = await startServer({ env: { BREACHED_PASSWORDS_URL: url() } });
    try {
      answer = saying(`${suffix}:3`);
      expect(await server.core.accounts.create(form)).toMatchObject({
        outcome: 'weak-password',
        reason: { code: 'breached', sentence: expect.stringContaining('stolen') },
      });
      expect(await server.core.accounts.create({ ...form, password: 'too short' })).toMatchObject({
        reason: { code: 'too-short' },
      });
      expect(asked).toHaveLength(1);
      const made = await server.core.accounts.create({ ...form, password });
      if (made.outcome !== 'created') throw new Error(made.outcome);
      const change = (next: string) =>
        server.core.accounts.setPassword(made.account.subject, next, { endSessions: false });
      expect(await change(stolen)).toMatchObject({ outcome: 'weak-password', reason: { code: 'breached' } });
      answer = saying('', 503);
      expect(await change(stolen)).toEqual({ outcome: 'changed' });
    } finally {
      await server.close();
    }
  });

  test('nobody is asked unless a service is named', async () => {
    const server = await startServer();
    try {
      expect(await server.core.accounts.create(form)).toMatchObject({ outcome: 'created' });
      expect(asked).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
