/** The page at the address itself knows who is signed in in this browser, and only in this one. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { headingOf } from '../../support/mail.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

test('the welcome page names the person, offers to sign out, and forgets them afterwards', async () => {
  const person = await buildPerson(server);
  const client = await buildClient(server, {}, 'register');
  const agent = new Agent(server);
  expect((await agent.go('/')).text).not.toContain('/oauth/logout');
  await agent.authorize(person, { client_id: client.id, scope: 'openid' });
  const page = await agent.go('/');
  expect(page.status).toBe(200);
  expect(page.text).toContain(person.username);
  expect(page.text).toContain('href="/oauth/logout"');
  expect((await new Agent(server).go('/')).text).not.toContain(person.username);

  const logout = await agent.go('/oauth/logout');
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(logout.text)?.[1] ?? '';
  await agent.go('/oauth/logout/confirm', { form: { xsrf, logout: 'yes' } });
  expect((await agent.go('/')).text).not.toContain(person.username);
});

const forDevelopers = ['/playground', '/gallery', '/openapi', '/dev/mails', '/.well-known/', 'npm run', 'docs/'];

test('in production it is a page for people alone; a sign-up is offered where everyone may', async () => {
  for (const [SIGN_UP, offered] of [
    ['open', true],
    ['invite', false],
    ['off', false],
  ] as const) {
    const production = await startServer({ env: { NODE_ENV: 'production', SIGN_UP, BRAND_NAME: 'Example' } });
    try {
      const page = await new Agent(production).go('/');
      expect(headingOf(page)).toBe('Welcome to <bdi>Example</bdi>');
      expect(page.text).toContain('href="/account"');
      expect([SIGN_UP, page.text.includes('href="/sign-up"')]).toEqual([SIGN_UP, offered]);
      expect(forDevelopers.filter((words) => page.text.includes(words))).toEqual([]);
    } finally {
      await production.close();
    }
  }
});

test('the developer alone sees their tools, and how the first administrator is created while there is none', async () => {
  const fresh = await startServer();
  try {
    const through = { headers: { 'X-Forwarded-For': '192.0.2.7' } };
    const hint = 'npm run cli -- setup link';
    const [own, passedOn] = [await new Agent(fresh).go('/'), await new Agent(fresh).go('/', through)];
    for (const to of ['/playground', '/gallery', '/openapi', '/dev/mails']) expect(own.text).toContain(`href="${to}"`);
    expect(own.text).toContain(hint);
    expect(forDevelopers.filter((words) => passedOn.text.includes(words))).toEqual([]);

    await buildPerson(fresh);
    expect((await new Agent(fresh).go('/')).text).toContain(hint);
    await buildPerson(fresh, { admin: true });
    expect((await new Agent(fresh).go('/')).text).not.toContain(hint);
  } finally {
    await fresh.close();
  }
});
