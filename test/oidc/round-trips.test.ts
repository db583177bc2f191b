/**
 * How many database round trips one request makes, alone and warm. A number that rises here is a request that got
 * slower.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomToken } from '../../src/base/secrets.ts';
import { buildSession } from '../storage/rows.ts';
import { Agent, codeOf, pkce, token } from '../support/agent.ts';
import { allow, askToBegin, type Begun, begin, deviceClient, poll } from '../support/device.ts';
import { buildProofKey, proofOf, tokenWith } from '../support/dpop.ts';
import { ask, codeFor, redeem, refresh, tokensFor, userApiTakes, userinfo } from '../support/flow.ts';
import { leastRoundTrips } from '../support/round-trips.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://api.example.com';

describeStorages('round trips', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    await server.core.apis.add({ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }] });
  });
  afterAll(() => server.close());

  /** Tries, where each uses up a code or an attempt. */
  const few = 4;
  async function roundTrips(request: () => Promise<{ status: number }>, status = 200, times?: number): Promise<number> {
    const work = async () => {
      expect((await request()).status).toBe(status);
    };
    // Records of refusals are written a moment after the answer.
    return leastRoundTrips(server.core.stores, work, times, () => server.core.refusals.close());
  }

  const machine = { redirect_uris: [], grant_types: ['client_credentials'], scope: 'read' };

  test('client_credentials: none for a JWT, one for an opaque token', async () => {
    const client = await buildClient(server, machine);
    const own = (more: Record<string, string>) => () =>
      token(server, client, { grant_type: 'client_credentials', ...more });
    expect(await roundTrips(own({ scope: 'read', resource: api }))).toBe(0);
    expect(await roundTrips(own({}))).toBe(1);
  });

  test('DPoP: one more for each proof, and none for a client without one', async () => {
    const key = buildProofKey();
    const client = await buildClient(server, machine);
    const form = { grant_type: 'client_credentials', scope: 'read', resource: api };
    const proof = (method: string, path: string, accessToken?: string) =>
      proofOf(key, { method, url: server.core.config.issuer + path, accessToken });
    const machineToken = () => tokenWith(server, client, form, proof('POST', '/oauth/token'));
    expect(await roundTrips(machineToken)).toBe(1);
    const bound = (await machineToken()).body.access_token ?? '';
    const request = { method: 'GET', addresses: [`${server.core.config.issuer}/x`] };
    const verified = async () => {
      const proofs = [proof('GET', '/x', bound)];
      const { outcome } = await server.core.tokens.verifyAccessToken(bound, api, { ...request, proofs });
      return { status: outcome === 'valid' ? 200 : 401 };
    };
    expect(await roundTrips(verified)).toBe(1);
  });

  test('refresh: two, whether the token is kept or replaced', async () => {
    for (const metadata of [{}, { token_endpoint_auth_method: 'none' }]) {
      const client = await buildClient(server, metadata);
      let { body } = await tokensFor(server, client);
      const next = async () => {
        const answer = await refresh(server, client, body.refresh_token);
        body = answer.body;
        return answer;
      };
      expect(await roundTrips(next)).toBe(2);
    }
  });

  test('a device: two to begin, two for each poll, two for its tokens', async () => {
    const client = await buildClient(server, { ...deviceClient, token_endpoint_auth_method: 'client_secret_basic' });
    expect(await roundTrips(() => askToBegin(server, client, { scope: 'openid' }))).toBe(2);
    const codes = await begin(server, client);
    expect(await roundTrips(() => poll(server, client, codes), 400)).toBe(2);
    const [person, agent] = [await buildPerson(server), new Agent(server)];
    const allowed: Begun[] = [];
    for (let n = 0; n < few + 1; n += 1) {
      const begun = await begin(server, client);
      await allow(agent, person, begun.user_code);
      allowed.push(begun);
    }
    expect(await roundTrips(() => poll(server, client, allowed.pop() ?? codes), 200, few)).toBe(2);
  });

  test('redeeming a code: two', async () => {
    for (const metadata of [{}, { token_endpoint_auth_method: 'none' }]) {
      const client = await buildClient(server, metadata);
      const { agent, grant, person } = await codeFor(server, client);
      const codes = [grant];
      for (let more = 0; more < 3; more += 1) codes.push((await codeFor(server, client, { agent, person })).grant);
      expect(await roundTrips(() => redeem(server, client, codes.pop() ?? grant), 200, few)).toBe(2);
    }
  });

  test('authorization with a live session and consent: two', async () => {
    const client = await buildClient(server);
    const { agent } = await codeFor(server, client);
    const { challenge } = pkce();
    const query = new URLSearchParams({
      client_id: client.id,
      response_type: 'code',
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const go = async () => {
      const answer = await agent.go(`/oauth/authorize?${query}`, { follow: false });
      expect(codeOf(answer)).not.toBe('');
      return answer;
    };
    expect(await roundTrips(go, 303, few)).toBe(2);
  });

  test('introspection and userinfo: one; the user API: one', async () => {
    const client = await buildClient(server);
    const { body } = await tokensFor(server, client);
    const forUser = await tokensFor(server, client, { scope: 'user' });
    expect(await roundTrips(() => ask(server, 'introspect', client, body.access_token))).toBe(1);
    expect(await roundTrips(() => ask(server, 'introspect', client, body.refresh_token))).toBe(1);
    expect(await roundTrips(() => userinfo(server, body.access_token))).toBe(1);
    expect(
      await roundTrips(async () => ({ status: (await userApiTakes(server, forUser.body.access_token)) ? 200 : 401 })),
    ).toBe(1);
  });

  test('the groups of a person: one more where their scope is asked for, none elsewhere', async () => {
    const client = await buildClient(server);
    const { agent, grant, person, body } = await tokensFor(server, client, { scope: 'openid groups' });
    const group = await server.core.groups.add({ name: 'editors' });
    if (group.outcome === 'saved') await server.core.groups.join(group.group, person.subject);
    expect(await roundTrips(() => userinfo(server, body.access_token))).toBe(2);
    expect(await roundTrips(() => refresh(server, client, body.refresh_token))).toBe(3);
    const codes = [grant];
    for (let more = 0; more < 4; more += 1)
      codes.push((await codeFor(server, client, { agent, person, scope: 'openid groups' })).grant);
    expect(await roundTrips(() => redeem(server, client, codes.pop() ?? grant), 200, few)).toBe(3);
  });

  test('a login with a password: two, the account and the session with its refresh token and the record of it', async () => {
    const login = async (name: string, secret: string) => {
      const authorization = `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
      return fetch(`${server.url}/v1/login`, { headers: { authorization } });
    };
    const { username } = await buildPerson(server);
    expect(await roundTrips(() => login(username, password), 200, few)).toBe(2);
    // B6: a wrong password and an unknown name cost the same, the look-up; their record does not hold up the answer.
    for (const name of [username, 'nobody-at-all']) {
      const costs = await roundTrips(() => login(name, 'wrong'), name === username ? 401 : 404, few);
      expect([name, costs]).toEqual([name, expect.any(Number)]);
      expect(costs).toBeLessThanOrEqual(2);
    }
  });

  test('a first-party refresh: two; a verification: none', async () => {
    const person = await buildPerson(server);
    const caller = { via: 'identity', address: '192.0.2.1', requestId: 'r' };
    const signedIn = await server.core.apiSessions.login('identity', {
      username: person.username,
      password,
      ...caller,
    });
    if (signedIn.outcome !== 'signed-in') throw new Error(signedIn.outcome);
    let { refreshToken = '' } = signedIn;
    const refreshed = async () => {
      const authorization = `Bearer ${refreshToken}`;
      const answer = await fetch(`${server.url}/v1/token/refresh`, { headers: { authorization } });
      const body = (await answer.json()) as { jwt: { refresh_token: string } };
      refreshToken = body.jwt.refresh_token;
      return answer;
    };
    expect(await roundTrips(refreshed)).toBe(2);
    const authorization = `Bearer ${signedIn.token.token}`;
    expect(
      await roundTrips(() => fetch(`${server.url}/v1/verify`, { method: 'POST', headers: { authorization } })),
    ).toBe(0);
  });

  test('the end of a session: as many whether its applications have no back-channel logout or it has none', async () => {
    const { engine } = server.core.stores;
    // It would send in between.
    await server.app.sender.stop(0);
    const plain = await buildClient(server);
    const told = await buildClient(server, { backchannel_logout_uri: 'https://app.example.com/logout' });
    /** What it costs to end a session, and all of a person, in which these clients are. */
    const costs = async (...clients: string[]) => {
      const grants = Object.fromEntries(clients.map((id) => [id, `grant of ${id}`]));
      const began = async () => {
        const session = buildSession({ subject: randomToken(9), grants, sids: grants, expiresAt: 9e9 });
        await engine.commit({ sessions: [session] });
        return session;
      };
      let session = await began();
      const settle = async () => {
        session = await began();
      };
      const { stores } = server.core;
      const one = await leastRoundTrips(stores, () => engine.deleteSession(session.uid), few, settle);
      const all = await leastRoundTrips(stores, () => engine.endAll(session.subject ?? ''), few, settle);
      return [one, all];
    };
    const [one, all] = await costs();
    // begin, the session, the change log twice, commit; grants and tokens where all ends.
    expect([one, all]).toEqual([5, 7]);
    expect(await costs(plain.id)).toEqual([one, all]);
    // The delivery, and its note in the change log.
    expect(await costs(plain.id, told.id)).toEqual([8, 10]);
    await server.app.clients.remove(told.id);
  });

  test('refusals that look nothing up: none', async () => {
    const client = await buildClient(server);
    const wrong = { id: client.id, secret: 'wrong' };
    expect(await roundTrips(() => refresh(server, wrong, 'x'), 401, few)).toBe(0);
    const bad = () =>
      new Agent(server).go(
        `/oauth/authorize?client_id=${client.id}&response_type=code&redirect_uri=https://evil.example/`,
      );
    expect(await roundTrips(bad, 400, few)).toBe(0);
    expect(await roundTrips(() => fetch(`${server.url}/oauth/jwks`))).toBe(0);
  });
});
