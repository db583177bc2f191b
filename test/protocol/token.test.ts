import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, codeOf, pkce, token } from '../support/agent.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

async function codeFor(client: { id: string }, scope = 'openid', extra: Record<string, string> = {}) {
  const person = await buildPerson(server);
  const { verifier, challenge } = pkce();
  const agent = new Agent(server);
  const answer = await agent.authorize(person, {
    client_id: client.id,
    scope,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...extra,
  });
  return { code: codeOf(answer), code_verifier: verifier, person, agent };
}

describe('authorization code', () => {
  test('C2: of 200 concurrent redemptions exactly one succeeds, and what it got is dead afterwards', async () => {
    const client = await buildClient(server);
    const { code, code_verifier } = await codeFor(client);
    const all = await Promise.all(
      Array.from({ length: 200 }, () =>
        token(server, client, { grant_type: 'authorization_code', code, code_verifier }),
      ),
    );
    const won = all.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(all.filter(({ status, body }) => status === 400 && body.error === 'invalid_grant')).toHaveLength(199);
    const refreshed = await token(server, client, {
      grant_type: 'refresh_token',
      refresh_token: won[0]?.body.refresh_token ?? '',
    });
    expect(refreshed.body.error).toBe('invalid_grant');
    const userinfo = await fetch(`${server.url}/oauth/userinfo`, {
      headers: { authorization: `Bearer ${won[0]?.body.access_token}` },
    });
    expect(userinfo.status).toBe(401);
  });
});

describe('refresh token of a public client', () => {
  test('C10: 50 concurrent refreshes give one successor, and the client can go on', async () => {
    const client = await buildClient(server, { token_endpoint_auth_method: 'none' });
    const { code, code_verifier } = await codeFor(client);
    const first = await token(server, client, { grant_type: 'authorization_code', code, code_verifier });
    const all = await Promise.all(
      Array.from({ length: 50 }, () =>
        token(server, client, { grant_type: 'refresh_token', refresh_token: first.body.refresh_token ?? '' }),
      ),
    );
    expect(all.filter(({ status }) => status >= 500)).toHaveLength(0);
    const successors = new Set(all.filter(({ status }) => status === 200).map(({ body }) => body.refresh_token));
    expect(successors.size).toBe(1);
    const [next] = successors;
    expect((await token(server, client, { grant_type: 'refresh_token', refresh_token: next ?? '' })).status).toBe(200);
  });
});
