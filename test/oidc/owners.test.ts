/**
 * S10: the applications of a person end with the account of that person, on every node and at every entry point, and
 * come back with it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commandLine } from '../cli/command-line.ts';
import { Agent, codeOf, pkce } from '../support/agent.ts';
import { bearer, call, posting } from '../support/call.ts';
import { ask, codeFor, isActive, redeem, refresh, tokensFor, userApiTakes, userinfo } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const withinASecond = 1_000;
const callback = 'https://app.example.com/cb';
const { challenge } = pkce();
const proof = { code_challenge: challenge, code_challenge_method: 'S256' };

type Person = Awaited<ReturnType<typeof buildPerson>>;
type Client = { readonly id: string; readonly secret: string };

describeStorages('the owner of an application', (storage) => {
  let first: TestServer;
  let second: TestServer;
  beforeAll(async () => {
    first = await storage.start();
    second = await storage.join(first);
  });
  afterAll(() => first.close());

  /** Given everything an application can have; only an operator can make one with a grant of its own. */
  async function application(owner: Person): Promise<Client> {
    const metadata = {
      client_name: 'Bookshelf',
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      post_logout_redirect_uris: [`${callback}/bye`],
    };
    const made = await first.app.clients.register(metadata, { origin: 'admin', owner: owner.subject });
    if (made.outcome !== 'registered') throw new Error(made.description);
    return { id: made.client.id, secret: made.secret ?? '' };
  }
  const machine = async (node: TestServer, client: Client) => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.id,
      client_secret: client.secret,
    });
    const answer = await fetch(`${node.url}/oauth/token`, { method: 'POST', body: form });
    return { status: answer.status, body: (await answer.json()) as { access_token?: string } };
  };
  const authorizeStatus = async (node: TestServer, client: Client) => {
    const query = { client_id: client.id, response_type: 'code', scope: 'openid', ...proof };
    const answer = await new Agent(node).go(`/oauth/authorize?${new URLSearchParams(query)}`, { follow: false });
    return answer.status;
  };
  const pairHeader = (token: string, jwt: string) => ['Authorization', `Bearer: ${token}:${jwt}`] as const;

  /** What a victim, and the application itself, hold when the owner's account changes. */
  async function everything(client: Client) {
    const forUser = await tokensFor(first, client, { scope: 'user' });
    const oidc = await tokensFor(first, client, { scope: 'openid offline_access', extra: { prompt: 'consent' } });
    const { grant: code } = await codeFor(first, client);
    const agent = new Agent(first);
    const person = await buildPerson(first);
    const query = { client_id: client.id, response_type: 'code', scope: 'openid', ...proof };
    const page = await agent.go(`/oauth/authorize?${new URLSearchParams(query)}`);
    const consent = await agent.submit(page, { username: person.username, password });
    expect(consent.text).toContain('value="allow"');
    const issued = await first.app.clients.issueToken(client.id, { label: '', lifetime: null });
    if (issued.outcome !== 'issued') throw new Error(issued.outcome);
    const guard = await call(first, {
      method: 'POST',
      path: '/space-guard/api/v1/register-client',
      headers: [['Authorization', `Bearer: ${issued.value}`]],
    });
    const { jwtAccessToken } = JSON.parse(guard.text).data as { jwtAccessToken: string };
    const { access_token: ofItsOwn } = (await machine(first, client)).body;
    return { forUser, oidc, code, agent, consent, ofItsOwn, clientToken: issued.value, guardAccess: jwtAccessToken };
  }
  type Everything = Awaited<ReturnType<typeof everything>>;

  /** By node, what each entry point says; a code is used up by a look at it, so it is not among these. */
  async function states(node: TestServer, client: Client, held: Everything): Promise<Record<string, unknown>> {
    const gate = async (query: string, header: readonly [string, string]) =>
      (await call(node, { path: `/gateway/verify/token?${query}`, headers: [header] })).status;
    const userApi = new URLSearchParams({ tokens: 'oauth', audience: `${first.url}/user` }).toString();
    const info = { path: '/user/info', headers: [bearer(held.forUser.body.access_token ?? '')] };
    return {
      machine: (await machine(node, client)).status,
      authorize: await authorizeStatus(node, client),
      refresh: (await refresh(node, client, held.oidc.body.refresh_token)).status,
      introspect: (await ask(node, 'introspect', client, held.oidc.body.access_token)).status,
      revoke: (await ask(node, 'revoke', client, 'no-such-token-at-this-server')).status,
      userinfo: (await userinfo(node, held.oidc.body.access_token)).status,
      userApi: (await call(node, info)).status,
      verified: await userApiTakes(node, held.forUser.body.access_token),
      gateway: await gate(userApi, bearer(held.forUser.body.access_token ?? '')),
      spaceGuard: await gate('tokens=space-guard', pairHeader(held.clientToken, held.guardAccess)),
    };
  }
  const working = {
    ...{ machine: 200, authorize: 303, refresh: 200, introspect: 200, revoke: 200, userinfo: 200 },
    ...{ userApi: 200, verified: true, gateway: 200, spaceGuard: 200 },
  };
  const ended = {
    ...{ machine: 401, authorize: 400, refresh: 401, introspect: 401, revoke: 401, userinfo: 401 },
    ...{ userApi: 401, verified: false, gateway: 401, spaceGuard: 401 },
  };

  test('S10: disabled, everything of the application is refused on both nodes; enabled, it is back', async () => {
    const owner = await buildPerson(first);
    const client = await application(owner);
    const held = await everything(client);
    for (const node of [first, second]) expect(await states(node, client, held)).toEqual(working);

    await first.core.accounts.disable(owner.subject);
    await eventually('the other node', async () => (await machine(second, client)).status === 401, withinASecond);
    for (const node of [first, second]) {
      expect(await states(node, client, held)).toEqual(ended);
      expect((await redeem(node, client, held.code)).status).toBe(401);
    }
    // A page that was open: the answer stays at this server.
    const resumed = await held.agent.submit(held.consent, { answer: 'allow' });
    expect([resumed.status, resumed.location]).toEqual([400, undefined]);

    await first.core.accounts.enable(owner.subject);
    await eventually('the other node', async () => (await machine(second, client)).status === 200, withinASecond);
    for (const node of [first, second]) expect(await states(node, client, held)).toEqual(working);
    expect((await redeem(second, client, held.code)).status).toBe(200);
  });

  test('S10: deleted, everything of the application is gone on both nodes, what others gave it too', async () => {
    const owner = await buildPerson(first);
    const client = await application(owner);
    const held = await everything(client);
    const { subject } = held.oidc.person;
    expect(await second.core.accounts.remove(owner.subject)).toBe('removed');
    await eventually('the first node', async () => (await machine(first, client)).status === 401, withinASecond);
    for (const node of [first, second]) expect(await states(node, client, held)).toEqual(ended);
    expect(await first.core.stores.consents.find(subject, client.id)).toBeUndefined();
    expect(await first.core.stores.engine.listGrants(subject, 100)).toEqual([]);
    const resumed = await held.agent.submit(held.consent, { answer: 'allow' });
    expect([resumed.status, resumed.location]).toEqual([400, undefined]);
  });

  test('S10: its tokens say nothing at another client that may introspect them', async () => {
    const owner = await buildPerson(first);
    const client = await application(owner);
    const reader = await buildClient(first);
    const identifier = `https://api.example/${client.id}`;
    const added = await first.core.apis.add({
      ...{ identifier, name: 'Books', tokenFormat: 'opaque', introspectors: [reader.id] },
      scopes: [{ name: 'books:read', sentence: 'See your books' }],
    });
    expect(added.outcome).toBe('saved');
    const { grant } = await codeFor(first, client, { scope: 'books:read', extra: { resource: identifier } });
    const { body } = await redeem(first, client, grant, { resource: identifier });
    const active = (node: TestServer) => isActive(node, reader, body.access_token);
    expect(await active(first)).toBe(true);
    // The API was added a moment ago.
    await eventually('the other node', async () => (await active(second)) === true, withinASecond);
    await first.core.accounts.disable(owner.subject);
    await eventually('the other node', async () => (await active(second)) === false, withinASecond);
    expect(await active(first)).toBe(false);
    await first.core.accounts.enable(owner.subject);
    await eventually('the other node', async () => (await active(second)) === true, withinASecond);
  });

  test('S10: what the person registered by a program, and another person’s token for it', async () => {
    const owner = await buildPerson(first);
    const victim = await buildPerson(first);
    const login = async ({ username }: Person) =>
      JSON.parse((await call(first, posting('/login', { username, password }))).text).token as string;
    const token = await login(owner);
    const made = await call(first, posting('/client', { name: 'Books', redirect_uri: callback }, bearer(token)));
    const { client_id: id, client_secret: secret } = JSON.parse(made.text);
    const { body } = await tokensFor(first, { id, secret }, { person: victim, scope: 'user' });
    const theirs = await login(victim);
    const query = new URLSearchParams({ response_type: 'code', client_id: id, redirect_uri: callback });
    const byProgram = async (node: TestServer) =>
      (await call(node, { path: `/authorize?${query}`, headers: [bearer(theirs)] })).status;
    expect([await byProgram(first), await byProgram(second)]).toEqual([302, 302]);
    await first.core.accounts.disable(owner.subject);
    await eventually('the other node', async () => (await byProgram(second)) === 400, withinASecond);
    expect(await byProgram(first)).toBe(400);
    for (const node of [first, second])
      expect((await refresh(node, { id, secret }, body.refresh_token)).status).toBe(401);
    // The victim's own session is untouched.
    expect(codeOf(await new Agent(first).authorize(victim, await plainRequest()))).not.toBe('');
  });
  const plainRequest = async () => ({ client_id: (await buildClient(first)).id, scope: 'openid', ...proof });

  test('S10: an application that was disabled itself stays so when its owner comes back', async () => {
    const owner = await buildPerson(first);
    const client = await application(owner);
    await first.app.clients.disable(client.id);
    await first.core.accounts.disable(owner.subject);
    const enabled = await first.app.clients.enable(client.id);
    // Its own switch is on again; the account still keeps it out.
    expect(enabled).toMatchObject({ client: { ownDisabledAt: null, disabledAt: expect.any(Number) } });
    expect((await machine(first, client)).status).toBe(401);
    await first.app.clients.disable(client.id);
    await first.core.accounts.enable(owner.subject);
    expect((await machine(first, client)).status).toBe(401);
    expect((await first.app.clients.enable(client.id)).outcome).toBe('updated');
    expect((await machine(first, client)).status).toBe(200);
  });

  test('S10: a change of the application while the owner is disabled neither enables it nor disables it for good', async () => {
    const owner = await buildPerson(first);
    const client = await application(owner);
    await first.core.accounts.disable(owner.subject);
    const rotated = await first.app.clients.rotateSecret(client.id);
    if (rotated.outcome !== 'rotated') throw new Error(rotated.outcome);
    const now = { id: client.id, secret: rotated.secret };
    expect((await machine(first, now)).status).toBe(401);
    await first.core.accounts.enable(owner.subject);
    expect((await machine(first, now)).status).toBe(200);
  });

  describe('by the command line, beside the servers', () => {
    test('S10: accounts disable, enable and delete', async () => {
      const cli = commandLine(first.env);
      const owner = await buildPerson(first);
      const client = await application(owner);
      for (const node of [first, second]) expect((await machine(node, client)).status).toBe(200);
      const both = (status: number) =>
        eventually(
          `both answer ${status}`,
          async () => {
            const all = await Promise.all([first, second].map((node) => machine(node, client)));
            return all.every((answer) => answer.status === status);
          },
          withinASecond,
        );
      await cli.json('accounts', 'disable', owner.username);
      await both(401);
      expect(await cli.json('clients', 'show', client.id)).toMatchObject({
        disabled_at: expect.any(Number),
        reviewed_at: expect.any(Number),
      });
      const { out } = await cli('clients', 'show', client.id);
      expect(out).toMatch(/Status +disabled since .*, with the account of its owner/);
      await cli.json('accounts', 'enable', owner.username);
      await both(200);
      await cli.json('accounts', 'delete', owner.username, '--yes');
      await both(401);
    });
  });
});
