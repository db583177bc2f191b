/** OpenID Connect Back-Channel Logout 1.0: every end of a session reaches the applications that asked to hear of it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { commandLine } from '../cli/command-line.ts';
import { confirm, open, send, visit } from '../pages/account/visitor.ts';
import { Agent } from '../support/agent.ts';
import { claimsOf, headerOf, refresh, tokensFor, userinfo } from '../support/flow.ts';
import { type Receiver, reachable, startReceiver } from '../support/receiver.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';

describeStorages('back-channel logout', (storage) => {
  let server: TestServer;
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
    server = await storage.start(reachable);
  });
  afterAll(async () => {
    await server.close();
    await receiver.close();
  });

  let applications = 0;
  async function application(metadata: Record<string, unknown> = {}) {
    applications += 1;
    const path = `/app-${applications}`;
    const client = await buildClient(server, { backchannel_logout_uri: receiver.at(path), ...metadata });
    return { client, path };
  }

  /** The tokens at this path, once there are so many. */
  async function arrived(path: string, count = 1) {
    await eventually(`${count} at ${path}`, () => receiver.tokens(path).length >= count);
    return receiver.claims(path);
  }

  const logout = async (agent: Agent, answer?: Record<string, string>, parameters: Record<string, string> = {}) =>
    agent.confirmLogout(await agent.go(`/oauth/logout?${new URLSearchParams(parameters)}`), answer);

  describe('what an application is told', () => {
    test('discovery names it; ID tokens of clients with a URI carry a sid that stays, those of others none', async () => {
      const discovery = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
      expect(discovery).toMatchObject({
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
      });

      const { client } = await application();
      const { agent, person, body } = await tokensFor(server, client);
      const { sid } = claimsOf(body.id_token);
      expect(sid).toEqual(expect.stringMatching(/^.{16,}$/));
      const refreshed = await refresh(server, client, body.refresh_token);
      expect(claimsOf(refreshed.body.id_token).sid).toBe(sid);
      const again = await tokensFor(server, client, { agent, person });
      expect(claimsOf(again.body.id_token).sid).toBe(sid);
      const elsewhere = await tokensFor(server, client, { person });
      expect(claimsOf(elsewhere.body.id_token).sid).not.toBe(sid);

      // One session has a name of its own at each client, so that two clients cannot compare notes.
      const other = await application({ backchannel_logout_session_required: true });
      const theirs = await tokensFor(server, other.client, { agent, person });
      expect(claimsOf(theirs.body.id_token).sid).not.toBe(sid);
      const plain = await tokensFor(server, await buildClient(server), { agent, person });
      expect(claimsOf(plain.body.id_token)).not.toHaveProperty('sid');
    });

    test.each(['RS256', 'ES256'])(
      'F4: the token is a logout token, signed with %s as the ID tokens are',
      async (alg) => {
        const { client, path } = await application({ id_token_signed_response_alg: alg });
        const { agent, person, body } = await tokensFor(server, client);
        const before = Math.floor(Date.now() / 1000);
        await logout(agent);
        const [claims = {}] = await arrived(path);
        const after = Math.floor(Date.now() / 1000);
        const [token = ''] = receiver.tokens(path);
        const keys = createRemoteJWKSet(new URL(`${server.url}/oauth/jwks`));
        const verified = await jwtVerify(token, keys, {
          ...{ issuer: server.url, audience: client.id, typ: 'logout+jwt', algorithms: [alg] },
          requiredClaims: ['iat', 'exp', 'jti', 'events', 'sub', 'sid'],
        });
        expect(verified.payload).toEqual({
          ...{ iss: server.url, aud: client.id, sub: person.subject, sid: claimsOf(body.id_token).sid },
          ...{ iat: expect.any(Number), exp: expect.any(Number), jti: expect.any(String), events: { [event]: {} } },
        });
        expect(verified.payload).not.toHaveProperty('nonce');
        expect(headerOf(token)).toEqual({ alg, typ: 'logout+jwt', kid: expect.any(String) });
        expect(claims.iat).toBeGreaterThanOrEqual(before);
        expect(claims.iat).toBeLessThanOrEqual(after);
        expect(Number(claims.exp) - Number(claims.iat)).toBeLessThanOrEqual(120);
        expect(receiver.requests.find((request) => request.path === path)).toEqual({
          ...{ method: 'POST', path, type: 'application/x-www-form-urlencoded' },
        });
        // None of this server's endpoints takes it for another token.
        expect((await userinfo(server, token)).status).toBe(401);
        const hint = await agent.go(`/oauth/logout?${new URLSearchParams({ id_token_hint: token })}`);
        expect(hint.text).not.toContain('data-auto');
      },
    );
  });

  describe('what ends a session', () => {
    /** A person who is signed in at two applications, one of which wants to hear of it. */
    async function signedIn(at?: Awaited<ReturnType<typeof application>>) {
      const { client, path } = at ?? (await application());
      const quiet = await buildClient(server);
      const { agent, person, body } = await tokensFor(server, client);
      await tokensFor(server, quiet, { agent, person });
      return { agent, person, client, path, quiet, sid: claimsOf(body.id_token).sid, body };
    }

    async function toldOnce({ path, sid, person }: Awaited<ReturnType<typeof signedIn>>): Promise<void> {
      expect(await arrived(path)).toMatchObject([{ sid, sub: person.subject }]);
      await eventually('the answer is stored, and nothing else waits', async () => {
        const all = await server.core.stores.deliveries.list({ state: 'waiting' }, 1000);
        return all.every(({ facts }) => facts.sub !== person.subject);
      });
      expect(receiver.tokens(path)).toHaveLength(1);
    }

    test('signing out in the browser', async () => {
      const { agent, ...who } = await signedIn();
      await logout(agent);
      await toldOnce({ agent, ...who });
    });

    test('signing out of one application and staying signed in: that application alone', async () => {
      const other = await application();
      const { agent, client, ...who } = await signedIn();
      await tokensFor(server, other.client, { agent, person: who.person });
      await logout(agent, {}, { client_id: client.id });
      await toldOnce({ agent, client, ...who });
      expect(receiver.tokens(other.path)).toEqual([]);
    });

    test('ending one session, and all others, on the account page', async () => {
      const elsewhere = await signedIn();
      const here = await visit(server, '/account/sessions', elsewhere.person);
      const sessions = await server.core.sessions.list(elsewhere.person.subject);
      const stored = await Promise.all(sessions.map(({ uid }) => server.core.stores.engine.readSessionByUid(uid)));
      const uid = stored.find((bundle) => bundle?.session.sids[elsewhere.client.id])?.session.uid ?? '';
      await confirm(here.agent, '/account/sessions/end', { session: uid });
      await toldOnce(elsewhere);

      const more = await tokensFor(server, elsewhere.client, { person: elsewhere.person });
      await confirm(here.agent, '/account/sessions/end-others');
      const [, second] = await arrived(elsewhere.path, 2);
      expect(second?.sid).toBe(claimsOf(more.body.id_token).sid);
    });

    test('the command line, beside the server: within a second', async () => {
      const cli = commandLine({ ...server.env });
      const one = await signedIn();
      const [session] = await server.core.sessions.list(one.person.subject);
      expect((await cli('sessions', 'end', '--', one.person.username, session?.uid ?? '')).code).toBe(0);
      await eventually('told', () => receiver.tokens(one.path).length === 1, 1000);
      await toldOnce(one);
      const all = await signedIn();
      expect((await cli('sessions', 'end-all', all.person.username, '--yes')).code).toBe(0);
      await eventually('told', () => receiver.tokens(all.path).length === 1, 1000);
      await toldOnce(all);
    });

    test('an administrator who disables or deletes the account, and the person who deletes it', async () => {
      const disabled = await signedIn();
      await server.core.accounts.disable(disabled.person.subject);
      await toldOnce(disabled);
      const deleted = await signedIn();
      await server.core.accounts.remove(deleted.person.subject);
      await toldOnce(deleted);
      const own = await signedIn();
      const { agent, page } = await visit(server, '/account/delete', own.person);
      expect((await send(agent, page, '/account/delete', { username: own.person.username })).status).toBe(200);
      expect(await server.core.accounts.findBySubject(own.person.subject)).toBeUndefined();
      await toldOnce(own);
    });

    test('a changed password: every other session', async () => {
      const elsewhere = await signedIn();
      const agent = new Agent(server);
      const page = await open(agent, elsewhere.person, '/account/password');
      const next = 'eleven plums over slate';
      const changed = await send(agent, page, '/account/password', { current: password, password: next, again: next });
      expect(changed.status).toBe(200);
      await toldOnce(elsewhere);
    });

    test('a consent that is taken back', async () => {
      const { agent, person, client, ...who } = await signedIn();
      await open(agent, person, '/account/connections');
      await confirm(agent, '/account/connections/end', { client: client.id });
      await toldOnce({ agent, person, client, ...who });
    });

    test('another person who signs in in the same browser', async () => {
      const { agent, client, ...who } = await signedIn();
      const other = await buildPerson(server);
      const query = { client_id: client.id, response_type: 'code', scope: 'openid', prompt: 'login' };
      const challenge = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };
      const page = await agent.go(`/oauth/authorize?${new URLSearchParams({ ...query, ...challenge })}`);
      const answer = await agent.submit(page, { username: other.username, password });
      if (answer.text.includes('name="xsrf"')) await agent.confirmLogout(answer);
      await toldOnce({ agent, client, ...who });
    });

    test('what does not: a refreshed token, another application that asks, a restart of the browser flow', async () => {
      const { agent, person, path, client, body } = await signedIn();
      await refresh(server, client, body.refresh_token);
      await tokensFor(server, client, { agent, person });
      await tokensFor(server, await buildClient(server), { agent, person });
      await server.app.sender.once();
      expect(receiver.tokens(path)).toEqual([]);
    });
  });

  test('two nodes: a session that ends on one is told once, by whichever sends', async () => {
    const other = await storage.join(server, reachable);
    const { client, path } = await application();
    const sids: unknown[] = [];
    for (let n = 0; n < 6; n += 1) {
      const { agent, body } = await tokensFor(server, client);
      sids.push(claimsOf(body.id_token).sid);
      const at = n % 2 === 0 ? agent : Object.assign(new Agent(other), { cookies: agent.cookies });
      await logout(at);
    }
    await arrived(path, 6);
    await eventually('all are settled', async () => {
      const all = await other.core.stores.deliveries.list({ clientId: client.id }, 10);
      return all.length === 6 && all.every(({ state, attempts }) => state === 'delivered' && attempts === 1);
    });
    expect(
      receiver
        .claims(path)
        .map(({ sid }) => sid)
        .toSorted(),
    ).toEqual(sids.toSorted());
  });

  test('RFC: a refresh token without offline_access ends with the session, one with it stays', async () => {
    const { client, path } = await application();
    const { agent, person, body } = await tokensFor(server, client);
    const extra = { prompt: 'consent' };
    const lasting = await tokensFor(server, client, { person, agent, scope: 'openid offline_access', extra });
    await logout(agent);
    await arrived(path);
    expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(server, client, lasting.body.refresh_token)).status).toBe(200);
  });
});
