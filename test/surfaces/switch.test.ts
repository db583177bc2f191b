/** `SURFACES`: which of the API surfaces are served. */
import { expect, test } from '@jest/globals';
import { startServer } from '../support/server.ts';

const statusOf = async (url: string) => (await fetch(`${url}/user/info`)).status;

test('a surface that is named is there', async () => {
  const server = await startServer({ env: { SURFACES: 'oauth-clients' } });
  try {
    expect(await statusOf(server.url)).toBe(401);
  } finally {
    await server.close();
  }
});

test('a name that no surface has stops the start and says which there are', async () => {
  await expect(startServer({ env: { SURFACES: 'oauth-client' } })).rejects.toThrow(/oauth-client, .*oauth-clients/);
});
