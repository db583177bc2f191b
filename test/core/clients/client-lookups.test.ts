/** What `client_lookups_total` says of a client's first request, its next, and one by a client that does not exist. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { adminKey, buildClient, startServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

async function lookUps(): Promise<Record<string, number>> {
  const page = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${adminKey}` } });
  const counts = (await page.text()).matchAll(/^gatehouse_client_lookups_total\{from="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...counts].map(([, from, count]) => [from, Number(count)]));
}

test('look-ups are counted by where the client was found', async () => {
  const { id } = await buildClient(server);
  const before = await lookUps();
  await server.core.cached.find(id);
  await server.core.cached.find(id);
  await server.core.cached.find('nobody');
  await server.core.cached.find('nobody');
  await server.core.cached.find('not\0possible');
  const after = await lookUps();
  const more = (from: string) => (after[from] ?? 0) - (before[from] ?? 0);
  expect({ sql: more('sql'), process: more('process'), none: more('none') }).toEqual({ sql: 1, process: 1, none: 3 });
});
