/**
 * `SURFACES` and `SIGN_UP`: which of the API surfaces are served, and to whom they are open, above all in production.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPlace, startChild } from '../support/child-server.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const json = { 'content-type': 'application/json' };
const basic = (name: string, secret = password) => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
});
const post = (server: { url: string }, path: string, headers: Record<string, string>, body: object = {}) =>
  fetch(server.url + path, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) });

/** A call that each surface answers, if only by a refusal; a surface that is off has nothing at the address. */
const calls: Readonly<Record<string, (server: TestServer) => Promise<Response>>> = {
  'oauth-clients': (server) => fetch(`${server.url}/user/info`),
  tinyoauth: (server) => post(server, '/client', {}),
  identity: (server) => post(server, '/v1/verify', {}),
  'security-service': (server) => post(server, '/security/validateToken', {}),
  'space-guard': (server) => post(server, '/space-guard/api/v1/register-client', {}),
};

async function served(server: TestServer): Promise<string[]> {
  const names: string[] = [];
  for (const [name, call] of Object.entries(calls)) {
    const { status } = await call(server);
    if (status !== 404) names.push(name);
  }
  return names;
}

const production = { NODE_ENV: 'production' };

describe('what is served', () => {
  const cases: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
    ['in development all', {}, Object.keys(calls)],
    ['R11: in production the main one', production, ['oauth-clients']],
    ['R11: in production all where all are asked for', { ...production, SURFACES: 'all' }, Object.keys(calls)],
    ['those that are named', { ...production, SURFACES: 'identity,space-guard' }, ['identity', 'space-guard']],
    ['none', { SURFACES: 'none' }, []],
  ];
  test.each(cases)('%s', async (_name, env, expected) => {
    const server = await startServer({ env });
    try {
      expect(await served(server)).toEqual(expected);
      expect(server.app.surfaces.map(({ name }) => name)).toEqual(expected);
      expect(server.logged.join('')).not.toContain('only because they are in use');
    } finally {
      await server.close();
    }
  });
});

describeStorages('R11: in production without SURFACES what is in use goes on', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ SIGN_UP: 'open' });
  });
  afterAll(() => server.close());

  /** As after an update: the same storage, and no setting for the surfaces. */
  async function updated(): Promise<{ names: readonly string[]; inUse: readonly string[]; logged: string }> {
    const node = await storage.join(server, production);
    return { names: await served(node), inUse: node.app.surfacesInUse, logged: node.logged.join('') };
  }

  test('people who sign in by browser only use none of them', async () => {
    await buildPerson(server);
    await buildClient(server);
    expect(await updated()).toMatchObject({ names: ['oauth-clients'], inUse: [] });
  });

  test('a client of a person, a client token, a session: each shows its surface, and the log says so', async () => {
    const person = await buildPerson(server);
    await buildClient(server, {}, 'register');
    const owned = await server.app.clients.register(
      { client_name: 'Own', redirect_uris: ['https://own.example.com/cb'] },
      { origin: 'person', owner: person.subject },
    );
    expect(owned.outcome).toBe('registered');
    expect(await updated()).toMatchObject({ names: ['oauth-clients', 'tinyoauth'], inUse: ['tinyoauth'] });

    const program = await buildClient(server);
    const issued = await server.app.clients.issueToken(program.id, { label: '', lifetime: null });
    expect(issued.outcome).toBe('issued');
    expect((await updated()).inUse).toEqual(['tinyoauth', 'space-guard']);

    expect((await fetch(`${server.url}/v1/login`, { headers: basic(person.username) })).status).toBe(200);
    expect((await updated()).inUse).toEqual(['tinyoauth', 'identity', 'space-guard']);

    const login = await post(server, '/security/login', {}, { username: person.username, password });
    expect(login.status).toBe(200);
    const { names, logged } = await updated();
    expect(names).toEqual(Object.keys(calls));
    expect(logged).toContain('surfaces are served only because they are in use');
  });

  test('a setting decides alone', async () => {
    const node = await storage.join(server, { ...production, SURFACES: 'oauth-clients' });
    expect([await served(node), node.app.surfacesInUse]).toEqual([['oauth-clients'], []]);
  });
});

test('R11: the terminal says which are on only for that reason, and what to set', async () => {
  const place = await createPlace({ env: production });
  try {
    const before = await startChild(place, { env: { SURFACES: 'identity', SIGN_UP: 'open' } });
    const registered = await post(before, '/v1/register', basic('newcomer'));
    expect(registered.status).toBe(200);
    expect((await fetch(`${before.url}/v1/login`, { headers: basic('newcomer') })).status).toBe(200);
    await before.end('SIGTERM');

    const after = await startChild(place);
    await after.end('SIGTERM');
    expect(after.printed()).toContain('SURFACES is not set.');
    expect(after.printed()).toContain('because the database shows that they are in use: identity.');
    expect(after.printed()).toContain(
      'Set SURFACES=oauth-clients,identity to keep them, or SURFACES=oauth-clients to switch them off.',
    );
  } finally {
    place.close();
  }
});

describe('R11: in production those who have an invitation may sign up', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ env: { ...production, SURFACES: 'all' } });
  });
  afterAll(() => server.close());

  test('/register of tinyoauth answers 403 in its own format', async () => {
    const answer = await post(server, '/register', {}, { username: 'newcomer', password });
    expect([answer.status, await answer.json()]).toEqual([
      403,
      { result: 'failed', reason: expect.stringMatching(/\w/) },
    ]);
  });

  test('/v1/register of identity answers 403 in its own format', async () => {
    const answer = await post(server, '/v1/register', basic('newcomer'));
    expect([answer.status, await answer.json()]).toEqual([
      403,
      { ok: false, message: expect.stringMatching(/\w/), timestamp: expect.any(Number) },
    ]);
  });

  test('the page says so, and no account was made', async () => {
    expect((await fetch(`${server.url}/sign-up`, { headers: { accept: 'text/html' } })).status).toBe(403);
    expect(await server.core.accounts.findByUsername('newcomer')).toBeUndefined();
  });
});
