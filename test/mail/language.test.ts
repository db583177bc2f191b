/** A letter is in the language that its reader has chosen on their account, whatever the one who caused it reads. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { linkIn, mailsTo, mailTo, send } from '../support/mail.ts';
import { buildPerson, password, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { SIGN_UP: 'open' } });
});
afterAll(() => server.close());

const arabic = { 'accept-language': 'ar' };
const caller = { via: 'browser', address: '192.0.2.1', requestId: 'r', locale: 'ar' };

async function german() {
  const { subject, username, email } = await buildPerson(server);
  await server.core.accounts.setProfile(subject, { firstName: 'A', lastName: 'B', locale: 'de' });
  return { subject, username, email: email ?? '' };
}
/** The newest letter of each kind, and its language. */
const languages = async (email: string) =>
  Object.fromEntries([...(await mailsTo(server, email))].reverse().map(({ kind, locale }) => [kind, locale]));

test('a new password, asked for by a person who reads Arabic, and set by them', async () => {
  const { username, email } = await german();
  const agent = new Agent(server);
  const page = await agent.go('/forgot', { headers: arabic });
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  await agent.go('/forgot', { form: { csrf, username }, headers: arabic });
  const reset = await agent.go(linkIn(await mailTo(server, email, 'reset-password')), { headers: arabic });
  await send(agent, reset, { password: 'two slow herons at noon' });
  expect(await languages(email)).toEqual({ 'reset-password': 'de', 'password-changed': 'de' });
});

test('a sign-in in a browser that reads Arabic, and one through a program', async () => {
  const { username, email } = await german();
  const agent = new Agent(server);
  const page = await agent.go('/account', { headers: arabic });
  await agent.submit(page, { username, password });
  const told = await mailTo(server, email, 'new-sign-in');
  expect([told.locale, told.text]).toEqual(['de', expect.stringContaining('Wann: ')]);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  await fetch(`${server.url}/v1/login`, { headers: { ...arabic, authorization } });
  expect((await mailsTo(server, email)).map(({ kind, locale }) => [kind, locale])).toEqual([
    ['new-sign-in', 'de'],
    ['new-sign-in', 'de'],
  ]);
});

test('second factors that are added, and removed by an admin on the command line', async () => {
  const { subject, email } = await german();
  await enrol(server.core.factors, subject);
  await server.core.factors.removeAll(subject, { via: 'cli' });
  expect(await languages(email)).toEqual({ 'factor-added': 'de', 'factor-removed': 'de' });
});

test('an address that another account has already, and one that is given up', async () => {
  const [one, other] = [await german(), await german()];
  await server.core.emails.requestChange(other.subject, one.email, caller);
  expect(await languages(one.email)).toEqual({ 'address-known': 'de' });
  const next = `new-${one.email}`;
  await server.core.emails.requestChange(one.subject, next, { ...caller, address: '192.0.2.2' });
  const token = new URL(linkIn(await mailTo(server, next, 'confirm-email'))).searchParams.get('token') ?? '';
  await server.core.emails.confirm(token, { via: 'test', locale: 'ar' });
  expect(await languages(one.email)).toEqual({ 'address-known': 'de', 'email-changed': 'de' });
});

test('a password that an admin sets, a link that one makes, and the end of the account', async () => {
  const { subject, email } = await german();
  const account = await server.core.accounts.findBySubject(subject);
  if (!account) throw new Error('there is no account');
  const link = await server.core.passwordReset.makeLink(account, { via: 'cli' });
  expect(server.core.passwordReset.letter(account, link, { via: 'cli', locale: 'en' })).toMatchObject({ locale: 'de' });
  await server.core.accounts.setPassword(subject, 'two slow herons at noon', {
    endSessions: true,
    caller: { via: 'cli' },
  });
  await server.core.accounts.remove(subject, { via: 'cli', locale: 'ar' });
  expect(await languages(email)).toEqual({ 'password-changed': 'de', 'account-deleted': 'de' });
});

test('a language that has no catalogue: a wider one of it, or English', async () => {
  for (const [tag, language] of [
    ['de-AT', 'de'],
    ['fr', 'en'],
  ] as const) {
    const { subject, email } = await german();
    await server.core.accounts.setProfile(subject, { locale: tag });
    await server.core.accounts.setPassword(subject, 'nine pears upon a shelf', { endSessions: false });
    expect(await languages(email)).toEqual({ 'password-changed': language });
  }
});
