/**
 * Sessions of browsers and of programs are one list on the command line, and end from there at every door of a running
 * server.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { refresh, tokensFor } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { type CommandLine, commandLine } from './command-line.ts';

interface SessionJson {
  id: string;
  door: string;
  address: string | null;
  userAgent: string | null;
  createdAt: number;
  lastSeenAt: number | null;
  expiresAt: number;
}

describeStorages('sessions on the command line', (storage) => {
  let server: TestServer;
  let cli: CommandLine;
  beforeAll(async () => {
    server = await storage.start();
    cli = commandLine(server.env);
  });
  afterAll(() => server.close());

  type Person = Awaited<ReturnType<typeof buildPerson>>;

  const list = ({ username }: Person) => cli.json<SessionJson[]>('sessions', 'list', username);
  async function begin(account: Person, door: string, lifetime = 600, userAgent = 'curl/8'): Promise<string> {
    const caller = { via: 'browser', address: '192.0.2.7', userAgent, requestId: 'test' };
    return (await server.core.sessions.begin({ door, holder: { account }, lifetime, caller })).uid;
  }

  test('one list, the newest first: where from, since when, until when', async () => {
    const person = await buildPerson(server);
    expect((await cli('sessions', 'list', person.username)).out).toContain('has no live session');
    const client = await buildClient(server);
    await tokensFor(server, client, { person });
    const from = nowSeconds();
    const uid = await begin(person, 'identity', 600, 'a program \u202e');
    const to = nowSeconds();
    const all = await list(person);
    const [program, browser] = all[0]?.door === 'identity' ? all : all.toReversed();
    expect(program).toEqual({
      id: uid,
      door: 'identity',
      address: '192.0.2.7',
      userAgent: 'a program \u202e',
      createdAt: expect.any(Number),
      lastSeenAt: null,
      expiresAt: expect.any(Number),
    });
    const began = (program?.expiresAt ?? 0) - 600;
    expect([began >= from, began <= to]).toEqual([true, true]);
    expect(browser).toMatchObject({
      door: 'browser',
      address: expect.stringMatching(/127\.0\.0\.1|::1/),
      userAgent: 'node',
      expiresAt: expect.any(Number),
    });
    const words = await cli('sessions', 'list', person.subject);
    expect(words.out).toMatch(/^ID +DOOR +ADDRESS +BEGUN +LAST SEEN +UNTIL +PROGRAM\n/);
    expect(words.out).toContain('a program \uFFFD');
    expect(words.out.trim().split('\n')).toHaveLength(3);
    // The browser has used its session since: marks are written about once a second.
    await eventually('the browser was seen', async () =>
      (await list(person)).some(({ door, lastSeenAt }) => door === 'browser' && lastSeenAt !== null),
    );
  });

  test('more than a page of them, and expired ones in between', async () => {
    const person = await buildPerson(server);
    const { subject } = person;
    const origin = { door: 'identity', clientId: null, address: null, userAgent: null };
    const rows = Array.from({ length: 2400 }, (_, n) => ({
      key: `${subject}:${n}`,
      uid: `${subject}:${n}`,
      subject,
      payload: '{}',
      grants: {},
      sids: {},
      // Of the newest, a page and more are over.
      expiresAt: n % 2 === 0 ? 4_000_000_000 : 1,
      origin,
      before: null,
    }));
    for (let at = 0; at < rows.length; at += 200) {
      await server.core.stores.engine.commit({ sessions: rows.slice(at, at + 200) });
    }
    expect(new Set((await list(person)).map(({ id }) => id)).size).toBe(1200);
    expect(await server.core.sessions.list(subject, { limit: 1 })).toHaveLength(1);
  });

  test('an account is online while it has a live session', async () => {
    const person = await buildPerson(server);
    const show = () => cli.json<{ online: boolean }>('accounts', 'show', person.username);
    expect(await show()).toMatchObject({ online: false, lastSeenAt: null });
    expect((await cli('accounts', 'show', person.username)).out).toMatch(/Online +no\n.*Last seen +never/);
    const uid = await begin(person, 'tinyoauth');
    expect(await show()).toMatchObject({ online: true });
    expect((await cli('accounts', 'show', person.username)).out).toMatch(/Online +yes/);
    await server.core.sessions.end(uid, {});
    expect(await show()).toMatchObject({ online: false });
  });

  test('one ends, the others live on; an id of another person ends nothing', async () => {
    const person = await buildPerson(server);
    const other = await buildPerson(server);
    const client = await buildClient(server);
    const { body } = await tokensFor(server, client, { person });
    const uid = await begin(person, 'tinyoauth');
    const theirs = await begin(other, 'tinyoauth');
    const browser = (await list(person)).find(({ door }) => door === 'browser')?.id ?? '';

    for (const id of [theirs, 'no-such-session']) {
      const refused = await cli('sessions', 'end', person.username, id, '--json');
      expect([refused.code, JSON.parse(refused.err).error]).toEqual([1, 'not_found']);
    }
    expect(await server.core.sessions.find(theirs, other.subject)).toBeDefined();
    const ended = await cli('sessions', 'end', '--json', '--', person.username, browser);
    expect(JSON.parse(ended.out)).toEqual({ id: browser, ended: true });
    await eventually(
      'its tokens are dead',
      async () => (await refresh(server, client, body.refresh_token)).body.error === 'invalid_grant',
      1000,
    );
    expect(await server.core.sessions.find(uid, person.subject)).toBeDefined();
    expect((await list(person)).map(({ id }) => id)).toEqual([uid]);
    const events = await server.core.stores.audit.list({ subject: person.subject, event: 'session.ended' }, 10);
    expect(events).toMatchObject([{ detail: { via: 'cli' } }]);
  });

  test('all end, with every token', async () => {
    const person = await buildPerson(server);
    const client = await buildClient(server);
    const { body } = await tokensFor(server, client, { person, scope: 'user' });
    const uid = await begin(person, 'tinyoauth');
    expect(await server.core.sessions.find(uid, person.subject)).toBeDefined();
    expect(await cli.json('sessions', 'end-all', person.username)).toEqual({ subject: person.subject, ended: true });
    await eventually(
      'the server refuses it',
      async () => (await server.core.sessions.find(uid, person.subject)) === undefined,
      1000,
    );
    expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
    expect(await list(person)).toEqual([]);
    const events = await server.core.stores.audit.list({ subject: person.subject, event: 'session.ended' }, 10);
    expect(events).toMatchObject([{ detail: { via: 'cli', all: true } }]);
  });

  test('an account that is not there', async () => {
    for (const command of [
      ['list', 'nobody'],
      ['end', 'nobody', 'x'],
      ['end-all', 'nobody'],
    ]) {
      expect((await cli('sessions', ...command)).code).toBe(1);
    }
  });
});
