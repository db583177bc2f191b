/** What the browser flow leaves in the audit trail: what happened, and nothing that did not. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { NEW_DEVICE_MAIL: 'false' } });
});
afterAll(() => server.close());

async function eventsAfter(answer: Record<string, string>): Promise<string[]> {
  const person = await buildPerson(server);
  const client = await buildClient(server, { token_endpoint_auth_method: 'none' });
  const agent = new Agent(server);
  const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
  await agent.authorize(person, {
    client_id: client.id,
    scope: 'openid',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  const page = await agent.go(`/oauth/logout?client_id=${client.id}`);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  await agent.go('/oauth/logout/confirm', { form: { xsrf, ...answer } });
  // Notes are written a moment later: a record comes after those that were noted before it.
  await server.core.audit.record('sign_out', { detail: { marker: true } });
  const events = await server.core.stores.audit.list({ subject: person.subject }, 100);
  return events.map(({ event }) => event).reverse();
}

test('sign-in, consent and sign-out are recorded, in that order', async () => {
  expect(await eventsAfter({ logout: 'yes' })).toEqual([
    'account.created',
    'sign_in.succeeded',
    'consent.granted',
    'sign_out',
  ]);
});

test('"stay signed in" is no sign-out', async () => {
  expect(await eventsAfter({})).toEqual(['account.created', 'sign_in.succeeded', 'consent.granted']);
});
