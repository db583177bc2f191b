/** When a person is asked and when not: prompt, max_age, remembered consent. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, pkce } from '../support/agent.ts';
import { claimsOf, codeFor, comeBack, redeem, tokensFor, travel } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server);
});
afterAll(() => server.close());
afterEach(comeBack);

function request(agent: Agent, parameters: Record<string, string> = {}, of: { id: string } = client) {
  const { verifier, challenge } = pkce();
  const query = new URLSearchParams({
    ...{ client_id: of.id, response_type: 'code', scope: 'openid', state: 's' },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
    ...parameters,
  });
  return agent.go(`/oauth/authorize?${query}`).then((answer) => ({ answer, code_verifier: verifier }));
}

/** What the application learns; fails where a page is shown instead. */
function told(answer: Answer): { error: string | null; code: string | null } {
  expect({ page: answer.text.slice(0, 200), status: answer.status }).toEqual({
    page: expect.not.stringContaining('<!doctype'),
    status: 303,
  });
  const { searchParams } = new URL(answer.location ?? '');
  return { error: searchParams.get('error'), code: searchParams.get('code') };
}

const asks = (answer: Answer): 'login' | 'consent' | 'nothing' => {
  if (answer.location !== undefined) return 'nothing';
  return answer.text.includes('name="password"') ? 'login' : 'consent';
};

describe('A8: prompt=none', () => {
  test('A8: no session is login_required', async () => {
    expect(told((await request(new Agent(server), { prompt: 'none' })).answer)).toEqual({
      error: 'login_required',
      code: null,
    });
  });

  test('A8: no consent, or not enough of it, is consent_required; with all of it there is a code', async () => {
    const { agent } = await codeFor(server, client);
    const other = await buildClient(server);
    expect(told((await request(agent, { prompt: 'none' }, other)).answer).error).toBe('consent_required');
    expect(told((await request(agent, { prompt: 'none', scope: 'openid email' })).answer).error).toBe(
      'consent_required',
    );
    expect(told((await request(agent, { prompt: 'none' })).answer).code).not.toBeNull();
  });

  test("A8: an id_token_hint of another person is login_required; one's own is fine", async () => {
    const [mine, other] = [await tokensFor(server, client), await tokensFor(server, client)];
    const withHint = async (id_token_hint: string) =>
      told((await request(mine.agent, { prompt: 'none', id_token_hint })).answer);
    expect(await withHint(other.body.id_token ?? '')).toEqual({ error: 'login_required', code: null });
    expect((await withHint(mine.body.id_token ?? '')).code).not.toBeNull();
    expect((await withHint('no.id.token')).error).toBe('invalid_request');
  });

  test('A8: prompt=none together with another prompt is invalid_request', async () => {
    for (const prompt of ['none login', 'none consent']) {
      expect(told((await request(new Agent(server), { prompt })).answer).error).toBe('invalid_request');
    }
  });

  test('A8: an address that proves nothing needs a person: interaction_required, no code', async () => {
    const native = await buildClient(server, {
      token_endpoint_auth_method: 'none',
      redirect_uris: ['com.example.app:/cb'],
      application_type: 'native',
    });
    const { agent } = await codeFor(server, native);
    expect(told((await request(agent, { prompt: 'none' }, native)).answer)).toEqual({
      error: 'interaction_required',
      code: null,
    });
  });
});

describe('A9: asking again', () => {
  const forced: Record<string, Record<string, string>> = {
    'prompt=login': { prompt: 'login' },
    'max_age=1': { max_age: '1' },
    'max_age=0': { max_age: '0' },
  };
  test.each(Object.entries(forced))(
    'A9: %s asks for the password again, and auth_time is later',
    async (_name, parameters) => {
      const { agent, person, body } = await tokensFor(server, client, { extra: { max_age: '1000' } });
      travel(5);
      const { answer: login, code_verifier } = await request(agent, parameters);
      expect(asks(login)).toBe('login');
      const answer = await agent.submit(login, { username: person.username, password });
      const again = await redeem(server, client, { code: codeOf(answer), code_verifier });
      const [before, after] = [claimsOf(body.id_token), claimsOf(again.body.id_token)];
      expect(Number(after.auth_time)).toBeGreaterThan(Number(before.auth_time));
      expect(after.sub).toBe(before.sub);
    },
  );

  test('A9: a session young enough for max_age is not asked', async () => {
    const { agent } = await codeFor(server, client);
    expect(asks((await request(agent, { max_age: '600' })).answer)).toBe('nothing');
  });

  test('A9: prompt=consent asks although everything has been allowed before', async () => {
    const { agent } = await codeFor(server, client);
    expect(asks((await request(agent)).answer)).toBe('nothing');
    expect(asks((await request(agent, { prompt: 'consent' })).answer)).toBe('consent');
  });

  test('A9: an aborted or failed login leaves the session to its owner and gives no code', async () => {
    const { agent, body } = await tokensFor(server, client);
    const stranger = await buildPerson(server);
    const { answer: login } = await request(agent, { prompt: 'login' });
    const wrong = await agent.submit(login, { username: stranger.username, password: 'not the password at all' });
    expect(asks(wrong)).toBe('login');
    expect(told(await agent.submit(wrong, { answer: 'cancel' }))).toEqual({ error: 'access_denied', code: null });
    // The link of the cancelled login is no way in either.
    expect((await agent.submit(login, { username: stranger.username, password })).status).toBe(400);

    const { answer, code_verifier } = await request(agent, { prompt: 'none' });
    const { body: after } = await redeem(server, client, { code: codeOf(answer), code_verifier });
    expect(claimsOf(after.id_token).sub).toBe(claimsOf(body.id_token).sub);
  });

  test('A9: saying no to the consent gives no code and remembers nothing', async () => {
    const { agent } = await codeFor(server, client);
    const other = await buildClient(server);
    const { answer: consent } = await request(agent, {}, other);
    expect(asks(consent)).toBe('consent');
    expect(told(await agent.submit(consent, { answer: 'deny' }))).toEqual({ error: 'access_denied', code: null });
    expect(asks((await request(agent, {}, other)).answer)).toBe('consent');
  });
});

describe('A10: stored consent is no answer where the application cannot be told from others', () => {
  const asked: [string, Record<string, unknown>, 'consent' | 'nothing'][] = [
    [
      'a public client on http loopback',
      { token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/cb'], application_type: 'native' },
      'consent',
    ],
    ['a private-use scheme', { token_endpoint_auth_method: 'none', redirect_uris: ['com.example.app:/cb'] }, 'consent'],
    ['P10: a confidential client on http loopback', { redirect_uris: ['http://localhost:8080/cb'] }, 'nothing'],
    ['a public client with PKCE and an https address of its own', { token_endpoint_auth_method: 'none' }, 'nothing'],
  ];
  test.each(asked)('A10: %s', async (_name, metadata, expected) => {
    const its = await buildClient(server, metadata);
    const { agent, grant } = await codeFor(server, its);
    expect(grant.code).not.toBe('');
    expect(asks((await request(agent, {}, its)).answer)).toBe(expected);
  });

  test('A10: on loopback any port is the registered one, and nothing else of the address (RFC 8252, section 7.3)', async () => {
    const its = await buildClient(server, {
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/cb'],
      application_type: 'native',
    });
    const open = async (redirect_uri: string) => (await request(new Agent(server), { redirect_uri }, its)).answer;
    expect(asks(await open('http://127.0.0.1:49152/cb'))).toBe('login');
    for (const other of [
      'http://127.0.0.1:49152/other',
      'http://localhost:49152/cb',
      'http://127.0.0.2/cb',
      'https://127.0.0.1:49152/cb',
    ]) {
      expect((await open(other)).status).toBe(400);
    }
  });
});
