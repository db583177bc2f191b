/** The page at the address itself knows who is signed in in this browser, and only in this one. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
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
