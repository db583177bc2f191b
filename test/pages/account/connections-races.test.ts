/**
 * An application is disconnected while it is being given tokens: whatever it was answered, nothing of it is good once the person has
 * been told that it has no access any more.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Agent, pkce } from '../../support/agent.ts';
import { codeFor, isActive, redeem, refresh, type TestClient, tokensFor, userApiTakes } from '../../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { send, visit } from './visitor.ts';

const rounds = 6;
const page = '/account/connections';
const callback = 'https://app.example.com/cb';

describeStorages('disconnecting an application that is at work', (storage) => {
  let server: TestServer;
  let second: TestServer;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '100000' });
    second = await storage.join(server);
  });
  afterAll(() => server.close());

  /** A person's own pages, ready to disconnect. */
  async function ready(person: Awaited<ReturnType<typeof buildPerson>>, client: TestClient) {
    const { agent } = await visit(server, '/account', person);
    const asked = await agent.go(`${page}/end?client=${client.id}`);
    return async () => expect((await send(agent, asked, `${page}/end`, { client: client.id })).status).toBe(200);
  }

  /** Of these answers' tokens those that still open something. */
  async function usable(client: TestClient, answers: readonly { body: Record<string, unknown> }[]) {
    const good: string[] = [];
    for (const { body } of answers) {
      const [access, again] = [body.access_token, body.refresh_token].map(
        (value) => value && String(value),
      ) as string[];
      if (access && (await userApiTakes(second, access))) good.push('access token at the user API');
      if (access && (await isActive(second, client, access))) good.push('access token');
      if (again && (await refresh(second, client, again)).status === 200) good.push('refresh token');
    }
    return good;
  }

  for (const [kind, metadata] of [
    ['confidential', {}],
    ['public', { token_endpoint_auth_method: 'none', application_type: 'native', redirect_uris: [callback] }],
  ] as const) {
    test(`refreshes and code exchanges of a ${kind} one leave nothing usable`, async () => {
      const made = await buildClient(server, metadata);
      const client = kind === 'public' ? { id: made.id } : made;
      for (let round = 0; round < rounds; round++) {
        const person = await buildPerson(server);
        const asking = { person, extra: { prompt: 'consent' } };
        const opaque = await tokensFor(server, client, { ...asking, scope: 'openid offline_access' });
        const api = await tokensFor(server, client, { ...asking, scope: 'user' });
        const codes = [
          await codeFor(server, client, { ...asking, scope: 'user' }),
          await codeFor(server, client, { ...asking, scope: 'openid offline_access' }),
        ];
        const disconnect = await ready(person, client);
        const [, ...answers] = await Promise.all([
          disconnect(),
          ...[opaque, api].map(({ body }, n) => refresh(n === 0 ? second : server, client, body.refresh_token)),
          ...codes.map(({ grant }, n) => redeem(n === 0 ? second : server, client, grant)),
        ]);
        expect(await usable(client, [opaque, api, ...answers])).toEqual([]);
      }
    });
  }

  test('a code that it gets at the same moment, by what was agreed to before, leaves nothing usable', async () => {
    const client = await buildClient(server);
    for (let round = 0; round < rounds; round++) {
      const person = await buildPerson(server);
      await tokensFor(server, client, { person, scope: 'user', extra: { prompt: 'consent' } });
      // A browser of its own that has no grant yet: it is made of the consent.
      const browsers = [await visit(server, '/account', person), await visit(server, '/account', person)];
      const disconnect = await ready(person, client);
      const { verifier, challenge } = pkce();
      const silently = async (agent: Agent) => {
        const query = { response_type: 'code', client_id: client.id, scope: 'user', prompt: 'none' };
        const proof = { code_challenge: challenge, code_challenge_method: 'S256' };
        const { location } = await agent.go(`/oauth/authorize?${new URLSearchParams({ ...query, ...proof })}`, {
          follow: false,
        });
        return new URL(location ?? server.url).searchParams.get('code');
      };
      const [, ...codes] = await Promise.all([disconnect(), ...browsers.map(({ agent }) => silently(agent))]);
      const redeemed = codes
        .filter(Boolean)
        .map((code) => redeem(server, client, { code: code ?? '', code_verifier: verifier }));
      expect(await usable(client, await Promise.all(redeemed))).toEqual([]);
    }
  });

  test('a code that a program gets in the person’s place at the same moment brings no older token back', async () => {
    const client = await buildClient(server, {}, 'person');
    for (let round = 0; round < rounds; round++) {
      const person = await buildPerson(server);
      const login = await server.core.apiSessions.login('tinyoauth', {
        ...{ username: person.username, password, address: '192.0.2.7', via: 'tinyoauth', requestId: 'r' },
      });
      if (login.outcome !== 'signed-in') throw new Error(login.outcome);
      const codeByProgram = async (scope: string) => {
        const query = new URLSearchParams({ response_type: 'code', client_id: client.id, scope });
        const headers = { authorization: `Bearer ${login.token.token}` };
        const answer = await fetch(`${server.url}/authorize?${query}`, { headers, redirect: 'manual' });
        return new URL(answer.headers.get('location') ?? server.url).searchParams.get('code') ?? '';
      };
      const older = await redeem(server, client, { code: await codeByProgram('user') });
      expect(await userApiTakes(second, older.body.access_token)).toBe(true);
      const disconnect = await ready(person, client);
      // It asks for more than before, so that the grant is written once more.
      await Promise.all([disconnect(), codeByProgram('user openid email')]);
      expect(await usable(client, [older])).toEqual([]);
    }
  });
});
