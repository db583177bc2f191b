/** Workers start side by side, and each of them looks after the playground's client. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keepPlaygroundClient, playgroundClient } from '../../../src/pages/playground/playground-client.ts';
import { freePort } from '../../support/free-port.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

describeStorages('the playground’s client', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());

  test('of several workers that start at once one makes it, and none fails', async () => {
    const { clients } = server.app;
    const config = { developmentPages: true, issuer: server.url };
    await clients.remove(playgroundClient);
    await Promise.all(Array.from({ length: 8 }, () => keepPlaygroundClient(clients, config)));
    expect((await clients.find(playgroundClient))?.metadata.client_uri).toBe(`${server.url}/playground`);
  });
});

describe.each([
  ['gate.localhost', 'localhost'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.2', '127.0.0.2'],
])('S1: an issuer at http://%s', (name, host) => {
  test.each(['development', 'production'])('takes its own built-in clients, in %s', async (NODE_ENV) => {
    const port = await freePort();
    const issuer = `http://${name}:${port}`;
    const server = await startServer({ port, host, env: { NODE_ENV, ISSUER: issuer } });
    try {
      const account = await fetch(`http://${host}:${port}/account`, { redirect: 'manual' });
      const asked = new URL(account.headers.get('location') ?? '', issuer);
      const answer = await fetch(`http://${host}:${port}${asked.pathname}${asked.search}`, { redirect: 'manual' });
      expect([asked.pathname, answer.status]).toEqual(['/oauth/authorize', 303]);
      expect((await server.app.clients.find(playgroundClient))?.metadata.redirect_uris).toEqual(
        NODE_ENV === 'production' ? undefined : [`${issuer}/playground`],
      );
    } finally {
      await server.close();
    }
  });
});
