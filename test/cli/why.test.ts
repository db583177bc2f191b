/** `why`: another process finds the record of a refusal, also of a client that is not registered. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { type CommandLine, commandLine } from './command-line.ts';

describeStorages('why a request was refused, on the command line', (storage) => {
  let server: TestServer;
  let cli: CommandLine;
  let reference: string;
  beforeAll(async () => {
    server = await storage.start();
    cli = commandLine(server.env);
    const response = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'made-up',
        client_secret: 'SECRETSECRET',
      }),
    });
    const { error_uri } = (await response.json()) as { error_uri: string };
    reference = error_uri.slice(error_uri.lastIndexOf('/') + 1);
    await server.core.refusals.close();
  });
  afterAll(() => server.close());

  test('a reference says everything', async () => {
    const { code, out } = await cli('why', reference);
    expect(code).toBe(0);
    for (const words of ['The client_id is not registered here.', 'client_unknown', 'made-up', 'RFC 6749', reference]) {
      expect(out).toContain(words);
    }
    expect(out).not.toContain('SECRETSECRET');
    expect(await cli.json('why', reference)).toMatchObject({
      ...{ reference, endpoint: 'token', clientId: 'made-up', check: 'client_unknown', received: 'made-up' },
      ...{ status: 401, times: 1 },
    });
  });

  test('without one the newest are listed, by client where it is named', async () => {
    expect((await cli('why')).out).toContain(reference);
    expect(await cli.json<unknown[]>('why', '--client', 'made-up')).toMatchObject([{ reference }]);
    expect(await cli.json<unknown[]>('why', '--client', 'other')).toEqual([]);
    expect((await cli('why', '--client', 'other')).out).toBe('No request was refused.\n');
  });

  test('an unknown reference is refused with a word', async () => {
    const { code, err } = await cli('why', 'no-such-reference');
    expect([code, err]).toEqual([1, expect.stringContaining('no-such-reference')]);
  });
});
