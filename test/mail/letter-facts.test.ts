/** What a mail tells of an event: the caller's program and address, never an administrator's, no stranger's words. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { factsOf, strangersFacts } from '../../src/core/mail/letter-facts.ts';
import { Agent } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { fill, mailsTo, mailTo } from '../support/mail.ts';
import { buildPerson, password, startServer, type TestServer } from '../support/server.ts';

const person = { subject: 's1', username: 'ada', zoneinfo: 'Europe/Berlin' };
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const caller = { via: 'browser', address: '192.0.2.1', userAgent: firefox };

test('the person’s own: when, with what, and from where', () => {
  const facts = {
    username: 'ada',
    zone: 'Europe/Berlin',
    at: 7,
    program: 'Firefox',
    system: 'Linux',
    address: '192.0.2.1',
  };
  expect(factsOf(person, caller, 7)).toEqual(facts);
  expect(factsOf(person, { ...caller, by: 's1' }, 7)).toEqual(facts);
  expect(factsOf({ ...person, zoneinfo: null }, undefined, 7)).toEqual({ username: 'ada', at: 7 });
});

test('an administrator’s program and address stay theirs', () => {
  const facts = { username: 'ada', zone: 'Europe/Berlin', at: expect.any(Number), byAdmin: true };
  for (const admin of [{ via: 'cli' }, { ...caller, via: 'cli' }, { ...caller, by: 's2' }]) {
    expect(factsOf(person, admin)).toEqual(facts);
    expect(strangersFacts(person, admin)).toEqual(facts);
  }
});

test('a stranger’s user agent puts no words into a mail (CWE-451)', () => {
  const words = { ...caller, userAgent: 'Call +1 555 0100 now/1' };
  expect(factsOf(person, words)).toMatchObject({ program: 'Call +1 555 0100 now' });
  expect(strangersFacts(person, words)).not.toHaveProperty('program', expect.any(String));
  expect(strangersFacts(person, caller)).toMatchObject({ program: 'Firefox', system: 'Linux' });
});

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { SIGN_UP: 'open' } });
});
afterAll(() => server.close());

test('a request for a new password names its sender, the new password its own, and a deletion by hand an administrator', async () => {
  const { subject, username, email } = await buildPerson(server);
  const to = email ?? '';
  await fill(new Agent(server), '/forgot', { username });
  const asked = await mailTo(server, to, 'reset-password');
  expect(asked.text).toContain(`Account: ${username}\nWhen: `);
  expect(asked.text).toContain('\nIP address: 127.0.0.1\n');
  expect(asked.text).not.toContain('Device: ');
  await server.core.accounts.setPassword(subject, 'two slow herons at noon', {
    endSessions: true,
    caller: { ...caller, via: 'account' },
  });
  const changed = await mailTo(server, to, 'password-changed');
  expect(changed.text).toContain('\nDevice: Firefox on Linux\nIP address: 192.0.2.1\n');
  await server.core.accounts.remove(subject, { via: 'cli' });
  const deleted = await mailTo(server, to, 'account-deleted');
  expect(deleted.text).toContain('\nBy: an administrator of Gatehouse\n');
  expect(deleted.text).not.toMatch(/Device|IP address/);
});

test('a second factor is named in the subject: the one that was added, and all that were removed', async () => {
  const { subject, email } = await buildPerson(server);
  await enrol(server.core.factors, subject);
  await server.core.factors.removeAll(subject, { via: 'cli' });
  expect((await mailsTo(server, email ?? '')).map((mail) => mail.subject).sort()).toEqual([
    'All second factors removed from your account at Gatehouse',
    'Authenticator app added to your account at Gatehouse',
  ]);
});

test('each mail on the development page leads to its HTML, which only the developer’s browser gets', async () => {
  const { username, email } = await buildPerson(server);
  await fill(new Agent(server), '/forgot', { username, password });
  const mail = await mailTo(server, email ?? '', 'reset-password');
  const developer = new Agent(server);
  const list = await developer.go(`/dev/mails?key=${server.core.mailbox?.key}`);
  expect(list.text).toContain(`href="/dev/mails/${mail.number}"`);
  const shown = await developer.go(`/dev/mails/${mail.number}`);
  expect([shown.status, shown.text]).toEqual([200, mail.html]);
  const policy = shown.headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; style-src 'unsafe-inline'; img-src https:; form-action 'none'; /);
  expect(policy).toMatch(/; sandbox allow-popups allow-popups-to-escape-sandbox$/);
  expect(Object.fromEntries(shown.headers)).toMatchObject({
    'cache-control': 'no-store',
    'content-language': 'en',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
  });
  for (const number of ['0', '999', 'x', `${mail.number}%20`, `0${mail.number}`])
    expect([number, (await developer.go(`/dev/mails/${number}`)).status]).toEqual([number, 404]);
  const stranger = await new Agent(server).go(`/dev/mails/${mail.number}`);
  expect([stranger.status, stranger.text.includes(username)]).toEqual([403, false]);
});
