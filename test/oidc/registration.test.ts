/** Who may register clients, with which policy, how many, and what a refusal says (RFC 7591). */
import { generateKeyPairSync } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RegistrationPolicy } from '../../src/core/stores/registrations.ts';
import { Agent, token } from '../support/agent.ts';
import { bearer, call, posting } from '../support/call.ts';
import { assertionClaims, assertionForm, codeFor, jwt, redeem, tokensFor } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { managing, type RegistrationAnswer, registering } from './registering.ts';

const callback = 'https://agent.example.com/cb';
const agent = { client_name: 'Book agent', redirect_uris: [callback], token_endpoint_auth_method: 'none' };
const noPolicy: RegistrationPolicy = {
  ...{ scopes: null, redirectHosts: null, redirectSchemes: [], grants: null, reviewed: false },
};

async function initialToken(
  server: TestServer,
  policy: Partial<RegistrationPolicy> = {},
  limits: { usesMax?: number | null; lifetime?: number | null } = {},
): Promise<{ value: string; id: string }> {
  const made = await server.core.initialTokens.create({
    ...{ label: 'a test', usesMax: null, lifetime: null, ...limits },
    policy: { ...noPolicy, ...policy },
  });
  return { value: made.value, id: made.token.id };
}

/** The check that the record of a refusal names. */
async function checkOf(server: TestServer, { body }: RegistrationAnswer): Promise<string | undefined> {
  return (await server.core.refusals.find(String(body.error_uri).split('/').at(-1) ?? ''))?.check;
}

describe('registration that is off', () => {
  test('has no address, not even for OPTIONS, and discovery does not name it', async () => {
    const server = await startServer();
    try {
      for (const method of ['POST', 'OPTIONS', 'GET'])
        for (const path of ['/oauth/register', '/oauth/register/x'])
          expect([method, path, (await call(server, { method, path })).status]).toEqual([method, path, 404]);
      const document = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
      expect(document).not.toHaveProperty('registration_endpoint');
    } finally {
      await server.close();
    }
  });
});

describeStorages('registration with initial access tokens', (storage) => {
  let server: TestServer;
  let second: TestServer;
  beforeAll(async () => {
    server = await storage.start({ REGISTRATION: 'token' });
    second = await storage.join(server, { REGISTRATION: 'token' });
  });
  afterAll(() => server.close());

  test('without a token, with a wrong, an expired, a revoked or a used-up one: 401, and no word about the body', async () => {
    const expired = await initialToken(server, {}, { lifetime: -1 });
    const revoked = await initialToken(server);
    await server.core.initialTokens.revoke(revoked.id);
    const once = await initialToken(server, {}, { usesMax: 1 });
    expect((await registering(second, agent, once.value)).status).toBe(201);
    const wrong = ['gatehouse_iat_'.padEnd(57, 'x'), 'x', expired.value, revoked.value, once.value];
    for (const value of [undefined, ...wrong])
      for (const body of [agent, { redirect_uris: 7 }, '{']) {
        const answer = await registering(server, body, value);
        expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
        const challenge = value === undefined ? /^Bearer realm="[^"]+"$/ : /^Bearer .*error="invalid_token"/;
        expect(answer.headers['www-authenticate']).toMatch(challenge);
        expect(await checkOf(server, answer)).toBe(
          value === undefined ? 'initial_token_missing' : 'initial_token_invalid',
        );
      }
    const twice = [...(posting('/oauth/register', agent).headers ?? []), bearer(once.value), bearer(once.value)];
    expect((await call(server, { ...posting('/oauth/register', agent), headers: twice })).status).toBe(401);
  });

  test('a refused registration uses up nothing; of many at once on two nodes as many succeed as it has uses', async () => {
    const { value, id } = await initialToken(server, {}, { usesMax: 3 });
    expect((await registering(server, { ...agent, redirect_uris: [] }, value)).status).toBe(400);
    const nodes = [server, second];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => registering(nodes[n % 2] ?? server, agent, value)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(3).fill(201), ...Array(9).fill(401)]);
    const made = (await server.core.initialTokens.list()).find((one) => one.id === id);
    expect(made).toMatchObject({ uses: 3, usesMax: 3, lastUsedAt: expect.any(Number) });
    const [event] = await server.core.stores.audit.list({ event: 'client.registered' }, 1);
    expect(event?.detail).toEqual({ via: 'registration', initial_token: id });
  });

  test('the policy of the token decides on scopes, hosts, schemes and grants, also when the client changes itself', async () => {
    const { value, id } = await initialToken(server, {
      ...{ scopes: ['openid', 'user'], redirectHosts: ['*.example.com'], redirectSchemes: ['acme'] },
      grants: ['authorization_code'],
    });
    const uris = [callback, 'https://example.com/cb', 'https://evil-example.com/cb', 'acme://cb', 'cursor://x/cb'];
    const asked = { ...agent, redirect_uris: [...uris, 'http://localhost/cb'], scope: 'openid profile user' };
    const allowed = {
      ...{ redirect_uris: [callback, 'acme://cb'], scope: 'openid user', grant_types: ['authorization_code'] },
      application_type: 'native',
    };
    const { body } = await registering(
      server,
      { ...asked, grant_types: ['authorization_code', 'refresh_token'] },
      value,
    );
    expect(body).toMatchObject(allowed);
    expect(body.dropped).toEqual([
      'grant_types refresh_token',
      'redirect_uris https://example.com/cb',
      'redirect_uris https://evil-example.com/cb',
      'redirect_uris cursor://x/cb',
      'redirect_uris http://localhost/cb',
      'scope profile',
    ]);
    await server.core.initialTokens.revoke(id);
    const own = { id: String(body.client_id), token: String(body.registration_access_token) };
    const changed = await managing(server, 'PUT', own, { ...asked, client_id: own.id });
    expect([changed.status, changed.body.redirect_uris]).toEqual([200, allowed.redirect_uris]);
    expect(changed.body).toMatchObject({ scope: 'openid user', grant_types: ['authorization_code'] });
    const elsewhere = { ...agent, client_id: own.id, redirect_uris: ['https://evil-example.com/cb'] };
    const refused = await managing(server, 'PUT', own, elsewhere);
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_redirect_uri' } });
    // An operator who changes it later keeps the scheme.
    const patched = await server.app.clients.patch(own.id, (stored) => ({ ...stored, client_name: 'X' }), {
      by: 'cli',
    });
    expect(patched.outcome).toBe('updated');
  });

  test('a token that vouches for its clients makes them reviewed, for a change of their own too; PKCE is their choice', async () => {
    const { value } = await initialToken(server, {
      reviewed: true,
      grants: ['authorization_code', 'client_credentials'],
    });
    const confidential = { ...agent, token_endpoint_auth_method: 'client_secret_basic' };
    const { body } = await registering(
      server,
      { ...confidential, grant_types: ['authorization_code', 'client_credentials'], scope: 'openid user' },
      value,
    );
    const own = { id: String(body.client_id), token: String(body.registration_access_token) };
    const stored = () => server.core.stores.clients.find(own.id);
    expect(await stored()).toMatchObject({ reviewedAt: expect.any(Number), metadata: { require_pkce: false } });
    const client = { id: own.id, secret: String(body.client_secret) };
    const answer = await token(server, client, {
      grant_type: 'client_credentials',
      scope: 'user',
      resource: `${server.url}/user`,
    });
    expect(answer.status).toBe(200);
    expect((await managing(server, 'PUT', own, { ...confidential, client_id: own.id })).status).toBe(200);
    expect((await stored())?.reviewedAt).toEqual(expect.any(Number));
    // An operator's word counts for more than that of the token.
    await server.app.clients.unreview(own.id);
    const after = await managing(server, 'PUT', own, { ...confidential, client_id: own.id, client_name: 'Again' });
    expect([after.status, after.body.require_pkce, (await stored())?.reviewedAt]).toEqual([200, true, null]);
  });

  test('a token whose scopes are all beyond the ceiling gives no scope at all, instead of every one', async () => {
    const bounded = await storage.join(server, { REGISTRATION: 'token', DYNAMIC_CLIENT_SCOPES: 'openid user' });
    const { value } = await initialToken(server, { scopes: ['email'] });
    for (const scope of [undefined, 'email', 'user']) {
      const refused = await registering(bounded, { ...agent, scope }, value);
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } });
      expect(refused.body.error_description).toBe('scope has no value that this client may have');
    }
  });
});

describeStorages('open registration', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({
      REGISTRATION: 'open',
      DYNAMIC_CLIENT_REDIRECT_SCHEMES: 'acme',
      REGISTRATION_ADDRESS_LIMIT: '100000',
      REGISTRATION_LIMIT: '1000000',
    });
    await server.core.apis.add({
      ...{ identifier: 'https://api.example.com', name: 'Books' },
      scopes: [
        { name: 'books:read', sentence: 'Read.', default: true },
        { name: 'books:write', sentence: 'Write.' },
      ],
    });
  });
  afterAll(() => server.close());

  const uris: Readonly<Record<string, 'kept' | 'dropped' | 'refused'>> = {
    'https://agent.example.com/other': 'kept',
    'http://localhost:1/x': 'kept',
    'http://[::1]/x': 'kept',
    'com.example.agent:/cb': 'kept',
    'cursor://anysphere.cursor-mcp/oauth/callback': 'kept',
    'acme://cb': 'kept',
    'zephyr://cb': 'dropped',
    'http://agent.example.com/cb': 'dropped',
    'http://192.168.1.20/cb': 'dropped',
    'javascript:alert(1)': 'refused',
    'JavaScript://x/%0aalert(1)': 'refused',
    'data:text/html,x': 'refused',
    'vbscript:x': 'refused',
    'file:///etc/passwd': 'refused',
    'blob:https://x/y': 'refused',
    'intent://x#Intent;end': 'refused',
    'urn:ietf:wg:oauth:2.0:oob': 'refused',
    'https://agent.example.com/cb#x': 'refused',
    'https://*.example.com/cb': 'refused',
    'https://user@agent.example.com/cb': 'refused',
    'https://agent.example.com/../cb': 'refused',
    'https:agent.example.com': 'refused',
    '//agent.example.com/cb': 'refused',
    'http://2130706433/cb': 'refused',
    'myapp:': 'refused',
    '': 'refused',
  };
  test.each(Object.entries(uris))('beside a right redirect URI, %s is %s', async (uri, verdict) => {
    for (const member of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
      const metadata = { ...agent, [member]: member === 'redirect_uris' ? [callback, uri] : [uri] };
      const answer = await registering(server, metadata);
      const told = answer.body[member];
      const others = member === 'redirect_uris' ? [callback] : [];
      if (verdict === 'refused') {
        const error = member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata';
        expect([answer.status, answer.body.error]).toEqual([400, error]);
        expect(await checkOf(server, answer)).toBe('metadata');
      } else {
        expect([answer.status, told]).toEqual([201, verdict === 'kept' ? [...others, uri] : others]);
        expect(answer.body.dropped).toEqual(verdict === 'kept' ? undefined : [`${member} ${uri}`]);
      }
    }
  });

  test('a registration of which no redirect URI is left is refused, and says why', async () => {
    const answer = await registering(server, { ...agent, redirect_uris: ['zephyr://cb', 'http://agent.example.com/'] });
    expect(answer).toMatchObject({
      ...{ status: 400 },
      body: {
        error: 'invalid_redirect_uri',
        error_description: 'redirect_uris has no address that this server allows',
      },
    });
    expect((await registering(server, { client_name: 'x' })).body.error).toBe('invalid_redirect_uri');
  });

  test('grants: unknown ones are dropped, client_credentials too; a list of nothing else is refused', async () => {
    const grants = ['authorization_code', 'urn:example:other', 'client_credentials', 'implicit'];
    const { body } = await registering(server, { ...agent, grant_types: grants, response_types: ['code', 'token'] });
    expect(body).toMatchObject({ grant_types: ['authorization_code'], response_types: ['code'] });
    for (const grant_types of [['client_credentials'], ['password', 'implicit'], []]) {
      const refused = await registering(server, { ...agent, token_endpoint_auth_method: undefined, grant_types });
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } });
    }
  });

  test('scopes: without any, the client gets the defaults of an API, and may ask for all that a person can allow', async () => {
    const { body } = await registering(server, agent);
    expect(body).not.toHaveProperty('scope');
    const client = { id: String(body.client_id) };
    const { grant } = await codeFor(server, client, { scope: '', extra: { resource: 'https://api.example.com' } });
    expect((await redeem(server, client, grant)).body.scope).toBe('books:read');
    const all = await tokensFor(server, client, {
      scope: 'books:read books:write',
      extra: { resource: 'https://api.example.com' },
    });
    expect(all.body.scope).toBe('books:read books:write');
    const unknown = await registering(server, { ...agent, scope: 'nothing:here' });
    expect([unknown.status, unknown.body.dropped]).toEqual([201, ['scope nothing:here']]);
  });

  test('a software statement is not trusted, so it is ignored and named (RFC 7591, section 3.1.1)', async () => {
    const statement = 'eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmlzIjpbImh0dHBzOi8vZXZpbC5leGFtcGxlLyJdfQ.';
    const { status, body } = await registering(server, { ...agent, software_statement: statement });
    expect([status, body.redirect_uris, body.dropped]).toEqual([201, [callback], ['software_statement']]);
  });

  test('members that promise protection which this server does not give are refused', async () => {
    const answer = await registering(server, { ...agent, tls_client_certificate_bound_access_tokens: true });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } });
  });

  test('private_key_jwt with its own keys gets tokens; without keys it is refused', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keys = {
      jwks: { keys: [publicKey.export({ format: 'jwk' })] },
      token_endpoint_auth_method: 'private_key_jwt',
    };
    const { status, body } = await registering(server, { ...agent, ...keys });
    expect([status, body.profile, body.client_secret]).toEqual([201, 'mcp-client', undefined]);
    const client = { id: String(body.client_id) };
    const { grant } = await codeFor(server, client, { scope: 'user' });
    const assertion = jwt({ alg: 'ES256' }, assertionClaims(server, client), privateKey);
    expect((await redeem(server, client, grant, assertionForm(assertion))).status).toBe(200);
    const without = await registering(server, { ...agent, token_endpoint_auth_method: 'private_key_jwt' });
    expect(without.body.error_description).toBe('private_key_jwt needs jwks or jwks_uri');
  });

  test('a client that asks for the profile fapi2 has all of it, also at a later change', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwks = { keys: [publicKey.export({ format: 'jwk' })] };
    const strict = { ...agent, jwks, token_endpoint_auth_method: 'private_key_jwt', profile: 'fapi2' };
    const enforced = {
      ...{ profile: 'fapi2', require_pushed_authorization_requests: true, dpop_bound_access_tokens: true },
    };
    const { status, body } = await registering(server, strict);
    expect([status, body.dropped, body]).toEqual([201, undefined, expect.objectContaining(enforced)]);
    const own = { id: String(body.client_id), token: String(body.registration_access_token) };
    const looser = await managing(server, 'PUT', own, { ...strict, client_id: own.id, profile: 'mcp-client' });
    expect([looser.status, looser.body]).toEqual([200, expect.objectContaining(enforced)]);
    const later = await registering(server, { ...strict, profile: undefined });
    const changing = { id: String(later.body.client_id), token: String(later.body.registration_access_token) };
    const moved = await managing(server, 'PUT', changing, { ...strict, client_id: changing.id });
    expect([later.body.profile, moved.body]).toEqual(['mcp-client', expect.objectContaining(enforced)]);
    expect((await registering(server, { ...agent, profile: 'fapi2' })).status).toBe(400);
  });

  test('E6: an address within a network is refused at POST and at PUT, and a listener there sees nothing', async () => {
    let connections = 0;
    const canary = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => canary.listen(0, resolve));
    const { port } = canary.address() as AddressInfo;
    const hosts = ['127.0.0.1', '[::1]', '0.0.0.0', '169.254.169.254', '10.0.0.1', '[fd00::1]', '[::ffff:127.0.0.1]'];
    const written = ['2130706433', '0x7f.1', '0177.0.0.1', '127.1', 'localhost', 'app.localhost', 'intranet'];
    const { body } = await registering(server, agent);
    const own = { id: String(body.client_id), token: String(body.registration_access_token) };
    try {
      for (const member of ['jwks_uri', 'logo_uri', 'sector_identifier_uri', 'backchannel_logout_uri'])
        for (const scheme of ['https', 'http'])
          for (const host of [...hosts, ...written]) {
            const metadata = { ...agent, [member]: `${scheme}://${host}:${port}/x` };
            const made = await registering(server, metadata);
            const changed = await managing(server, 'PUT', own, { ...metadata, client_id: own.id });
            expect([metadata[member as 'client_name'], made.status, changed.status]).toEqual([
              `${scheme}://${host}:${port}/x`,
              400,
              400,
            ]);
            expect(made.body.error).toBe('invalid_client_metadata');
          }
      const allowed = await registering(server, { ...agent, logo_uri: 'https://agent.example.com/logo.png' });
      expect(allowed.status).toBe(201);
    } finally {
      canary.close();
    }
    expect(connections).toBe(0);
  });

  test('bodies that are no JSON object are refused in the words of RFC 7591', async () => {
    const json = ['Content-Type', 'application/json'] as const;
    const bodies = ['{', '[]', 'null', '"x"', '{"redirect_uris":["https://a.example/"],"redirect_uris":[]}'];
    for (const body of bodies) {
      const { status, text } = await call(server, { method: 'POST', path: '/oauth/register', headers: [json], body });
      expect([body, status, JSON.parse(text).error]).toEqual([body, 400, 'invalid_client_metadata']);
    }
    const large = await registering(server, { ...agent, client_name: 'x'.repeat(65_536) });
    expect([large.status, large.body.error]).toEqual([413, 'invalid_client_metadata']);
    const form = ['Content-Type', 'application/x-www-form-urlencoded'] as const;
    const other = await call(server, { method: 'POST', path: '/oauth/register', headers: [form], body: 'x=1' });
    expect(other.status).toBe(415);
    expect((await call(server, { path: '/oauth/register' })).headers.allow).toBe('POST, OPTIONS');
  });

  test('it is a client everywhere: unreviewed, kept on errors, shown on the pages, reloaded', async () => {
    const { body } = await registering(server, agent);
    const id = String(body.client_id);
    const agentOf = new Agent(server);
    const silent = await agentOf.go(
      `/oauth/authorize?${new URLSearchParams({ client_id: id, response_type: 'code', prompt: 'none', redirect_uri: callback })}`,
    );
    expect([silent.status, silent.location]).toEqual([400, undefined]);
    expect(silent.text).toContain('This application has not been checked');
    const { person } = await tokensFor(server, { id }, { scope: 'user' });
    const connections = await server.core.connections.list(person.subject);
    expect(connections.map(({ clientId }) => clientId)).toEqual([id]);
    await server.core.cached.reload();
    expect((await tokensFor(server, { id }, { scope: 'user' })).body.scope).toBe('user');
    expect((await registering(server, { ...agent, client_name: 'Gatehouse Support' })).body.error_description).toMatch(
      /^client_name /,
    );
  });
});

describeStorages('limits of open registration', (storage) => {
  test('an address, all addresses, and all clients: 429 with Retry-After and a record; a token is not limited', async () => {
    const open = { REGISTRATION: 'open', TRUST_PROXY: '1' };
    const server = await storage.start({
      ...{ ...open, REGISTRATION_ADDRESS_LIMIT: '2', REGISTRATION_LIMIT: '3', DYNAMIC_CLIENT_MAX: '4' },
    });
    try {
      const from = async (address: string, body: unknown = agent): Promise<RegistrationAnswer> => {
        const answer = await call(server, posting('/oauth/register', body, ['X-Forwarded-For', address]));
        return { ...answer, body: JSON.parse(answer.text) };
      };
      expect((await from('192.0.2.1')).status).toBe(201);
      // A refused one counts as well.
      expect((await from('192.0.2.1', { redirect_uris: [] })).status).toBe(400);
      const limited = await from('192.0.2.1');
      expect(limited).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } });
      expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
      expect(await checkOf(server, limited)).toBe('throttled');
      expect((await from('192.0.2.2')).status).toBe(201);
      expect((await from('192.0.2.3')).status).toBe(429);

      const { value } = await initialToken(server);
      expect((await registering(server, agent, value)).status).toBe(201);
      const answers = await Promise.all(Array.from({ length: 6 }, () => registering(server, agent, value)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      const full = answers.find(({ status }) => status !== 201);
      expect(full).toMatchObject({ status: 429, headers: { 'retry-after': expect.any(String) } });
      expect(full && (await checkOf(server, full))).toBe('registrations_full');
      expect(await server.core.stores.registrations.count()).toBe(4);
      const [taken] = await server.core.initialTokens.list();
      expect(taken?.uses).toBe(2);
    } finally {
      await server.close();
    }
  });
});

describeStorages('the ceiling of scopes', (storage) => {
  test('lower, it counts at once for clients that exist, on pages and endpoints; a review lifts it', async () => {
    const before = await storage.start({ REGISTRATION: 'open' });
    await before.core.apis.add({
      ...{ identifier: 'https://api.example.com', name: 'Books' },
      scopes: ['read', 'write'].map((name) => ({ name: `books:${name}`, sentence: `It may ${name}.` })),
    });
    const named = await registering(before, { ...agent, scope: 'openid user books:write' });
    const unnamed = await registering(before, agent);
    const server = await before.restart({ DYNAMIC_CLIENT_SCOPES: 'openid books:read user' });
    try {
      const extra = { resource: 'https://api.example.com' };
      const granted = async (id: unknown) =>
        (await tokensFor(server, { id: String(id) }, { scope: 'openid books:read books:write', extra })).body.scope;
      expect(await granted(named.body.client_id)).toBe('openid');
      const id = String(unnamed.body.client_id);
      expect(await granted(id)).toBe('openid books:read');
      await server.app.clients.review(id);
      const known = async () => (await server.core.cached.find(id))?.reviewedAt !== null;
      await eventually('the review is known', known);
      expect(await granted(id)).toBe('openid books:read books:write');

      const beyond = { scopes: ['openid', 'books:write'] };
      const { value } = await initialToken(server, beyond);
      expect((await registering(server, agent, value)).body.scope).toBe('openid');
      const vouched = await initialToken(server, { ...beyond, reviewed: true });
      expect((await registering(server, agent, vouched.value)).body.scope).toBe('openid books:write');
    } finally {
      await server.close();
    }
  });
});
