/** Workers start side by side, and each of them looks after the playground's client. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keepPlaygroundClient, playgroundClient } from '../../src/welcome/playground-client.ts';
import type { TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

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
