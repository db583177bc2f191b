/**
 * B6: the sign-in page does not tell who has an account here; B10: all of a password counts. (That it takes the same
 * time is shown at the door, core/sign-in/sign-in.)
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer } from '../support/agent.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { THROTTLE_ACCOUNT_LIMIT: '3' } });
});
afterAll(() => server.close());

/** A wrong answer to a fresh sign-in page, without what differs from page to page and the name that was typed. */
async function refused(username: string, typed: string): Promise<{ status: number; page: string; headers: string }> {
  const client = await buildClient(server, {}, 'register');
  const agent = new Agent(server);
  const page = await agent.go(`/oauth/authorize?response_type=code&scope=openid&client_id=${client.id}`);
  return plain(await agent.submit(page, { username, password: typed }), username);
}

function plain({ status, text, headers }: Answer, username: string) {
  const page = text
    .replace(/name="csrf" value="[^"]+"/g, 'name="csrf"')
    .replace(/\/interaction\/[A-Za-z0-9_-]+/g, '/interaction/…')
    .replace(/from=[A-Za-z0-9_-]+/g, 'from=…')
    // Of a passkey: random, and the time.
    .replace(/(challenge&#34;:&#34;)[A-Za-z0-9_-]+/g, '$1…')
    .replaceAll(username, '…')
    // The seconds left differ by when the page was asked for.
    .replace(/\d+ (second|minute)s?/g, '… $1');
  const names = [...headers.keys()].filter((name) => name !== 'set-cookie').sort();
  return { status, page, headers: names.join() };
}

test('B6: an unknown name, a wrong password and a disabled account get byte for byte the same page', async () => {
  const person = await buildPerson(server);
  const disabled = await buildPerson(server);
  await server.core.accounts.disable(disabled.subject);
  const unknown = await refused('nobody-at-all', password);
  expect(unknown.status).toBe(422);
  expect(unknown.page).toContain('Incorrect username or password');
  expect(await refused(person.username, `${password}!`)).toEqual(unknown);
  expect(await refused(disabled.username, password)).toEqual(unknown);
});

test('B6: a locked account and a locked name that no account has are told the same', async () => {
  const person = await buildPerson(server);
  const lock = async (username: string) => {
    for (let i = 0; i < 3; i += 1) await refused(username, 'wrong wrong wrong');
    return refused(username, password);
  };
  const known = await lock(person.username);
  expect(known.status).toBe(429);
  expect(await lock('also-nobody')).toEqual(known);
});

test('B10: a password is compared to its last byte, past 72 bytes and past U+0000', async () => {
  const long = 'Nine grey owls count the slow trains that pass the harbour before dawn.!';
  expect(long).toHaveLength(72);
  const made = await server.core.accounts.create({
    username: 'long-password',
    firstName: 'Long',
    lastName: 'Password',
    password: `${long}X`,
  });
  expect(made.outcome).toBe('created');
  expect((await refused('long-password', `${long}Y`)).status).toBe(422);
  expect((await refused('long-password', `${long}X\0`)).status).toBe(422);
  const client = await buildClient(server, {}, 'register');
  const agent = new Agent(server);
  const page = await agent.go(`/oauth/authorize?response_type=code&scope=openid&client_id=${client.id}`);
  const consent = await agent.submit(page, { username: 'long-password', password: `${long}X` });
  expect(consent.text).toContain('value="allow"');
});
