/** The command line beside a running server on the same database: the server knows within a second. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/redis-server.ts';
import type { TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { type CommandLine, commandLine } from './command-line.ts';

describeStorages('the command line beside a server', (storage) => {
  let server: TestServer;
  let cli: CommandLine;
  beforeAll(async () => {
    server = await storage.start();
    cli = commandLine(server.env, { own: 'first' });
  });
  afterAll(() => server.close());

  async function ask(client: { client_id: string; client_secret: string }) {
    const answer = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', ...client }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  /** Counted from the end of the command. */
  const withinASecond = (client: Parameters<typeof ask>[0], status: number): Promise<void> =>
    eventually(`status ${status}`, async () => (await ask(client)).status === status, 1000);

  test('a client registered, disabled, enabled, given a new secret, deleted', async () => {
    const client = { client_id: 'nightly', client_secret: 'not yet' };
    // The server remembers for a moment that there is no such client.
    expect(await ask(client)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });

    const made = await cli.json<{ client_secret: string }>(
      'clients',
      'register',
      '--id',
      'nightly',
      '--grant-type',
      'client_credentials',
    );
    client.client_secret = made.client_secret;
    await withinASecond(client, 200);

    await cli.json('clients', 'disable', 'nightly');
    await withinASecond(client, 401);
    await cli.json('clients', 'enable', 'nightly');
    await withinASecond(client, 200);

    const rotated = await cli.json<{ client_secret: string }>('clients', 'rotate', 'nightly');
    await withinASecond({ ...client, client_secret: rotated.client_secret }, 200);
    expect((await ask(client)).status).toBe(200);

    expect(await cli.json('clients', 'reload')).toEqual({ loaded: expect.any(Number) });
    expect((await ask(client)).status).toBe(200);

    await cli.json('clients', 'delete', 'nightly');
    await withinASecond(client, 401);
  });

  test('keys rotated by command: the server publishes and signs with them within a second', async () => {
    const kids = async () => {
      const { keys } = (await (await fetch(`${server.url}/oauth/jwks`)).json()) as { keys: { kid: string }[] };
      return keys.map(({ kid }) => kid).sort();
    };
    const before = await kids();
    const ring = await cli.json<{ id: string }[]>('keys', 'rotate', '--force');
    const wanted = ring.map(({ id }) => id).sort();
    expect(wanted).not.toEqual(before);
    await eventually('the new set is published', async () => (await kids()).join() === wanted.join(), 1000);
  });

  test('an API added by command is known to the server within a second', async () => {
    await cli.json(
      'apis',
      'add',
      'https://orders.example.com',
      '--name',
      'Orders',
      '--scope',
      'orders:read=See your orders.',
    );
    await eventually('it is known', () => server.core.apis.find('https://orders.example.com') !== undefined, 1000);
  });
});
