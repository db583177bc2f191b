/**
 * Thirty mistakes that integrators make: each leaves a record that names the check, what was expected and received, and
 * the nearest thing that would have passed. The response carries its reference; the database, the log and the response
 * hold no secret.
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RefusalRow } from '../../src/core/stores/refusals.ts';
import { Agent, basic, pkce } from '../support/agent.ts';
import {
  assertionClaims,
  assertionForm,
  codeFor,
  comeBack,
  jwt,
  redeem,
  refresh,
  tokensFor,
  travel,
} from '../support/flow.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages, type Storage } from '../support/storages.ts';

const callback = 'https://app.example.com/cb';
/** In every secret, code and verifier that a test invents: it must turn up nowhere. */
const planted = 'PLANTEDSECRET';

interface Refused {
  readonly status: number;
  /** The reference that the response carries. */
  readonly reference: string;
  readonly body: Record<string, unknown>;
}

type Row = Partial<Record<keyof RefusalRow, unknown>>;

describeStorages('why was I refused', (storage: Storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  let machine: Awaited<ReturnType<typeof buildClient>>;
  let publicClient: Awaited<ReturnType<typeof buildClient>>;
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let signing: Awaited<ReturnType<typeof buildClient>>;

  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '1000' });
    await server.core.apis.add({
      identifier: 'https://api.example.com/books',
      name: 'Books',
      scopes: [{ name: 'books:read', sentence: 'Read books.' }],
    });
    client = await buildClient(server, { require_pkce: true });
    machine = await buildClient(server, {
      redirect_uris: [],
      grant_types: ['client_credentials'],
      scope: 'books:read',
    });
    publicClient = await buildClient(server, { token_endpoint_auth_method: 'none' });
    signing = await buildClient(server, {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'one' }] },
    });
  });
  afterAll(() => server.close());
  let seconds = 0;
  // A second of its own for each test: what one process records in a second is limited.
  beforeEach(() => {
    seconds += 2;
    travel(seconds);
  });
  afterEach(comeBack);

  async function post(
    form: Record<string, string>,
    headers: Record<string, string> = {},
    path = '/oauth/token',
  ): Promise<Refused> {
    const response = await fetch(server.url + path, { method: 'POST', headers, body: new URLSearchParams(form) });
    return refusedBy(response);
  }

  async function refusedBy(response: Response): Promise<Refused> {
    const text = await response.text();
    const link = response.headers.get('link') ?? '';
    const inHeader = response.headers.get('x-request-id') ?? '';
    const [, reference = inHeader] = /\/why\/([\w-]+)>; rel="help"/.exec(link) ?? [];
    const body = text.startsWith('{') ? JSON.parse(text) : {};
    if (new URL(response.url).pathname.startsWith('/oauth/') && body.error !== undefined)
      expect(body.error_uri).toBe(`${server.url}/why/${reference}`);
    expect(text + [...response.headers].join()).not.toContain(planted);
    return { status: response.status, reference, body };
  }

  const asClient = ({ id, secret }: { id: string; secret: string }) => ({ authorization: basic(id, secret) });
  const cc = { grant_type: 'client_credentials' };

  async function recorded({ reference }: Refused): Promise<RefusalRow> {
    expect(reference).not.toBe('');
    const row = await server.core.refusals.find(reference);
    if (row === undefined) throw new Error(`no record under ${reference}`);
    return row;
  }

  async function authorize(changes: Record<string, string | undefined>): Promise<Refused> {
    const { challenge } = pkce();
    const all = {
      response_type: 'code',
      client_id: client.id,
      redirect_uri: callback,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...changes,
    };
    const query = new URLSearchParams(
      Object.entries(all).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
    );
    const response = await fetch(`${server.url}/oauth/authorize?${query}`, {
      redirect: 'manual',
      headers: { accept: 'text/html' },
    });
    const refused = await refusedBy(response);
    const location = response.headers.get('location');
    if (location !== null) {
      expect(new URLSearchParams(new URL(location).search || new URL(location).hash.slice(1)).get('error_uri')).toBe(
        `${server.url}/why/${refused.reference}`,
      );
    }
    return refused;
  }

  const secret = `${planted}-${'x'.repeat(20)}`;
  const code = `${planted}${'c'.repeat(30)}`;
  const verifier = `${planted}${'v'.repeat(40)}`;

  const mistakes: readonly (readonly [string, () => Promise<Refused>, Row | (() => Row)])[] = [
    // The token endpoint.
    [
      'a client id with a slip',
      () => post(cc, asClient({ id: `${machine.id.slice(0, -1)}~`, secret })),
      () => ({ check: 'client_unknown', received: `${machine.id.slice(0, -1)}~`, nearest: machine.id }),
    ],
    ['no client at all', () => post(cc), { check: 'client_missing' }],
    [
      'a wrong secret',
      () => post(cc, asClient({ id: machine.id, secret })),
      { check: 'client_secret_wrong', expected: '43 characters, base64url', received: '34 characters, base64url' },
    ],
    [
      'a secret with white space around it',
      () => post({ ...cc, client_id: machine.id, client_secret: `${machine.secret} ` }),
      { check: 'client_secret_wrong', advice: 'Remove the white space around the secret.' },
    ],
    [
      'a secret sent by a client that signs',
      () => post({ ...cc, client_id: signing.id, client_secret: secret }),
      { check: 'client_method', expected: 'private_key_jwt', received: 'client_secret_post' },
    ],
    [
      'a confidential client without its secret',
      () => post({ ...cc, client_id: machine.id }),
      { check: 'client_credentials_missing', expected: 'client_secret_basic', received: 'none' },
    ],
    [
      'credentials twice',
      () => post({ ...cc, client_id: machine.id, client_secret: secret }, asClient(machine)),
      { check: 'client_credentials_malformed' },
    ],
    [
      'an assertion for another audience',
      () =>
        post({
          ...cc,
          ...assertionForm(
            jwt(
              { alg: 'ES256', kid: 'one' },
              { ...assertionClaims(server, signing), aud: 'https://other.example' },
              keys.privateKey,
            ),
          ),
        }),
      () => ({ check: 'client_assertion', expected: server.url, received: 'aud https://other.example' }),
    ],
    [
      'an assertion by a clock that is fast',
      () => {
        const claims = assertionClaims(server, signing);
        return post({
          ...cc,
          ...assertionForm(
            jwt(
              { alg: 'ES256', kid: 'one' },
              { ...claims, iat: Number(claims.iat) + 300, exp: Number(claims.exp) + 300 },
              keys.privateKey,
            ),
          ),
        });
      },
      {
        check: 'client_assertion',
        received: expect.stringMatching(/^(299|300) seconds ahead$/),
        advice: expect.stringMatching(/seconds fast/),
      },
    ],
    [
      'an assertion with an unknown key id',
      () =>
        post({
          ...cc,
          ...assertionForm(jwt({ alg: 'ES256', kid: 'two' }, assertionClaims(server, signing), keys.privateKey)),
        }),
      { check: 'client_assertion', expected: 'kid one', received: 'kid two' },
    ],
    [
      'a grant type with a slip',
      () => post({ grant_type: 'authorisation_code' }, asClient(client)),
      { check: 'grant_type_unknown', received: 'authorisation_code', nearest: 'authorization_code' },
    ],
    [
      'a grant type that the client did not register',
      () => post(cc, asClient(client)),
      {
        check: 'grant_type_not_allowed',
        expected: 'authorization_code, refresh_token',
        received: 'client_credentials',
      },
    ],
    [
      'a scope with a slip',
      () => post({ ...cc, scope: 'books:raed', resource: 'https://api.example.com/books' }, asClient(machine)),
      { received: 'books:raed', nearest: 'books:read' },
    ],
    [
      'a resource with a slip',
      () => post({ ...cc, scope: 'books:read', resource: 'https://api.example.com/book' }, asClient(machine)),
      { check: 'resource_unknown', received: 'https://api.example.com/book', nearest: 'https://api.example.com/books' },
    ],
    [
      'no code',
      () => post({ grant_type: 'authorization_code', redirect_uri: callback }, asClient(client)),
      { check: 'parameter_missing', expected: expect.stringContaining('code') },
    ],
    [
      'a code that was never issued',
      () =>
        post(
          { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier },
          asClient(client),
        ),
      { check: 'code_unknown', received: '43 characters, base64url' },
    ],
    [
      'JSON instead of a form',
      async () =>
        refusedBy(
          await fetch(`${server.url}/oauth/token`, {
            method: 'POST',
            headers: { ...asClient(machine), 'content-type': 'application/json' },
            body: JSON.stringify({ ...cc, client_secret: secret }),
          }),
        ),
      { check: 'media_type', expected: 'application/x-www-form-urlencoded', received: 'application/json' },
    ],
    [
      'GET at the token endpoint',
      async () => refusedBy(await fetch(`${server.url}/oauth/token?client_secret=${secret}`)),
      { check: 'method', status: 405, received: 'GET /oauth/token' },
    ],

    // The authorization endpoint.
    [
      'an unknown client',
      () => authorize({ client_id: `${client.id.slice(0, -1)}~` }),
      () => ({ check: 'client_unknown', nearest: client.id, endpoint: 'authorize' }),
    ],
    [
      'a redirect URI with a trailing slash',
      () => authorize({ redirect_uri: `${callback}/` }),
      {
        check: 'redirect_uri_unregistered',
        received: `${callback}/`,
        nearest: callback,
        advice: expect.stringContaining('trailing slash'),
      },
    ],
    [
      'a redirect URI by http',
      () => authorize({ redirect_uri: 'http://app.example.com/cb' }),
      { check: 'redirect_uri_unregistered', nearest: callback, advice: expect.stringContaining('scheme') },
    ],
    [
      'a redirect URI that holds a code',
      () => authorize({ redirect_uri: `${callback}?code=${code}` }),
      { check: 'redirect_uri_unregistered', nearest: callback, received: `${callback}?code=[removed]` },
    ],
    [
      'response_type=token',
      () => authorize({ response_type: 'token' }),
      { check: 'response_type', expected: 'code', received: 'token' },
    ],
    [
      'no PKCE',
      () => authorize({ code_challenge: undefined, code_challenge_method: undefined }),
      { check: 'pkce_missing' },
    ],
    [
      'PKCE by plain',
      () => authorize({ code_challenge_method: 'plain' }),
      { check: 'pkce_method', expected: 'S256', received: 'plain' },
    ],
    [
      'a challenge of the wrong length',
      () => authorize({ code_challenge: 'abc' }),
      { check: 'pkce_challenge', received: '3 characters, hexadecimal' },
    ],
    ['prompt=none without a session', () => authorize({ prompt: 'none' }), { check: 'login_required', status: 303 }],
    ['an unknown prompt', () => authorize({ prompt: 'force' }), { check: 'parameter_invalid' }],
    [
      'a hint that is none',
      () => authorize({ id_token_hint: `${planted}.x.y`, prompt: 'none' }),
      { check: 'id_token_hint' },
    ],
    ['a request object', () => authorize({ request: `${planted}.x.y` }), { check: 'feature_off' }],
    ['claims that are no JSON', () => authorize({ claims: '{' }), { check: 'parameter_invalid' }],
  ];

  test.each(mistakes)('%s', async (_what, make, wanted) => {
    const refused = await make();
    const row = await recorded(refused);
    expect(row).toMatchObject(typeof wanted === 'function' ? wanted() : wanted);
    expect(row.advice).not.toBe('');
    expect(row.status).toBe(refused.status);
  });

  describe('codes and refresh tokens', () => {
    const wrong = async (client: { id: string; secret: string }, form: Record<string, string>) =>
      recorded(await post({ grant_type: 'authorization_code', ...form }, asClient(client)));

    test('a code used twice says when, and by whom', async () => {
      const { grant } = await codeFor(server, client);
      await redeem(server, client, grant);
      expect(await wrong(client, grant)).toMatchObject({
        check: 'code_used',
        received: expect.stringMatching(/^used \d+ seconds? ago by the same client$/),
      });
    });

    test('of two redemptions at once the one that comes late says so', async () => {
      const { grant } = await codeFor(server, client);
      const both = await Promise.all(
        [1, 2].map(() => post({ grant_type: 'authorization_code', ...grant }, asClient(client))),
      );
      const late = both.find(({ status }) => status === 400);
      if (late === undefined) throw new Error('both were redeemed');
      expect((await recorded(late)).check).toBe('code_used');
    });

    test('a code that has expired says how long ago', async () => {
      const { grant } = await codeFor(server, client);
      travel(100);
      expect(await wrong(client, grant)).toMatchObject({
        check: 'code_expired',
        received: expect.stringMatching(/^expired \d+ seconds ago$/),
      });
    });

    test('a code of another client', async () => {
      const { grant } = await codeFor(server, client);
      const other = await buildClient(server);
      expect(await wrong(other, grant)).toMatchObject({ check: 'code_of_another_client', clientId: other.id });
    });

    test('another redirect URI', async () => {
      const two = await buildClient(server, { redirect_uris: [callback, `${callback}/two`] });
      const { grant } = await codeFor(server, two, { extra: { redirect_uri: callback } });
      expect(await wrong(two, { ...grant, redirect_uri: `${callback}/` })).toMatchObject({
        check: 'code_redirect_uri',
        expected: callback,
        received: `${callback}/`,
      });
    });

    test.each([
      [
        'another verifier',
        { code_verifier: verifier },
        { check: 'verifier_wrong', received: '53 characters, base64url' },
      ],
      ['no verifier', { code_verifier: '' }, { check: 'verifier_missing', received: 'nothing' }],
      [
        'a short verifier',
        { code_verifier: 'abc' },
        { check: 'verifier_malformed', received: '3 characters, hexadecimal' },
      ],
    ])('%s', async (_what, change, wanted) => {
      const { grant } = await codeFor(server, client);
      expect(await wrong(client, { ...grant, ...change })).toMatchObject(wanted);
    });

    test('the challenge sent as the verifier is named', async () => {
      const { challenge } = pkce();
      const { grant } = await codeFor(server, client, { extra: { code_challenge: challenge } });
      expect(await wrong(client, { ...grant, code_verifier: challenge })).toMatchObject({
        check: 'verifier_wrong',
        advice: expect.stringContaining('code_challenge itself'),
      });
    });

    test('refresh tokens: unknown, of another client, replaced, with a scope too many', async () => {
      const refreshing = async (who: { id: string; secret?: string }, value: string | undefined, more = {}) => {
        const { status, body, headers } = await refresh(server, who, value, more);
        const reference = /why\/([\w-]+)>/.exec(headers.get('link') ?? '')?.[1] ?? '';
        return recorded({ status, body, reference });
      };
      const { body } = await tokensFor(server, publicClient, {
        scope: 'openid offline_access',
        extra: { prompt: 'consent' },
      });
      expect(await refreshing(publicClient, code)).toMatchObject({ check: 'refresh_unknown' });
      expect(await refreshing(client, body.refresh_token)).toMatchObject({ check: 'refresh_of_another_client' });
      expect(await refreshing(publicClient, body.refresh_token, { scope: 'openid email' })).toMatchObject({
        check: 'scope_not_allowed',
      });
      const next = await refresh(server, publicClient, body.refresh_token);
      await refresh(server, publicClient, next.body.refresh_token);
      travel(60);
      expect(await refreshing(publicClient, body.refresh_token)).toMatchObject({ check: 'refresh_replayed' });
    });
  });

  test('a secret that was rotated out says so', async () => {
    const old = await buildClient(server, {
      redirect_uris: [],
      grant_types: ['client_credentials'],
      scope: 'books:read',
    });
    await server.app.clients.rotateSecret(old.id);
    travel(2 * 86_400);
    expect(await recorded(await post(cc, asClient(old)))).toMatchObject({
      check: 'client_secret_expired',
      received: expect.stringMatching(/^a secret that ended \d+ seconds ago$/),
    });
  });

  test('a named secret that has ended is refused on every node, and the refusal says when it ended', async () => {
    const client = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'] });
    const added = await server.app.clients.addSecret(client.id, { name: 'for a day', lifetime: 86_400 });
    if (added.outcome !== 'added') throw new Error(added.outcome);
    const other = { id: client.id, secret: added.value };
    const second = await storage.join(server);
    const tokenStatus = async (node: TestServer, as: { id: string; secret: string }) => {
      const form = { method: 'POST', headers: asClient(as), body: new URLSearchParams(cc) };
      return (await fetch(`${node.url}/oauth/token`, form)).status;
    };
    expect([await tokenStatus(server, other), await tokenStatus(second, other)]).toEqual([200, 200]);
    travel(86_400 + 60);
    expect(await recorded(await post(cc, asClient(other)))).toMatchObject({
      check: 'client_secret_expired',
      received: expect.stringMatching(/^a secret that ended 6\d seconds ago$/),
    });
    expect([await tokenStatus(second, other), await tokenStatus(second, client)]).toEqual([401, 200]);
  });

  test('a disabled client is called disabled', async () => {
    const gone = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'] });
    await server.app.clients.disable(gone.id);
    expect(await recorded(await post(cc, asClient(gone)))).toMatchObject({ check: 'client_disabled', scope: gone.id });
  });

  test('userinfo, introspection, revocation, the user API, the surfaces and pages have records, too', async () => {
    const get = async (path: string, headers: Record<string, string> = {}) =>
      recorded(await refusedBy(await fetch(server.url + path, { headers })));
    expect(await get('/oauth/userinfo', { authorization: `Bearer ${code}` })).toMatchObject({
      endpoint: 'userinfo',
      check: 'token_invalid',
    });
    expect(await get('/user/info', { authorization: `Bearer ${code}` })).toMatchObject({ endpoint: 'oauth-clients' });
    expect(await get('/v1/login', { authorization: basic('nobody-here', secret) })).toMatchObject({
      endpoint: 'identity',
      check: 'no_such_record',
    });
    expect(await get('/metrics')).toMatchObject({ endpoint: 'operations' });
    expect(await get('/gateway/verify')).toMatchObject({ endpoint: 'gateway' });
    for (const path of ['introspect', 'revoke'] as const) {
      const refused = await post({ token: code }, asClient({ id: client.id, secret }), `/oauth/${path}`);
      expect(await recorded(refused)).toMatchObject({ check: 'client_secret_wrong' });
    }
    const form = await fetch(`${server.url}/language`, { method: 'POST', body: new URLSearchParams({ csrf: secret }) });
    expect(await recorded(await refusedBy(form))).toMatchObject({ endpoint: 'page', check: 'form' });
  });

  test('nothing of what was planted is in the log or in the database', async () => {
    await server.core.refusals.close();
    expect(server.logged.join('\n')).not.toContain(planted);
    const rows = await server.core.refusals.list({}, 1000);
    expect(rows.length).toBeGreaterThan(20);
    expect(JSON.stringify(rows)).not.toContain(planted);
  });

  test('the developer at this machine reads everything at once; through a proxy it is the standard’s words alone', async () => {
    const here = await post(cc, asClient({ id: machine.id, secret }));
    expect(here.body).toMatchObject({
      error: 'invalid_client',
      check: 'client_secret_wrong',
      expected: '43 characters, base64url',
      source: 'RFC 6749, section 2.3.1',
    });
    const there = await post(cc, { ...asClient({ id: machine.id, secret }), via: '1.1 proxy' });
    expect(Object.keys(there.body).sort()).toEqual(['error', 'error_description', 'error_uri', 'success']);
  });

  test('/why: strangers read the rule, the owner and administrators read all, programs get JSON', async () => {
    const owner = await buildPerson(server);
    const made = await server.app.clients.register(
      { client_name: 'Shelf', redirect_uris: [callback] },
      { origin: 'person', owner: owner.subject },
    );
    if (made.outcome !== 'registered') throw new Error(made.outcome);
    const { reference } = await post(cc, { ...asClient({ id: made.client.id, secret }), via: '1.1 proxy' });
    const page = (agent: Agent) => agent.go(`/why/${reference}`, { headers: { via: '1.1 proxy' } });
    const stranger = await page(new Agent(server));
    expect([stranger.status, stranger.text.includes('The client secret is wrong.')]).toEqual([200, true]);
    expect(stranger.text).not.toContain('34 characters');
    for (const person of [owner, await buildPerson(server, { admin: true })]) {
      const agent = new Agent(server);
      await agent.authorize(person, { client_id: client.id, scope: 'openid', ...challengeOf() });
      expect((await page(agent)).text).toContain('34 characters');
    }
    const other = new Agent(server);
    await other.authorize(await buildPerson(server), { client_id: client.id, scope: 'openid', ...challengeOf() });
    expect((await page(other)).text).not.toContain('34 characters');

    const json = await fetch(`${server.url}/why/${reference}`, { headers: { via: '1.1 proxy' } });
    expect([json.status, await json.json()]).toEqual([
      200,
      { reference, says: 'The client secret is wrong.', source: 'RFC 6749, section 2.3.1', advice: expect.any(String) },
    ]);
    expect((await fetch(`${server.url}/why/not-there`)).status).toBe(404);
    expect((await fetch(`${server.url}/why/%00`)).status).toBe(404);
  });

  test('metrics count by endpoint and check', async () => {
    const { body } = await server.core.metrics.page();
    expect(body).toMatch(/gatehouse_refusals_total\{endpoint="token",check="client_secret_wrong"\} \d+/);
  });
});

const challengeOf = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });

test('every check is documented, and every documented one exists', async () => {
  const { checks } = await import('../../src/core/refusals/checks.ts');
  const page = readFileSync(join(import.meta.dirname, '../../docs/refusals.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]);
  expect(documented.sort()).toEqual(Object.keys(checks).sort());
});
