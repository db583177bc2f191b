/** The range protocol over real HTTP: what is sent, what is believed, and what happens when there is no good answer. */
import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLog } from '../../src/base/log.ts';
import { createBreachedPasswords } from '../../src/login/breach/breach.ts';
import { Agent } from '../support/agent.ts';
import { fill } from '../support/mail.ts';
import { password, startServer } from '../support/server.ts';

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

/** One service to ask: a path of its own, so that a request which comes late is never taken for the next test's. */
interface Service {
  readonly url: string;
  readonly asked: readonly IncomingMessage[];
  answers(answer: Answer): void;
}

let http: Server;
const services = new Map<string, Answer>();
beforeAll(async () => {
  http = createServer((req, res) => {
    const answer = services.get(req.url?.split('/')[1] ?? '');
    if (answer) answer(req, res);
    else res.writeHead(404).end();
  });
  await new Promise<void>((resolve) => http.listen(0, 'localhost', resolve));
});
afterAll(() => {
  http.closeAllConnections();
  http.close();
});

function buildService(answer: Answer): Service {
  const name = `service-${services.size + 1}`;
  const asked: IncomingMessage[] = [];
  const answers = (next: Answer) =>
    void services.set(name, (req, res) => {
      asked.push(req);
      next(req, res);
    });
  answers(answer);
  return { url: `http://localhost:${(http.address() as AddressInfo).port}/${name}/range`, asked, answers };
}

/** The limit is long where it is not the matter. */
function listOf({ url }: Service, timeoutMs = 30_000) {
  const logged: string[] = [];
  const { log } = createLog({ level: 'info', format: 'json', to: { write: (line: string) => void logged.push(line) } });
  return { list: createBreachedPasswords({ url, timeoutMs }, log), logged };
}

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
    const service = buildService(saying(`${other}:5\r\n`));
    await listOf(service).list.includes(stolen);
    const [asked, ...more] = service.asked;
    expect(more).toEqual([]);
    expect(asked?.method).toBe('GET');
    expect(asked?.url?.endsWith(`/range/${prefix}`)).toBe(true);
    expect(asked?.headers['add-padding']).toBe('true');
    const sent = JSON.stringify([asked?.url, asked?.rawHeaders]);
    expect(sent).not.toContain(suffix);
    expect(sent).not.toContain('gravel');
  });

  test('the form that is hashed: all spellings of a password are one', async () => {
    const { list } = listOf(buildService(saying(`${sha1('crème brûlée').slice(5)}:1`)));
    expect(await list.includes('crème brûlée'.normalize('NFD'))).toBe(true);
  });
});

describe('what is believed', () => {
  test.each([
    ['the only line', () => suffix, ':3', true],
    ['a line among others', () => `${other}:2\r\n${suffix}`, ':10437277\r\n', true],
    ['small letters', () => suffix.toLowerCase(), ':1\n', true],
    ['padding, which has a count of 0', () => suffix, ':0', false],
    ['that of another', () => other, ':9', false],
    ['nothing', () => '', '', false],
    ['no count', () => suffix, '', false],
    ['a page of HTML', () => '<html>', '</html>', false],
  ])('%s', async (_what, line, count, is) => {
    const { list, logged } = listOf(buildService(saying(line() + count)));
    expect(await list.includes(stolen)).toBe(is);
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

  async function isLetThrough(answer: Answer, timeoutMs?: number): Promise<void> {
    const service = buildService(answer);
    const { list, logged } = listOf(service, timeoutMs);
    expect(await list.includes(stolen)).toBe(false);
    // A machine that stood still until the limit was over has asked no service yet: that says nothing about the answer.
    if (timeoutMs !== undefined && service.asked.length === 0) return isLetThrough(answer, timeoutMs);
    expect(service.asked).toHaveLength(1);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('does not answer');
    for (const secret of [stolen, suffix, prefix]) expect(logged[0]).not.toContain(secret);
  }

  test.each<[string, Answer]>([
    ['an error', saying(`${suffix}:3`, 500)],
    ['too many requests', saying(`${suffix}:3`, 429)],
    ['a redirect, which is not followed', saying('', 302, { location: './elsewhere' })],
    ['a connection that breaks', (req) => void req.socket.destroy()],
    ['a flood', flood],
  ])('%s', async (_what, answer) => {
    await isLetThrough(answer);
  });

  test('silence, and an answer that never ends', async () => {
    const endless: Answer = (_req, res) => void res.writeHead(200).write(`${suffix}:3\r\n`);
    await Promise.all([isLetThrough(() => {}, 2000), isLetThrough(endless, 2000)]);
  });
});

describe('in the server', () => {
  const form = { username: 'alice', password: stolen, firstName: '', lastName: '' };

  test('a stolen password is refused with the reason; one that is refused already is not asked about', async () => {
    const service = buildService(saying(`${suffix}:3`));
    const server = await startServer({ env: { BREACHED_PASSWORDS_URL: service.url } });
    try {
      expect(await server.core.accounts.create(form)).toMatchObject({
        outcome: 'weak-password',
        reason: { code: 'breached', sentence: expect.stringContaining('stolen') },
      });
      expect(await server.core.accounts.create({ ...form, password: 'too short' })).toMatchObject({
        reason: { code: 'too-short' },
      });
      expect(service.asked).toHaveLength(1);
      const page = await fill(new Agent(server), '/sign-up', {
        username: 'alice',
        password: stolen,
        email: 'a@example.org',
      });
      expect(page.text).toContain('This password was stolen elsewhere');
      const made = await server.core.accounts.create({ ...form, password });
      if (made.outcome !== 'created') throw new Error(made.outcome);
      const change = (next: string) =>
        server.core.accounts.setPassword(made.account.subject, next, { endSessions: false });
      expect(await change(stolen)).toMatchObject({ outcome: 'weak-password', reason: { code: 'breached' } });
      service.answers(saying('', 503));
      expect(await change(stolen)).toEqual({ outcome: 'changed' });
    } finally {
      await server.close();
    }
  });

  test('no service is asked unless one is named', async () => {
    const service = buildService(saying(`${suffix}:3`));
    const server = await startServer();
    try {
      expect(await server.core.accounts.create(form)).toMatchObject({ outcome: 'created' });
      expect(service.asked).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
