/**
 * With a mail server that is slow, down or missing: what the pages offer and how long they take has nothing to do with
 * it.
 */
import { expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { freePort } from '../support/free-port.ts';
import { devMailsLink, fill, headingOf, startSmtp, until } from '../support/mail.ts';
import { buildClient, buildPerson, password, startServer } from '../support/server.ts';

const forgot = (server: { url: string }, username: string) => fill(new Agent(server), '/forgot', { username });

test('a mail server that never answers holds no one up', async () => {
  let asked = false;
  const smtp = await startSmtp({
    hideSTARTTLS: true,
    onRcptTo() {
      // It takes the address and says no more.
      asked = true;
    },
  });
  const server = await startServer({ env: { SMTP_URL: `smtp://127.0.0.1:${smtp.port}` } });
  const person = await buildPerson(server);
  expect((await forgot(server, person.username)).status).toBe(200);
  await until(() => asked);
  // The mail hangs; requests in that time are answered.
  expect((await forgot(server, person.username)).status).toBe(200);
  await smtp.close();
  await server.close();
});

test('a mail server that comes back is sent what waits', async () => {
  const port = await freePort();
  const server = await startServer({ env: { SMTP_URL: `smtp://127.0.0.1:${port}`, LOG_LEVEL: 'warn' } });
  const person = await buildPerson(server);
  expect((await forgot(server, person.username)).status).toBe(200);
  await until(() => server.logged.some((line) => line.includes('a mail has to wait')));
  const smtp = await startSmtp({ port, hideSTARTTLS: true });
  await until(() => smtp.received.length > 0);
  expect(smtp.received[0]?.to).toEqual([person.email]);
  expect(smtp.received[0]?.readable).toContain(`${server.url}/reset?token=`);
  expect(server.logged.join()).not.toContain('token=');
  await server.close();
  await smtp.close();
});

test('with a mail server, development has no page of mails', async () => {
  const server = await startServer({ env: { SMTP_URL: 'smtp://127.0.0.1:1' } });
  expect((await new Agent(server).go('/dev/mails')).status).toBe(404);
  await server.close();
});

test('in development the page of mails has each mail and its link', async () => {
  const server = await startServer();
  const person = await buildPerson(server);
  await forgot(server, person.username);
  await server.core.mails.settled();
  const page = await new Agent(server).go(devMailsLink(server));
  expect(page.status).toBe(200);
  expect(page.text).toContain(person.email);
  expect(page.text).toContain(`${server.url}/reset?token=`);
  expect(server.logged.join()).not.toContain('token=');
  await server.close();
});

test('in production without a mail server nothing that takes a mail is offered, and the pages say so', async () => {
  const server = await startServer({ env: { NODE_ENV: 'production', SIGN_UP: 'open' } });
  const agent = new Agent(server);
  const client = await buildClient(server, {}, 'register');
  const login = await agent.go(`/oauth/authorize?response_type=code&scope=openid&client_id=${client.id}`);
  expect(login.text).not.toContain('/forgot');
  const page = await agent.go('/forgot');
  expect([page.status, headingOf(page)]).toEqual([404, 'This service sends no e-mail']);
  expect((await agent.go('/dev/mails')).status).toBe(404);
  // An account is made without an address: there is no way to prove one.
  const form = { username: 'newcomer', password };
  const signUp = await agent.go('/sign-up');
  expect(signUp.text).not.toContain('type="email"');
  const done = await fill(agent, '/sign-up', { ...form, email: 'newcomer@example.org' });
  expect([new URL(done.url).pathname, done.text]).toEqual([
    '/account',
    expect.stringContaining('Your account is ready, and you are signed in.'),
  ]);
  expect(await server.core.accounts.findByUsername('newcomer')).toMatchObject({ email: null });
  const person = await buildPerson(server);
  await server.core.accounts.setPassword(person.subject, 'eleven quiet foxes by the pond', { endSessions: true });
  expect(server.logged.join()).toContain('no mail was sent');
  expect(server.logged.join()).not.toContain('token=');
  await server.close();
});
