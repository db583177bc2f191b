/** The authorization endpoint: what it refuses, where the refusal goes, and what its answers carry. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, codeOf, pkce } from '../support/agent.ts';
import { codeFor, redeem } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

const registered = 'https://app.example.com/cb';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server);
});
afterAll(() => server.close());

const proof = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });

const standard = () => ({
  client_id: client.id,
  response_type: 'code',
  redirect_uri: registered,
  scope: 'openid',
  state: 'a-state',
  nonce: 'a-nonce',
  ...proof(),
});

/** `query` as it is, unencoded. */
const authorize = (query: string) => new Agent(server).go(`/oauth/authorize?${query}`, { follow: false });

async function expectRefusedPage(answer: Awaited<ReturnType<typeof authorize>>) {
  expect({ status: answer.status, location: answer.location }).toEqual({ status: 400, location: undefined });
  expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
  expect(answer.headers.getSetCookie().join()).not.toMatch(/interaction/);
}

/** What an error redirect says, and that it goes to the registered address with the issuer's name (RFC 9207). */
function errorIn(answer: Awaited<ReturnType<typeof authorize>>): string | null {
  const location = new URL(answer.location ?? 'about:blank');
  expect(location.origin + location.pathname).toBe(registered);
  expect(location.searchParams.get('iss')).toBe(server.url);
  expect(location.searchParams.has('code')).toBe(false);
  return location.searchParams.get('error');
}

describe('A4: PKCE', () => {
  const cases: Record<string, [Record<string, unknown>, Record<string, string>]> = {
    'a public client without a challenge': [{ token_endpoint_auth_method: 'none' }, {}],
    'a confidential client that must use it, without a challenge': [{ require_pkce: true }, {}],
    'method plain': [{}, { code_challenge: pkce().verifier, code_challenge_method: 'plain' }],
    'method left out': [{}, { code_challenge: pkce().challenge }],
    'method plain where no challenge is due': [
      { require_pkce: false },
      { code_challenge: pkce().verifier, code_challenge_method: 'plain' },
    ],
    'method left out where no challenge is due': [{ require_pkce: false }, { code_challenge: pkce().challenge }],
    'a method without a challenge': [{}, { code_challenge_method: 'S256' }],
    'a challenge that is too short': [{}, { code_challenge: 'short', code_challenge_method: 'S256' }],
    'a challenge in another alphabet': [{}, { code_challenge: `${'a'.repeat(42)}$`, code_challenge_method: 'S256' }],
  };
  test.each(Object.entries(cases))(
    'A4: %s is invalid_request at the registered address',
    async (_name, [metadata, parameters]) => {
      const its = await buildClient(server, metadata);
      const { code_challenge: _c, code_challenge_method: _m, ...rest } = standard();
      const answer = await authorize(`${new URLSearchParams({ ...rest, client_id: its.id, ...parameters })}`);
      expect(errorIn(answer)).toBe('invalid_request');
    },
  );

  test('A4: a client of /clients/register, and one that a person made and an operator reviewed, may leave it out', async () => {
    for (const origin of ['register', 'person'] as const) {
      const { id } = await buildClient(server, {}, origin);
      await server.app.clients.review(id);
      const { code_challenge: _c, code_challenge_method: _m, ...rest } = standard();
      const answer = await authorize(`${new URLSearchParams({ ...rest, client_id: id })}`);
      expect(answer.status).toBe(303);
      expect(answer.location).toContain('/interaction/');
    }
  });
});

test('a request may come as a form, and is then the same request (OpenID Connect Core, section 3.1.2.1)', async () => {
  const { grant } = await codeFor(server, client);
  expect(grant.code).not.toBe('');
  const agent = new Agent(server);
  const { scope: _scope, nonce: _nonce, ...withoutScope } = standard();
  for (const form of [standard(), withoutScope]) {
    const login = await agent.go('/oauth/authorize', { form });
    expect([login.status, login.location, new URL(login.url).pathname]).toEqual([
      200,
      undefined,
      expect.stringMatching(/^.interaction./),
    ]);
  }
  const wrongType = await fetch(`${server.url}/oauth/authorize`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  expect(wrongType.status).toBe(400);
});

describe('A5: a parameter given twice is never decided by its first or its last value', () => {
  const names = [
    ...['client_id', 'redirect_uri', 'scope', 'state', 'nonce', 'response_type', 'code_challenge'],
    ...['code_challenge_method', 'prompt', 'max_age', 'login_hint', 'claims', 'response_mode'],
  ];
  test.each(names)('A5: %s', async (name) => {
    for (const same of [true, false]) {
      const query = new URLSearchParams({
        ...standard(),
        prompt: 'login',
        max_age: '9',
        login_hint: 'x',
        claims: '{}',
        response_mode: 'query',
      });
      query.append(name, same ? (query.get(name) ?? '') : 'another');
      const answer = await authorize(`${query}`);
      // No client, no address to send the error to. A redirect can only go to the one address that is registered.
      if (name === 'client_id') await expectRefusedPage(answer);
      else expect(errorIn(answer)).toBe('invalid_request');
    }
  });

  test.each(['state', 'redirect_uri', 'code_challenge', 'scope'])(
    'A5: %s in the query and again in the body',
    async (name) => {
      const query = new URLSearchParams(standard());
      const agent = new Agent(server);
      const form = { [name]: query.get(name) ?? '' };
      const answer = await agent.go(`/oauth/authorize?${query}`, { form });
      expect(errorIn(answer)).toBe('invalid_request');
    },
  );

  test('A5: two registered addresses and redirect_uri twice leave no address to send the error to', async () => {
    const two = await buildClient(server, { redirect_uris: [registered, 'https://app.example.com/other'] });
    const query = new URLSearchParams({ ...standard(), client_id: two.id });
    query.append('redirect_uri', 'https://app.example.com/other');
    await expectRefusedPage(await authorize(`${query}`));
  });

  test('A5: a doubled state is not echoed', async () => {
    const query = new URLSearchParams(standard());
    query.append('state', 'b-state');
    const { location } = await authorize(`${query}`);
    if (location !== undefined) expect(new URL(location).searchParams.get('state')).toBeNull();
  });
});

test('A6: an unknown parameter is ignored, an empty one is as good as left out', async () => {
  const answer = await authorize(
    `${new URLSearchParams({ ...standard(), foo: 'bar', __proto__: 'x', 'a[b]': 'c', prompt: '', max_age: '', login_hint: '', claims: '', request_uri: '', request: '' })}`,
  );
  expect(answer.status).toBe(303);
  expect(answer.location).toContain('/interaction/');
  // An empty redirect_uri is a missing one: the only registered address is meant.
  expect((await authorize(`${new URLSearchParams({ ...standard(), redirect_uri: '' })}`)).location).toContain(
    '/interaction/',
  );
});

describe('A7: iss and state on every answer', () => {
  const states = {
    plus: 'a+b c%2Bd',
    unicode: 'Grüße, 世界 👋🏽',
    markup: '"><svg/onload=alert(1)>&x=y;#',
    'two kilobytes': 'x'.repeat(2048),
  };
  test.each(Object.entries(states))('A7: %s, with a code and with an error', async (_name, state) => {
    const discovery = (await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()) as {
      issuer: string;
    };
    const granted = await new Agent(server).authorize(await buildPerson(server), { ...standard(), state });
    const refused = await authorize(`${new URLSearchParams({ ...standard(), state, prompt: 'none' })}`);
    for (const answer of [granted, refused]) {
      const { searchParams } = new URL(answer.location ?? '');
      expect(searchParams.get('iss')).toBe(discovery.issuer);
      expect(searchParams.get('state')).toBe(state);
    }
    expect(codeOf(granted)).toMatch(/^[A-Za-z0-9_-]{20,}$/);
    expect(new URL(refused.location ?? '').searchParams.get('error')).toBe('login_required');
  });
});

test('A12: every redirect after a posted form is a 303', async () => {
  const agent = new Agent(server);
  const person = await buildPerson(server);
  const login = await agent.go(`/oauth/authorize?${new URLSearchParams(standard())}`);
  const fields = {
    username: person.username,
    password,
    csrf: /name="csrf" value="([^"]+)"/.exec(login.text)?.[1] ?? '',
  };
  const signedIn = await agent.go(new URL(login.url).pathname, { form: fields, follow: false });
  expect(signedIn.status).toBe(303);
  const consent = await agent.go(signedIn.location ?? '');
  const allowed = await agent.go(new URL(consent.url).pathname, {
    form: { answer: 'allow', csrf: fields.csrf },
    follow: false,
  });
  expect(allowed.status).toBe(303);
  const atApplication = await agent.go(allowed.location ?? '', { follow: false });
  expect(atApplication.status).toBe(303);
  expect(codeOf(atApplication)).not.toBe('');
});

describe('A15: what is switched off stays off', () => {
  test.each([
    'token',
    'id_token',
    'id_token token',
    'code token',
    'code id_token',
    'code id_token token',
    'none',
    'CODE',
  ])('A15: response_type=%s is unsupported_response_type', async (response_type) => {
    const answer = await authorize(`${new URLSearchParams({ ...standard(), response_type })}`);
    const { hash, searchParams } = new URL(answer.location ?? '');
    expect(searchParams.get('error') ?? new URLSearchParams(hash.slice(1)).get('error')).toBe(
      'unsupported_response_type',
    );
  });

  test('A15: request objects, and response modes that the client is not registered for, are refused', async () => {
    const onlyQuery = await buildClient(server, { response_modes: ['query'] });
    const cases: Record<string, string>[] = [
      { request: 'eyJhbGciOiJub25lIn0.e30.' },
      { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      { request_uri: 'https://evil.example/r' },
      { response_mode: 'web_message' },
      { client_id: onlyQuery.id, response_mode: 'fragment' },
      { client_id: onlyQuery.id, response_mode: 'form_post' },
    ];
    for (const parameters of cases) {
      const answer = await authorize(`${new URLSearchParams({ ...standard(), ...parameters })}`);
      expect(answer.location ?? '').not.toContain('/interaction/');
      expect(answer.location ?? '').not.toContain('code=');
      expect(answer.status).toBeLessThan(500);
      expect(`${answer.location}${answer.text}`).toMatch(/not_supported|invalid_request|unsupported_response_mode/);
    }
  });

  test('A15: the resume address takes nothing from its query', async () => {
    const { agent, person } = await codeFor(server, client);
    const page = await agent.go(`/oauth/authorize?${new URLSearchParams({ ...standard(), prompt: 'login' })}`);
    const fields = {
      username: person.username,
      password,
      csrf: /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '',
    };
    const posted = await agent.go(new URL(page.url).pathname, { form: fields, follow: false });
    const smuggled = new URLSearchParams({
      redirect_uri: 'https://evil.example/cb',
      response_type: 'code token',
      scope: 'openid email',
      code_challenge: '',
    });
    let answer = await agent.go(`${posted.location}?${smuggled}`, { follow: false });
    if (answer.location?.includes('/interaction/')) throw new Error('nothing is left to ask');
    const location = new URL(answer.location ?? '');
    expect(location.origin + location.pathname).toBe(registered);
    expect(location.hash).toBe('');
    // The challenge of the request still holds: a code without its verifier is worth nothing.
    answer = await agent.go('/');
    expect((await redeem(server, client, { code: location.searchParams.get('code') ?? '' })).body.error).toBe(
      'invalid_grant',
    );
  });
});
