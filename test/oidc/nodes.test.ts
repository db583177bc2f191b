/** Two servers over one database: what one knows the other knows within a second. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { codeFor, redeem, refresh, type TestClient, tokensFor, userApiTakes, userinfo } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const withinASecond = 1_000;

describeStorages('two nodes', (storage) => {
  let first: TestServer;
  let second: TestServer;
  beforeAll(async () => {
    first = await storage.start();
    second = await storage.join(first);
  });
  afterAll(() => first.close());

  const machine = {
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
  };
  async function tokenStatus(node: TestServer, client: TestClient): Promise<number> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.id,
      client_secret: client.secret ?? '',
    });
    return (await fetch(`${node.url}/oauth/token`, { method: 'POST', body: form })).status;
  }
  const authorizeStatus = async (node: TestServer, client: TestClient) =>
    (
      await new Agent(node).go(
        `/oauth/authorize?client_id=${client.id}&response_type=code&scope=openid&code_challenge=${'c'.repeat(43)}&code_challenge_method=S256`,
        { follow: false },
      )
    ).status;

  test('a client registered on one works on the other, even if the other has just said that there is none', async () => {
    const id = 'expected-soon';
    expect(await authorizeStatus(second, { id })).toBe(400);
    const made = await first.app.clients.register(
      { ...machine, client_name: 'Soon', redirect_uris: ['https://app.example.com/cb'] },
      { origin: 'admin', owner: null, id },
    );
    if (made.outcome !== 'registered') throw new Error(made.description);
    await eventually(
      'the other node knows the client',
      async () => (await authorizeStatus(second, { id })) === 303,
      withinASecond,
    );
  });

  test('disabled on one, it is refused on the other: at every endpoint, with every token; enabled it is back', async () => {
    const client = await buildClient(first, machine);
    const forUser = await tokensFor(first, client, { scope: 'user' });
    const oidc = await tokensFor(first, client);
    await eventually(
      'the other node serves it',
      async () => (await tokenStatus(second, client)) === 200,
      withinASecond,
    );
    await first.app.clients.disable(client.id);
    await eventually('refused', async () => (await tokenStatus(second, client)) === 401, withinASecond);
    expect(await authorizeStatus(second, client)).toBe(400);
    expect((await refresh(second, client, oidc.body.refresh_token)).status).toBe(401);
    expect((await userinfo(second, oidc.body.access_token)).status).toBe(401);
    expect(await userApiTakes(second, forUser.body.access_token)).toBe(false);
    await first.app.clients.enable(client.id);
    await eventually('back', async () => (await tokenStatus(second, client)) === 200, withinASecond);
    expect((await refresh(second, client, oidc.body.refresh_token)).status).toBe(200);
  });

  test('deleted on one, it and its tokens are gone on the other', async () => {
    const client = await buildClient(first, machine);
    const { body } = await tokensFor(first, client);
    const { grant } = await codeFor(first, client);
    await eventually(
      'the other node serves it',
      async () => (await userinfo(second, body.access_token)).status === 200,
      withinASecond,
    );
    expect(await first.app.clients.remove(client.id)).toBe(true);
    await eventually('refused', async () => (await tokenStatus(second, client)) === 401, withinASecond);
    expect((await userinfo(second, body.access_token)).status).toBe(401);
    expect((await redeem(second, client, grant)).status).toBe(401);
    expect(await authorizeStatus(second, client)).toBe(400);
  });

  test('a rotated secret works on the other', async () => {
    const client = await buildClient(first, machine);
    await eventually(
      'the other node serves it',
      async () => (await tokenStatus(second, client)) === 200,
      withinASecond,
    );
    const rotated = await first.app.clients.rotateSecret(client.id);
    if (rotated.outcome !== 'rotated') throw new Error(rotated.outcome);
    await eventually(
      'the new secret',
      async () => (await tokenStatus(second, { id: client.id, secret: rotated.secret })) === 200,
      withinASecond,
    );
  });

  test('a code of one node is redeemed on the other, once: of 60 tries over both exactly one succeeds', async () => {
    const client = await buildClient(first, machine);
    await eventually(
      'the other node serves it',
      async () => (await tokenStatus(second, client)) === 200,
      withinASecond,
    );
    const { grant } = await codeFor(first, client);
    const all = await Promise.all(Array.from({ length: 60 }, (_, i) => redeem(i % 2 ? first : second, client, grant)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(all.filter(({ status }) => status >= 500)).toHaveLength(0);
  });

  test('a person who is disabled on one node is unknown on the other', async () => {
    const client = await buildClient(first, machine);
    const { body, person } = await tokensFor(first, client, { scope: 'user' });
    const oidc = await tokensFor(first, client, { person });
    await eventually('the other node serves it', async () => userApiTakes(second, body.access_token), withinASecond);
    await first.core.stores.accounts.update(person.subject, { disabledAt: 1 }, 1);
    expect(await userApiTakes(second, body.access_token)).toBe(false);
    expect((await userinfo(second, oidc.body.access_token)).status).toBe(401);
    expect((await refresh(second, client, oidc.body.refresh_token)).body.error).toBe('invalid_grant');
  });
});
