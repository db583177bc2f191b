/** Redeeming an authorization code: once, by its client, with its proof, in time. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, codeOf, pkce } from '../support/agent.ts';
import {
  atOnce,
  claimsOf,
  codeFor,
  comeBack,
  isActive,
  redeem,
  refresh,
  tokensFor,
  travel,
  userApiTakes,
  userinfo,
} from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const registered = 'https://app.example.com/cb';

describeStorages('authorization code', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  test('C1: a second use is invalid_grant and ends everything the first one gave; noted once, also minutes later', async () => {
    const client = await buildClient(server);
    // A code ends after a minute, and what it was redeemed for later.
    for (const later of [0, 30, 300]) {
      const { grant, body, person } = await tokensFor(server, client);
      const other = await tokensFor(server, client, { person });
      expect((await userinfo(server, body.access_token)).status).toBe(200);
      travel(later);
      expect((await redeem(server, client, grant)).body).toMatchObject({ error: 'invalid_grant' });
      expect((await userinfo(server, body.access_token)).status).toBe(401);
      expect(await isActive(server, client, body.access_token)).toBe(false);
      expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
      // The person's other device has a grant of its own.
      expect((await refresh(server, client, other.body.refresh_token)).status).toBe(200);
      comeBack();
    }
    await eventually('the replays are in the audit log', async () => {
      const noted = await server.core.stores.audit.list({ event: 'grant.replayed' }, 10);
      return noted.filter(({ clientId, subject }) => clientId === client.id && subject !== null).length === 3;
    });
  });

  test('C1: a JWT of the first use is refused at our own endpoints as well', async () => {
    const client = await buildClient(server);
    const { grant, body } = await tokensFor(server, client, { scope: 'user' });
    expect(await userApiTakes(server, body.access_token)).toBe(true);
    await redeem(server, client, grant);
    expect(await userApiTakes(server, body.access_token)).toBe(false);
  });

  test('C2: of 200 concurrent redemptions exactly one succeeds, and what it got is dead afterwards', async () => {
    const client = await buildClient(server);
    const { grant } = await codeFor(server, client);
    const { all, turnedAway } = await atOnce(200, () => redeem(server, client, grant));
    const won = all.filter(({ status }) => status === 200);
    // Of those that a busy machine turned away, one may have been the first.
    if (turnedAway > 0) expect(won.length).toBeLessThanOrEqual(1);
    else expect(won).toHaveLength(1);
    const lost = all.filter(({ status, body }) => status === 400 && body.error === 'invalid_grant');
    expect(lost).toHaveLength(all.length - won.length);
    await eventually('the replay is in the audit log, once', async () => {
      const noted = await server.core.stores.audit.list({ event: 'grant.replayed', clientId: client.id }, 10);
      return noted.length === 1;
    });
    for (const { body } of won) {
      expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
      expect((await userinfo(server, body.access_token)).status).toBe(401);
    }
  });

  test('C3: expired, of another client, and both: all refused, and the owner can still redeem', async () => {
    const [client, other] = [await buildClient(server), await buildClient(server)];
    const { grant } = await codeFor(server, client);
    expect((await redeem(server, other, grant)).body.error).toBe('invalid_grant');
    travel(61);
    expect((await redeem(server, other, grant)).body.error).toBe('invalid_grant');
    expect((await redeem(server, client, grant)).body.error).toBe('invalid_grant');
    comeBack();
    expect((await redeem(server, client, grant)).status).toBe(200);
  });

  test('A11: a code ends after its 60 seconds', async () => {
    const client = await buildClient(server);
    expect(server.core.config.lifetimes.authorizationCode).toBeLessThanOrEqual(60);
    const [early, late] = [await codeFor(server, client), await codeFor(server, client)];
    travel(55);
    expect((await redeem(server, client, early.grant)).status).toBe(200);
    travel(10);
    expect((await redeem(server, client, late.grant)).body.error).toBe('invalid_grant');
  });

  test('C4: without the right verifier the code is worth nothing, and a wrong try burns nothing', async () => {
    const client = await buildClient(server);
    const { grant } = await codeFor(server, client);
    const wrong = {
      missing: undefined,
      empty: '',
      another: pkce().verifier,
      'the challenge itself': 'x'.repeat(43),
      '42 characters': 'a'.repeat(42),
      '129 characters': 'a'.repeat(129),
      'another alphabet': `${'a'.repeat(42)}ü`,
      'with a line break': `${grant.code_verifier}\n`,
    };
    for (const [name, code_verifier] of Object.entries(wrong)) {
      const { status, body } = await redeem(server, client, {
        code: grant.code,
        ...(code_verifier === undefined ? {} : { code_verifier }),
      });
      expect({ name, status, error: body.error }).toEqual({
        name,
        status: 400,
        error: expect.stringMatching(/^invalid_(grant|request)$/),
      });
    }
    expect((await redeem(server, client, grant)).status).toBe(200);
  });

  test('C4: a verifier where no challenge was sent is refused', async () => {
    const client = await buildClient(server, { require_pkce: false });
    const answer = await new Agent(server).authorize(await buildPerson(server), {
      client_id: client.id,
      scope: 'openid',
    });
    const code = codeOf(answer);
    expect((await redeem(server, client, { code, code_verifier: pkce().verifier })).body.error).toBe('invalid_grant');
    expect((await redeem(server, client, { code })).status).toBe(200);
  });

  test('C5: another redirect_uri is invalid_grant; none is fine with one registered address, an error with two', async () => {
    const two = await buildClient(server, { redirect_uris: [registered, 'https://app.example.com/other'] });
    const inRequest = { extra: { redirect_uri: registered } };
    const first = await codeFor(server, two, inRequest);
    for (const redirect_uri of ['https://app.example.com/other', `${registered}/`, 'https://evil.example/']) {
      expect((await redeem(server, two, first.grant, { redirect_uri })).body.error).toBe('invalid_grant');
    }
    expect((await redeem(server, two, first.grant)).body.error).toBe('invalid_request');
    expect((await redeem(server, two, first.grant, { redirect_uri: registered })).status).toBe(200);

    const one = await buildClient(server);
    const second = await codeFor(server, one, inRequest);
    expect((await redeem(server, one, second.grant)).status).toBe(200);
  });

  test('a code given while the client is disabled, or deleted afterwards, is not redeemed', async () => {
    const client = await buildClient(server);
    const { grant } = await codeFor(server, client);
    await server.app.clients.disable(client.id);
    expect((await redeem(server, client, grant)).status).toBe(401);
    await server.app.clients.enable(client.id);
    expect((await redeem(server, client, grant)).status).toBe(200);
  });

  test('the code is answered in the contract’s words: a program of the original without redirect_uri, PKCE and scope', async () => {
    const client = await buildClient(server, {}, 'register');
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const answer = await agent.authorize(person, { client_id: client.id, state: 'its-state' });
    expect(new URL(answer.location ?? '').searchParams.get('state')).toBe('its-state');
    const { status, body, headers } = await redeem(server, client, {}, { authorization_code: codeOf(answer) });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        success: true,
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        refresh_token: expect.stringMatching(/^[\w-]{43}$/),
        token_type: 'Bearer',
        expires_in: 600,
        scope: 'user',
        username: person.username,
        expiry: claimsOf(body.access_token).exp,
      },
    });
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await userApiTakes(server, body.access_token)).toBe(true);

    const again = await refresh(server, client, body.refresh_token);
    expect(again.body).toEqual({
      ...body,
      access_token: expect.any(String),
      expiry: claimsOf(again.body.access_token).exp,
    });
    // In development the answer says more.
    expect((await refresh(server, client, 'nothing')).body).toMatchObject({
      success: false,
      error: 'invalid_grant',
      error_description: expect.any(String),
    });
  });
});

describe('answers', () => {
  test('both names of the code at once are refused', async () => {
    const { startServer } = await import('../support/server.ts');
    const server = await startServer();
    try {
      const client = await buildClient(server);
      const { grant } = await codeFor(server, client);
      const { body } = await redeem(server, client, grant, { authorization_code: grant.code });
      expect(body.error).toBe('invalid_request');
    } finally {
      await server.close();
    }
  });
});
