/** Addresses by which password managers find the account pages. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { buildPerson, startServer, type TestServer } from '../../support/server.ts';
import { open } from './visitor.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const get = (path: string, at = server) => fetch(`${at.url}${path}`, { redirect: 'manual' });

test('change-password leads to the page for it, and through the sign-in', async () => {
  const answer = await get('/.well-known/change-password');
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/account/password']);
  const page = await open(new Agent(server), await buildPerson(server), '/.well-known/change-password');
  expect(page.text).toContain('autocomplete="new-password"');
});

test('a well-known address that does not exist is 404: browsers ask first', async () => {
  for (const path of [
    'resource-that-should-not-exist-whose-status-code-should-not-be-200',
    'nothing',
    'change-password/',
  ]) {
    expect([path, (await get(`/.well-known/${path}`)).status]).toEqual([path, 404]);
  }
});

test('passkey-endpoints names the page, where passkeys work', async () => {
  const answer = await get('/.well-known/passkey-endpoints');
  // A server built without the method has no such page.
  if (!server.core.passkeys.offered) {
    expect(answer.status).toBe(404);
    return;
  }
  const page = `${server.url}/account/passkeys`;
  expect(await answer.json()).toEqual({ enroll: page, manage: page });
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('public, max-age=3600');
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  const opened = await open(new Agent(server), await buildPerson(server), page);
  expect(opened.status).toBe(200);
});
