/**
 * Several applications ask at once in one browser: each gets its own part of the session, and none loses it to another.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { Agent, codeOf, token } from '../support/agent.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('applications in parallel', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());

  test('12 applications authorized at the same moment: every refresh token that hangs on the session works', async () => {
    const person = await buildPerson(server);
    const first = await buildClient(server, {}, 'register');
    const clients = await Promise.all(Array.from({ length: 12 }, () => buildClient(server, {}, 'register')));
    for (const { id: clientId } of clients) {
      const consent = { subject: person.subject, clientId, scopes: ['openid'], claims: [], resources: {} };
      await server.core.stores.consents.put({ ...consent, updatedAt: nowSeconds() });
    }
    const agent = new Agent(server);
    await agent.authorize(person, { client_id: first.id, scope: 'openid' });

    const answers = await Promise.all(
      clients.map(({ id }) => agent.go(`/oauth/authorize?response_type=code&client_id=${id}&scope=openid&prompt=none`)),
    );
    const redeemed = await Promise.all(
      clients.map((client, n) => {
        const answer = answers[n];
        if (!answer) throw new Error('no answer');
        return token(server, client, { grant_type: 'authorization_code', code: codeOf(answer) });
      }),
    );
    const refreshed = await Promise.all(
      clients.map((client, n) =>
        token(server, client, { grant_type: 'refresh_token', refresh_token: redeemed[n]?.body.refresh_token ?? '' }),
      ),
    );
    expect(refreshed.map(({ status }) => status)).toEqual(clients.map(() => 200));
  });
});
