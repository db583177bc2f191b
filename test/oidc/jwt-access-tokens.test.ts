/** P4: JWT access tokens can be asked about and revoked, on every node and over every storage. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { createEndedTokens } from '../../src/core/tokens/ended-tokens.ts';
import { basic, token } from '../support/agent.ts';
import {
  ask,
  claimsOf,
  codeFor,
  comeBack,
  isActive,
  redeem,
  refresh,
  tokensFor,
  travel,
  userinfo,
} from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { leastRoundTrips } from '../support/round-trips.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { changed } from '../support/sign-as-server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://api.example.com';
const withinASecond = 1_000;
type Client = Awaited<ReturnType<typeof buildClient>>;

describeStorages('P4: JWT access tokens', (storage) => {
  let first: TestServer;
  let second: TestServer;
  let client: Client;
  let stranger: Client;
  let introspector: Client;
  let machine: Client;
  beforeAll(async () => {
    first = await storage.start();
    second = await storage.join(first);
    const build = (more = {}) => buildClient(first, more);
    [client, stranger, introspector] = [await build(), await build(), await build()];
    machine = await build({ redirect_uris: [], grant_types: ['client_credentials'], scope: 'read' });
    const introspectors = [introspector.id];
    await first.core.apis.add({
      ...{ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }], introspectors },
    });
    await second.core.changes.check();
  });
  afterAll(() => first.close());
  afterEach(comeBack);

  const nodes = () => [first, second];
  const forUser = (more = {}) => tokensFor(first, client, { scope: 'user', ...more });
  const ownToken = async () =>
    (await token(first, machine, { grant_type: 'client_credentials', resource: api })).body.access_token ?? '';
  const asked = async (node: TestServer, by: Client, value: string | undefined) =>
    (await ask(node, 'introspect', by, value)).body;
  const get = async (node: TestServer, path: string, value: string | undefined) =>
    (await fetch(node.url + path, { headers: { authorization: `Bearer ${value}` } })).status;
  const verify = (node: TestServer, audience: string, value: string | undefined) =>
    get(node, `/gateway/verify/token?${new URLSearchParams({ tokens: 'oauth', audience })}`, value);
  const userApi = () => `${first.url}/user`;

  test('P4: its client hears what it says, and that it is active, until what it hangs on has ended', async () => {
    const { body, person } = await forUser();
    const value = body.access_token;
    const claims = claimsOf(value);
    for (const node of nodes()) {
      expect(await asked(node, client, value)).toEqual({ ...claims, active: true, token_type: 'Bearer' });
    }
    expect(claims.gid).toEqual(expect.any(String));
    const isIt = async () => [await isActive(first, client, value), await isActive(second, client, value)];
    await first.core.accounts.disable(person.subject);
    expect(await isIt()).toEqual([false, false]);
    const other = (await forUser()).body.access_token;
    travel(601);
    expect(await asked(first, client, other)).toEqual({ active: false });
  });

  test('P4: an introspector of the API may ask about a person’s and a client’s own, a stranger about none', async () => {
    const own = await ownToken();
    const { grant } = await codeFor(first, client, { scope: 'read', extra: { resource: api } });
    const persons = (await redeem(first, client, grant, { resource: api })).body.access_token;
    for (const node of nodes()) {
      expect(await asked(node, machine, own)).toEqual({ ...claimsOf(own), active: true, token_type: 'Bearer' });
      expect(await asked(node, introspector, own)).toMatchObject({ active: true, sub: machine.id, aud: api });
      expect(await asked(node, introspector, persons)).toMatchObject({ active: true, client_id: client.id });
      const both = changed(first, persons, { aud: ['https://other.example.com', api] });
      expect(await asked(node, introspector, both)).toMatchObject({ active: true, aud: expect.any(Array) });
      for (const value of [own, persons, both]) expect(await asked(node, stranger, value)).toEqual({ active: false });
    }
    const forUserApi = (await forUser()).body.access_token;
    expect(await asked(first, introspector, forUserApi)).toEqual({ active: false });
  });

  test('P4: what is no access token, or is forged, is not active', async () => {
    const { body } = await tokensFor(first, client);
    const value = (await forUser()).body.access_token;
    const forged = [
      body.id_token,
      changed(first, body.id_token, {}, { typ: 'JWT' }),
      changed(first, value, { token_use: 'id' }, { typ: 'JWT' }),
      changed(first, value, {}, { typ: 'JWT' }),
      changed(first, value, {}, { typ: 'identity+jwt' }),
      changed(first, value, { aud: undefined }),
      changed(first, value, { gid: 'another' }),
      changed(first, value, { exp: nowSeconds() }),
      `${value?.slice(0, -10)}AAAAAAAAAA`,
      '..',
      'a.b.c',
    ];
    for (const wrong of forged) expect([wrong, await asked(first, client, wrong)]).toEqual([wrong, { active: false }]);
    expect(await asked(first, client, changed(first, value, { token_use: 'access' }, { typ: 'JWT' }))).toMatchObject({
      ...{ active: true, token_use: 'access' },
    });
  });

  test('P4: a person’s, revoked: it and its grant end at every entry point of every node', async () => {
    const { body, person } = await forUser();
    const elsewhere = await forUser({ person });
    const value = body.access_token;
    const ofUserinfo = changed(first, value, { scope: 'openid user', aud: [userApi(), `${first.url}/userinfo`] });
    const doors = async (node: TestServer) => [
      await get(node, '/user/info', value),
      await verify(node, userApi(), value),
      (await userinfo(node, ofUserinfo)).status,
      (await asked(node, client, value)).active,
    ];
    // Consent to `user` alone releases nothing at userinfo but who it is.
    for (const node of nodes()) expect(await doors(node)).toEqual([200, 200, 200, true]);

    expect((await ask(first, 'revoke', stranger, value)).status).toBe(200);
    for (const node of nodes()) expect(await doors(node)).toEqual([200, 200, 200, true]);

    const answer = await revoke(first, client, value);
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      ...[200, 'application/json; charset=utf-8', '{}'],
    ]);
    for (const node of nodes()) expect(await doors(node)).toEqual([401, 401, 401, false]);
    expect((await refresh(second, client, body.refresh_token)).body.error).toBe('invalid_grant');
    // What the person gave in another browser stays.
    expect(await get(second, '/user/info', elsewhere.body.access_token)).toBe(200);
  });

  test('P4: a client’s own, revoked: it alone ends, on the other node within a second, also after a start', async () => {
    const [own, other] = [await ownToken(), await ownToken()];
    for (const node of nodes()) expect(await verify(node, api, own)).toBe(200);
    expect((await revoke(first, stranger, own)).status).toBe(200);
    expect(await verify(first, api, own)).toBe(200);

    expect((await revoke(first, machine, own)).status).toBe(200);
    expect([await verify(first, api, own), await isActive(first, machine, own)]).toEqual([401, false]);
    await eventually('the other node knows', async () => (await verify(second, api, own)) === 401, withinASecond);
    expect(await isActive(second, machine, own)).toBe(false);
    for (const node of nodes()) expect(await verify(node, api, other)).toBe(200);

    const third = await storage.join(first);
    expect([await verify(third, api, own), await verify(third, api, other)]).toEqual([401, 200]);
    // Again changes nothing.
    expect((await revoke(second, machine, own)).status).toBe(200);
  });

  test('a session ended from elsewhere ends the JWTs that end with it, on every node, and no others', async () => {
    const bound = await forUser({ scope: 'openid read' });
    const outliving = await forUser({ scope: 'openid offline_access read' });
    expect(claimsOf(outliving.body.access_token)).not.toHaveProperty('session');
    const value = bound.body.access_token;
    expect(claimsOf(value)).toMatchObject({ aud: [api, `${first.url}/userinfo`], session: expect.any(String) });
    const withoutOpenid = await forUser();
    const persons = [bound.person, withoutOpenid.person];
    for (const node of nodes()) {
      expect(await isActive(node, client, value)).toBe(true);
      expect((await userinfo(node, value)).status).toBe(200);
      expect(await verify(node, api, value)).toBe(200);
    }
    for (const { subject } of persons) {
      const [session] = await first.core.stores.engine.listSessions(subject, 1);
      await first.core.stores.engine.deleteSession(String(session?.uid));
    }
    for (const node of nodes()) {
      expect(await isActive(node, client, value)).toBe(false);
      expect((await userinfo(node, value)).status).toBe(401);
      expect(await verify(node, api, value)).toBe(401);
      expect(await isActive(node, client, withoutOpenid.body.access_token)).toBe(true);
    }
  });

  test('P4: a node that has missed so much that it starts over still knows which tokens have ended', async () => {
    const own = await ownToken();
    await revoke(first, machine, own);
    await second.core.changes.check();
    // A gap in the log: what was noted before is not to be had any more.
    await first.core.stores.changes.prune(2 ** 40);
    await first.core.stores.changes.note('reload', '');
    await first.core.stores.changes.prune(2 ** 40);
    await second.core.changes.check();
    expect(await verify(second, api, own)).toBe(401);
  });

  test('P4: looking at a client’s own token costs no read, at a person’s one', async () => {
    const own = await ownToken();
    const persons = (await forUser()).body.access_token;
    const costs = (work: () => Promise<unknown>) => leastRoundTrips(first.core.stores, work);
    expect(await costs(() => verify(first, api, own))).toBe(0);
    expect(await costs(() => asked(first, machine, own))).toBe(0);
    expect(await costs(() => asked(first, client, persons))).toBe(1);
    expect(await costs(() => get(first, '/user/info', persons))).toBe(1);
    expect(await costs(() => asked(first, client, 'not-even-the-form'))).toBe(0);
  });

  test('P4: a client ends only so many of its own at a time; then it is told to wait', async () => {
    const ended = createEndedTokens({
      store: first.core.stores.endedTokens,
      changes: { follow: () => {}, changed: async () => {} },
      most: 2,
    });
    const until = nowSeconds() + 600;
    const end = (jti: string) => ended.end({ clientId: 'busy', jti, until });
    expect([await end('a'), await end('b'), await end('c'), await end('d')]).toEqual([
      ...['ended', 'ended', 'full', 'full'],
    ]);

    const busy = await buildClient(first, { redirect_uris: [], grant_types: ['client_credentials'], scope: 'read' });
    const own = (await token(first, busy, { grant_type: 'client_credentials', resource: api })).body.access_token;
    const rows = Array.from({ length: 10_000 }, (_, n) => ({
      ...{ key: `ended ${busy.id} ${n}`, kind: 'EndedToken', payload: '{}', clientId: busy.id, expiresAt: until },
      ...{ grantId: null, subject: null, sessionUid: null },
    }));
    await first.core.stores.engine.commit({ tokens: rows });
    const refused = await revoke(first, busy, own);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable', error_uri: expect.any(String) });
    expect(await verify(first, api, own)).toBe(200);
  });

  test('opaque tokens are told of as before; revoking what is unknown or another’s is answered alike', async () => {
    const person = await buildPerson(first);
    const { body } = await tokensFor(first, client, { person });
    const { exp, iat, ...told } = await asked(second, client, body.access_token);
    expect(told).toEqual({
      ...{ active: true, client_id: client.id, iss: first.url, scope: 'openid', sub: person.subject },
      ...{ token_type: 'Bearer', gid: expect.any(String), acr: expect.any(String), auth_time: expect.any(Number) },
    });
    expect(Number(exp) - Number(iat)).toBe(600);
    expect(Object.keys(await asked(first, client, body.refresh_token)).sort()).toEqual([
      ...['active', 'client_id', 'exp', 'iat', 'iss', 'scope', 'sub'],
    ]);
    const own = (await token(first, machine, { grant_type: 'client_credentials' })).body.access_token;
    expect(Object.keys(await asked(first, machine, own)).sort()).toEqual([
      ...['active', 'client_id', 'exp', 'iat', 'iss', 'token_type'],
    ]);
    for (const value of ['unknown', 'x'.repeat(43), 'a.b.c', body.access_token, body.id_token]) {
      const answer = await revoke(second, stranger, value);
      expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
        ...[200, 'application/json; charset=utf-8', '{}'],
      ]);
    }
    expect(await isActive(first, client, body.access_token)).toBe(true);
    await revoke(second, client, body.access_token);
    expect([
      await isActive(first, client, body.access_token),
      await isActive(first, client, body.refresh_token),
    ]).toEqual([false, false]);
  });
});

function revoke(node: TestServer, by: Client, value: string | undefined): Promise<Response> {
  return fetch(`${node.url}/oauth/revoke`, {
    method: 'POST',
    headers: { authorization: basic(by.id, by.secret) },
    body: new URLSearchParams({ token: value ?? '' }),
  });
}
