/** What a browser brings along after its session has ended. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { leastRoundTrips } from '../support/round-trips.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

test('a cookie whose session has ended leads to the sign-in page and leaves nothing in the database', async () => {
  const person = await buildPerson(server);
  const client = await buildClient(server, {}, 'register');
  const agent = new Agent(server);
  await agent.authorize(person, { client_id: client.id, scope: 'openid' });
  await server.core.accounts.disable(person.subject);

  const path = `/oauth/authorize?response_type=code&client_id=${client.id}&scope=openid&prompt=none`;
  const cost = await leastRoundTrips(server.core.stores, async () => {
    const refused = await agent.go(path, { follow: false });
    expect(new URL(refused.location ?? '').searchParams.get('error')).toBe('login_required');
  });
  // One look for the session, and nothing written.
  expect(cost).toBe(1);

  const page = await agent.go(`/oauth/authorize?response_type=code&client_id=${client.id}&scope=openid`);
  expect(page.text).toContain('name="password"');
});
