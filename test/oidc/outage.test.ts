/** The database goes away and comes back: what is answered until then, and that nothing has to be restarted. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Unavailable } from '../../src/base/errors.ts';
import { deviceGrant } from '../../src/core/clients/metadata/device-grant.ts';
import { Agent, basic } from '../support/agent.ts';
import { describePostgres } from '../support/databases.ts';
import { buildProofKey, proofOf, tokenWith } from '../support/dpop.ts';
import { codeFor, redeem, refresh, tokensFor, userinfo } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, password, startServer, type TestServer } from '../support/server.ts';
import { type OwnPostgres, ownPostgres } from '../support/services.ts';

const caller = { via: 'browser', address: '192.0.2.7', requestId: 'test' };

describePostgres('while the database is away', () => {
  let postgres: OwnPostgres;
  let server: TestServer;
  beforeAll(async () => {
    const own = await ownPostgres();
    if (!own) throw new Error('TEST_DATABASE_URL is set, but there is no Postgres on this machine to stop');
    postgres = own;
    server = await startServer({ env: { DATABASE_URL: await postgres.database() } });
  }, 60_000);
  afterAll(async () => {
    await server?.close();
    await postgres?.close();
  });

  test('K3: 503 with Retry-After at every door, never invalid_client; documents from memory; afterwards everything goes on', async () => {
    const grant_types = ['authorization_code', 'refresh_token', deviceGrant];
    const client = await buildClient(server, { grant_types });
    const { agent, body, person } = await tokensFor(server, client);
    const { grant } = await codeFor(server, client);
    const query = new URLSearchParams({
      client_id: client.id,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    });
    const stranger = new Agent(server);
    const login = await stranger.go(`/oauth/authorize?${query}`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(login.text)?.[1] ?? '';
    const documents = ['/.well-known/openid-configuration', '/oauth/jwks'];
    for (const path of documents) expect((await fetch(server.url + path)).status).toBe(200);

    const api = 'https://api.example.com';
    await server.core.apis.add({ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }] });
    const machine = await buildClient(server, {
      redirect_uris: [],
      grant_types: ['client_credentials'],
      scope: 'read',
    });
    const key = buildProofKey();
    const forMachine = { grant_type: 'client_credentials', resource: api, scope: 'read' };
    const boundToken = () => tokenWith(server, machine, forMachine, proofOf(key, { url: `${server.url}/oauth/token` }));
    const bound = (await boundToken()).body.access_token ?? '';

    const session = { door: 'tinyoauth', holder: { account: person }, lifetime: 600, caller };
    const { uid: sessionUid } = await server.core.sessions.begin(session);

    await postgres.stopImmediately();

    // Neither needs the database without a proof; whether a proof was used before only the database can say.
    const unproven = await boundToken();
    expect([unproven.status, unproven.body.error]).toEqual([503, 'temporarily_unavailable']);
    const at = { method: 'GET', addresses: ['https://api.example.com/x'] };
    const proof = proofOf(key, { method: 'GET', url: 'https://api.example.com/x', accessToken: bound });
    await expect(server.core.tokens.verifyAccessToken(bound, api, { ...at, proofs: [proof] })).rejects.toThrow(
      Unavailable,
    );

    await expect(
      server.app.protocol.authorizer.authorize({
        parameters: [...query],
        subject: person.subject,
        sessionUid,
        caller,
      }),
    ).rejects.toThrow(Unavailable);
    const form = (fields: Record<string, string>) => ({
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { authorization: basic(client.id, client.secret) },
    });
    const program: [string, RequestInit][] = [
      ['/oauth/token', form({ grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' })],
      ['/oauth/token', form({ grant_type: 'authorization_code', ...grant })],
      ['/oauth/token', form({ grant_type: 'refresh_token', refresh_token: 'unknown' })],
      ['/oauth/token', form({ grant_type: deviceGrant, device_code: 'unknown' })],
      ['/oauth/device', form({ scope: 'openid' })],
      ['/oauth/par', form({ ...Object.fromEntries(query) })],
      ['/oauth/introspect', form({ token: body.access_token ?? '' })],
      ['/oauth/revoke', form({ token: body.refresh_token ?? '' })],
      ['/oauth/userinfo', { headers: { authorization: `Bearer ${body.access_token}` } }],
    ];
    for (const [path, init] of program) {
      const started = performance.now();
      const response = await fetch(server.url + path, init);
      const answer = (await response.json()) as { error: string };
      expect({
        path,
        status: response.status,
        error: answer.error,
        retry: response.headers.get('retry-after'),
      }).toEqual({
        path,
        status: 503,
        error: 'temporarily_unavailable',
        retry: expect.stringMatching(/^\d+$/),
      });
      expect(performance.now() - started).toBeLessThan(10_000);
    }
    const people = [
      await agent.go(`/oauth/authorize?${query}`, { follow: false }),
      await stranger.go(new URL(login.url).pathname),
      await stranger.go(new URL(login.url).pathname, {
        form: { csrf, username: person.username, password },
        follow: false,
      }),
      await agent.go('/oauth/logout'),
      await agent.go('/device'),
      await stranger.go('/device?user_code=BCDF-GHJK'),
      await agent.go('/device', { form: { xsrf: 'x', user_code: 'BCDF-GHJK' } }),
    ];
    for (const page of people) {
      expect([page.url, page.status, page.location, page.headers.get('retry-after')]).toEqual([
        page.url,
        503,
        undefined,
        expect.stringMatching(/^\d+$/),
      ]);
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      expect(page.text).not.toMatch(/ECONN|postgres|127\.0\.0\.1|node_modules/i);
    }
    for (const path of documents) expect((await fetch(server.url + path)).status).toBe(200);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);

    await postgres.start();
    await eventually('it is ready again', async () => (await fetch(`${server.url}/readyz`)).status === 200, 5_000);
    // Nothing was used up by the tries, and no one was signed out.
    await eventually(
      'tokens work again',
      async () => (await userinfo(server, body.access_token)).status === 200,
      3_000,
    );
    expect((await refresh(server, client, body.refresh_token)).status).toBe(200);
    expect((await redeem(server, client, grant)).status).toBe(200);
    expect((await agent.go(`/oauth/authorize?${query}`, { follow: false })).location).toContain('code=');
    const entered = await stranger.go(new URL(login.url).pathname, {
      form: { csrf, username: person.username, password },
    });
    expect(entered.status).toBeLessThan(400);
  });
});
