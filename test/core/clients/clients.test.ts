/** Registering and changing clients and APIs, over a real database. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../../src/base/clock.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { createApis } from '../../../src/core/apis/apis.ts';
import { createChangeLog } from '../../../src/core/changes/change-log.ts';
import { createCachedClients } from '../../../src/core/clients/cached-clients.ts';
import { mergePatch } from '../../../src/core/clients/client-changes.ts';
import { verifySecret } from '../../../src/core/clients/client-secrets.ts';
import { createClients } from '../../../src/core/clients/clients.ts';
import { createLocalChannel } from '../../../src/storage/local/channel.ts';
import { openSql, type SqlStores } from '../../../src/storage/sql/open.ts';
import { buildApi, buildClient } from '../../storage/rows.ts';

const web = { client_name: 'App', redirect_uris: ['https://app.example.com/cb'] };
const byCli = { origin: 'cli', owner: null } as const;

let stores: SqlStores;
beforeEach(async () => {
  stores = await openSql({ kind: 'sqlite', file: ':memory:' });
});
afterEach(() => stores.close());

function build({
  secretOverlapSeconds = 3600,
  checkWithEngine = async () => undefined,
}: {
  secretOverlapSeconds?: number;
  checkWithEngine?: () => Promise<string | undefined>;
} = {}) {
  const changes = createChangeLog({ ...stores, channel: createLocalChannel() });
  const cached = { ...createCachedClients({ ...stores, log: changes }), check: changes.check };
  const lifetimes = { clientSecretOverlap: secretOverlapSeconds };
  const config = { issuer: 'http://[::1]', brandName: 'Gatehouse', lifetimes };
  const clients = createClients({ stores, changes, checkWithEngine, config });
  return { clients, cached, changes };
}

async function registered(
  input: object = web,
  registration: Parameters<ReturnType<typeof createClients>['register']>[1] = byCli,
) {
  const { clients, cached } = build();
  const result = await clients.register(input, registration);
  if (result.outcome !== 'registered') throw new Error(result.description);
  return { ...result, clients, cached };
}

describe('registration', () => {
  test('makes an id and a secret that are stored only as they must be', async () => {
    const { client, secret = '', cached } = await registered();
    expect(client.id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const stored = await stores.clients.find(client.id);
    expect(stored).toEqual(client);
    expect(JSON.stringify(stored)).not.toContain(secret);
    expect(await cached.find(client.id)).toEqual(client);
    expect(client).toMatchObject({ version: 1, origin: 'cli', owner: null, disabledAt: null });
  });

  test.each(['none', 'private_key_jwt'])('no secret for %s', async (method) => {
    const { client, secret } = await registered({
      ...web,
      token_endpoint_auth_method: method,
      jwks_uri: 'https://app.example.com/jwks',
    });
    expect(secret).toBeUndefined();
    expect(client.secrets).toEqual([]);
  });

  test('with an id of its own, once', async () => {
    const { clients, client } = await registered(web, { ...byCli, id: 'my-app' });
    expect(client.id).toBe('my-app');
    expect(await clients.register(web, { ...byCli, id: 'my-app' })).toMatchObject({
      outcome: 'invalid',
      description: 'client_id is taken',
    });
    for (const id of ['', 'a b', 'a:b', 'a\0', 'ä', '-a', 'x'.repeat(129)]) {
      expect(await clients.register(web, { ...byCli, id })).toMatchObject({ outcome: 'invalid' });
    }
  });

  test('what our rules or the engine refuse is not stored', async () => {
    const { clients } = build();
    expect(await clients.register({ redirect_uris: ['http://a.example/cb'] }, byCli)).toMatchObject({
      error: 'invalid_redirect_uri',
    });
    const strict = build({ checkWithEngine: async () => 'the engine says no' }).clients;
    expect(await strict.register(web, byCli)).toEqual({
      outcome: 'invalid',
      error: 'invalid_client_metadata',
      description: 'the engine says no',
    });
    expect(await stores.clients.count()).toBe(0);
  });
});

describe('changes', () => {
  test('are held to the same rules as a registration', async () => {
    const { clients, client } = await registered(web, { origin: 'register', owner: null });
    expect(await clients.update(client.id, { ...web, grant_types: ['password'] }, 'register')).toMatchObject({
      outcome: 'invalid',
    });
    expect(await clients.update(client.id, { ...web, redirect_uris: ['javascript:alert(1)'] }, 'admin')).toMatchObject({
      error: 'invalid_redirect_uri',
    });
    const changed = await clients.update(
      client.id,
      { ...web, client_name: 'New', client_secret: 'mine', trusted: true },
      'register',
    );
    expect(changed).toMatchObject({ outcome: 'updated', client: { version: 2, secrets: client.secrets } });
    expect(changed).not.toHaveProperty('secret');
    expect((await clients.find(client.id))?.metadata).toEqual({ ...client.metadata, client_name: 'New' });
    expect(await clients.update('nobody', web, 'admin')).toEqual({ outcome: 'unknown' });
  });

  test('a client that stops using its secret loses it, and gets a new one when it comes back', async () => {
    const { clients, client, secret = '' } = await registered();
    await clients.update(client.id, { ...web, token_endpoint_auth_method: 'none' }, 'admin');
    expect((await clients.find(client.id))?.secrets).toEqual([]);
    const back = await clients.update(client.id, web, 'admin');
    if (back.outcome !== 'updated') throw new Error(back.outcome);
    expect(back.secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(verifySecret(back.client, secret, nowSeconds())).toBe(false);
    expect(verifySecret(back.client, back.secret ?? '', nowSeconds())).toBe(true);
  });

  test('of several at once none is lost', async () => {
    const { clients, client } = await registered();
    const results = await Promise.all([
      clients.disable(client.id),
      clients.rotateSecret(client.id),
      clients.update(client.id, { ...web, client_name: 'New' }, 'admin'),
      clients.rotateSecret(client.id),
    ]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['updated', 'rotated', 'updated', 'rotated']);
    const stored = await clients.find(client.id);
    expect(stored).toMatchObject({ version: 5, metadata: { client_name: 'New' }, disabledAt: expect.any(Number) });
    expect(stored?.secrets).toHaveLength(2);
  });

  test('a part of the metadata: what is taken out goes back to its default, also where a replacement would keep it', async () => {
    const { clients, client } = await registered({
      ...web,
      ...{ id_token_claims: 'all', require_pkce: true, loopback_ports: 'any', consent: 'always' },
    });
    const without = (stored: JsonObject, ...names: string[]) =>
      Object.fromEntries(Object.entries(stored).filter(([name]) => !names.includes(name)));
    const kept = await clients.patch(client.id, (stored) => ({ ...stored, client_name: 'New' }), { by: 'cli' });
    expect(kept).toMatchObject({ client: { metadata: { ...client.metadata, client_name: 'New' } }, dropped: [] });
    const all = ['id_token_claims', 'require_pkce', 'loopback_ports', 'consent'];
    const byKey = await clients.patch(client.id, (stored) => without(stored, ...all), { by: 'register' });
    expect(byKey).toMatchObject({
      client: {
        metadata: { id_token_claims: 'standard', require_pkce: true, loopback_ports: 'any', consent: 'new' },
      },
      dropped: ['loopback_ports', 'require_pkce'],
    });
    const byCommand = await clients.patch(client.id, (stored) => without(stored, ...all), { by: 'cli' });
    expect(byCommand).toMatchObject({
      client: { metadata: { id_token_claims: 'standard', require_pkce: false, loopback_ports: 'registered' } },
      dropped: [],
    });
  });

  test('a part of the metadata: a list of scopes does not become every scope by being emptied', async () => {
    const { clients, client } = await registered({ ...web, scope: 'openid email' });
    const emptied = await clients.patch(client.id, (stored) => ({ ...stored, scope: '' }), { by: 'cli' });
    expect(emptied).toMatchObject({ outcome: 'invalid', description: expect.stringMatching(/^scope is empty/) });
    const freed = await clients.patch(client.id, ({ scope: _scope, ...stored }) => stored, { by: 'cli' });
    expect(freed.outcome === 'updated' && freed.client.metadata).not.toHaveProperty('scope');
  });

  test('a part of the metadata: no member of a patch is taken for a prototype', async () => {
    const { clients, client } = await registered();
    const patch = JSON.parse('{"__proto__": {"client_name": "X"}}') as JsonObject;
    const changed = await clients.patch(client.id, (stored) => mergePatch(stored, patch), { by: 'cli' });
    expect(changed).toMatchObject({ client: { version: 1, metadata: client.metadata }, dropped: ['__proto__'] });
  });

  test('a client of the version before is as it was after a change of nothing, and keeps what it had after another', async () => {
    const { clients } = build();
    const before = buildClient({
      metadata: {
        ...web,
        ...{ grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'none' },
        ...{
          application_type: 'native',
          subject_type: 'public',
          require_pkce: true,
          id_token_signed_response_alg: 'RS256',
        },
        ...{ frontchannel_logout_uri: 'https://app.example.com/out', require_signed_request_object: true },
      },
      secrets: [],
    });
    await stores.clients.insert(before);
    const same = await clients.patch(before.id, (stored) => ({ ...stored }), { by: 'cli' });
    expect(same).toMatchObject({ outcome: 'updated', client: before, dropped: [], change: { before: {}, after: {} } });
    const named = await clients.patch(before.id, (stored) => ({ ...stored, client_name: 'New' }), { by: 'cli' });
    expect(named).toMatchObject({
      client: { version: 2, metadata: { id_token_claims: 'minimal', loopback_ports: 'any', consent: 'new' } },
      dropped: ['frontchannel_logout_uri', 'require_signed_request_object'],
    });
  });

  test('disabled, enabled, removed', async () => {
    const { clients, client, cached } = await registered();
    await clients.disable(client.id);
    expect((await cached.find(client.id))?.disabledAt).toEqual(expect.any(Number));
    await clients.enable(client.id);
    expect((await cached.find(client.id))?.disabledAt).toBeNull();
    expect(await clients.remove(client.id)).toBe(true);
    expect(await cached.find(client.id)).toBeUndefined();
    expect(await clients.remove(client.id)).toBe(false);
    expect(await clients.disable(client.id)).toEqual({ outcome: 'unknown' });
  });
});

describe('secrets', () => {
  test('the old one works until the overlap ends, and the one before it no more', async () => {
    const { clients, client, secret: first = '' } = await registered();
    const two = await clients.rotateSecret(client.id);
    if (two.outcome !== 'rotated') throw new Error(two.outcome);
    const now = nowSeconds();
    expect(verifySecret(two.client, first, now)).toBe(true);
    expect(verifySecret(two.client, two.secret, now)).toBe(true);
    expect(verifySecret(two.client, first, now + 3601)).toBe(false);
    expect(verifySecret(two.client, two.secret, now + 1e9)).toBe(true);
    const three = await clients.rotateSecret(client.id);
    if (three.outcome !== 'rotated') throw new Error(three.outcome);
    expect(verifySecret(three.client, first, now)).toBe(false);
    expect(verifySecret(three.client, two.secret, now)).toBe(true);
    expect(three.client.secrets).toHaveLength(2);
  });

  test('without an overlap the old one ends at once', async () => {
    const { client, secret = '' } = await registered();
    const rotated = await build({ secretOverlapSeconds: 0 }).clients.rotateSecret(client.id);
    if (rotated.outcome !== 'rotated') throw new Error(rotated.outcome);
    expect(rotated.client.secrets).toHaveLength(1);
    expect(verifySecret(rotated.client, secret, nowSeconds())).toBe(false);
  });

  test('anything else is wrong', async () => {
    const { client, secret = '' } = await registered();
    const hash = client.secrets[0]?.hash ?? '';
    for (const wrong of [
      '',
      hash,
      `${secret}x`,
      secret.slice(1),
      secret.toUpperCase(),
      'x'.repeat(100_000),
      '\ud800',
    ]) {
      expect(verifySecret(client, wrong, nowSeconds())).toBe(false);
    }
    expect(verifySecret({ secrets: [] }, '', nowSeconds())).toBe(false);
  });

  test('a public client has none to rotate', async () => {
    const { clients, client } = await registered({ ...web, token_endpoint_auth_method: 'none' });
    expect(await clients.rotateSecret(client.id)).toEqual({ outcome: 'secretless' });
  });
});

describe('APIs', () => {
  const issuer = 'https://id.example.com';
  const api = {
    identifier: 'https://api.example.com/',
    name: 'Things',
    scopes: [{ name: 'read', sentence: 'See your things.' }],
  };
  function buildApis() {
    const { cached, changes } = build();
    return { cached, apis: createApis({ store: stores.apis, cached, changes, issuer }) };
  }

  test('the user API is always there', async () => {
    const { apis } = buildApis();
    expect(apis.find(`${issuer}/user`)).toMatchObject({ name: 'Your account', tokenFormat: 'jwt', introspectors: [] });
    expect(await apis.remove(`${issuer}/user`)).toEqual({ outcome: 'built-in' });
    expect(await apis.add({ ...api, identifier: `${issuer}/user` })).toMatchObject({ outcome: 'invalid' });
    // Not even a row in the database takes its place.
    await stores.apis.put(buildApi({ identifier: `${issuer}/user`, tokenFormat: 'opaque' }));
    const again = buildApis();
    await again.cached.check();
    expect(again.apis.list()).toHaveLength(1);
    expect(again.apis.find(`${issuer}/user`)?.tokenFormat).toBe('jwt');
  });

  test('are added, found, replaced and removed, on every node', async () => {
    const [one, two] = [buildApis(), buildApis()];
    expect(await one.apis.add(api)).toEqual({
      outcome: 'saved',
      api: {
        ...api,
        scopes: [{ ...api.scopes[0], default: false, optional: false, held: false, bearer: false }],
        ...{
          tokenFormat: 'jwt',
          tokenTyp: 'at+jwt',
          signingAlg: 'ES256',
          tokenLifetime: null,
          introspectors: [],
          mcpServer: false,
        },
      },
    });
    expect(one.apis.list().map(({ identifier }) => identifier)).toEqual([`${issuer}/user`, api.identifier]);
    expect(one.apis.list()).toHaveLength(2);
    expect(two.apis.find(api.identifier)).toBeUndefined();
    await two.cached.check();
    expect(two.apis.find(api.identifier)).toEqual(one.apis.find(api.identifier));
    await two.apis.add({ ...api, tokenFormat: 'opaque', tokenLifetime: 60, introspectors: ['my-app'] });
    await one.cached.check();
    expect(one.apis.find(api.identifier)).toMatchObject({ tokenFormat: 'opaque', tokenLifetime: 60 });
    expect(await one.apis.remove(api.identifier)).toEqual({ outcome: 'removed' });
    expect(await one.apis.remove(api.identifier)).toEqual({ outcome: 'unknown' });
    expect(one.apis.find(api.identifier)).toBeUndefined();
  });

  test.each<[string, object]>([
    ['a relative identifier', { identifier: '/api' }],
    ['a fragment', { identifier: 'https://api.example.com/#x' }],
    ['an empty fragment', { identifier: 'https://api.example.com/#' }],
    ['a space', { identifier: 'https://api.example.com/ x' }],
    ['the issuer', { identifier: issuer }],
    ['the issuer with a slash', { identifier: `${issuer}/` }],
    ['what the userinfo endpoint is called', { identifier: `${issuer}/userinfo` }],
    ['another typ', { tokenTyp: 'jwt' }],
    ['another algorithm', { signingAlg: 'HS256' }],
    ['a mark that is no boolean', { scopes: [{ ...api.scopes[0], held: 'yes' }] }],
    ['an empty name', { name: '' }],
    ['no scopes', { scopes: [] }],
    ['a scope twice', { scopes: [...api.scopes, ...api.scopes] }],
    ['openid', { scopes: [{ name: 'openid', sentence: 'x' }] }],
    ['offline_access', { scopes: [{ name: 'offline_access', sentence: 'x' }] }],
    ['a scope with a space', { scopes: [{ name: 'a b', sentence: 'x' }] }],
    ['a scope without a sentence', { scopes: [{ name: 'a', sentence: '' }] }],
    ['a long sentence', { scopes: [{ name: 'a', sentence: 'x'.repeat(201) }] }],
    ['a lifetime of 0', { tokenLifetime: 0 }],
    ['a lifetime of 86401', { tokenLifetime: 86_401 }],
    ['a lifetime of half a second', { tokenLifetime: 0.5 }],
    ['another format', { tokenFormat: 'xml' }],
    ['introspectors as text', { introspectors: 'my-app' }],
  ])('%s is refused', async (_what, change) => {
    const { apis } = buildApis();
    expect(await apis.add({ ...api, ...change })).toMatchObject({
      outcome: 'invalid',
      description: expect.any(String),
    });
    expect(await stores.apis.list()).toEqual([]);
  });

  test('the id of a client is refused: a token for the one could be taken for one of the other', async () => {
    const { apis } = buildApis();
    await stores.clients.insert(buildClient({ id: 'urn:things' }));
    const refused = { outcome: 'invalid', description: 'identifier is the id of a client' };
    expect(await apis.add({ ...api, identifier: 'urn:things' })).toEqual(refused);
    const { clients } = build();
    const metadata = { redirect_uris: ['https://app.example.com/cb'] };
    for (const id of [api.identifier, issuer, `${issuer}/userinfo`, `${issuer}/user`]) {
      const made = await clients.register(metadata, { origin: 'cli', owner: null, id });
      expect(made).toMatchObject({ outcome: 'invalid' });
    }
  });

  test('another spelling finds it, and cannot be added beside it', async () => {
    const { apis } = buildApis();
    await apis.add({ ...api, identifier: 'https://api.example.com' });
    for (const spelled of ['https://api.example.com/', 'https://API.example.com:443'])
      expect(apis.find(spelled)?.identifier).toBe('https://api.example.com');
    for (const other of ['https://api.example.com/x', 'http://api.example.com'])
      expect(apis.find(other)).toBeUndefined();
    expect(await apis.add({ ...api, identifier: 'https://api.example.com/' })).toMatchObject({ outcome: 'invalid' });
    expect(await apis.remove('https://api.example.com/')).toEqual({ outcome: 'removed' });
  });

  test('anything but an object is refused', async () => {
    const { apis } = buildApis();
    for (const input of [null, undefined, 1, 'x', []])
      expect(await apis.add(input)).toMatchObject({ outcome: 'invalid' });
  });
});
