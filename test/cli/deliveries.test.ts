/** `deliveries`: what waits, what failed and why, and sending it again, beside a running server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tokensFor } from '../support/flow.ts';
import { type Receiver, reachable, startReceiver } from '../support/receiver.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { type CommandLine, commandLine } from './command-line.ts';

interface Listed {
  readonly id: number;
  readonly state: string;
  readonly dueAt: number | null;
}

describeStorages('deliveries on the command line', (storage) => {
  let server: TestServer;
  let receiver: Receiver;
  let cli: CommandLine;
  beforeAll(async () => {
    receiver = await startReceiver();
    server = await storage.start(reachable);
    cli = commandLine(server.env);
  });
  afterAll(async () => {
    await server.close();
    await receiver.close();
  });

  test('a failed one is listed with its reason, and sent again within a second', async () => {
    expect((await cli('deliveries', 'list')).out).toBe('There are no such messages.\n');
    const client = await buildClient(server, { backchannel_logout_uri: receiver.at('/failing') });
    receiver.answer('/failing', 400);
    const { person } = await tokensFor(server, client);
    await server.core.sessions.endAll(person.subject);
    const listed = (...more: string[]) => cli.json<Listed[]>('deliveries', 'list', '--client', client.id, ...more);
    await eventually('it failed', async () => (await listed())[0]?.state === 'failed');

    const [failed] = await listed('--state', 'failed');
    expect(failed).toMatchObject({
      ...{ kind: 'back-channel-logout', clientId: client.id, attempts: 1, lastOutcome: 'answered 400', dueAt: null },
      facts: { sub: person.subject, sid: expect.any(String) },
    });
    expect(failed).not.toHaveProperty('version');
    expect(await listed('--state', 'waiting')).toEqual([]);
    expect(await listed('--limit', '1')).toHaveLength(1);
    const { out } = await cli('deliveries', 'list', '--client', client.id);
    for (const words of ['back-channel-logout', client.id, 'failed', 'answered 400']) expect(out).toContain(words);

    receiver.answer('/failing', 200);
    const id = String(failed?.id);
    const again = await cli('deliveries', 'retry', id);
    expect([again.code, again.out]).toEqual([0, '1 message is sent again.\n']);
    await eventually('it is sent', () => receiver.tokens('/failing').length === 2, 1_000);
    await eventually('it is delivered', async () => (await listed())[0]?.state === 'delivered');
    expect(await cli('deliveries', 'retry', id)).toMatchObject({ code: 1, err: expect.stringContaining(id) });
  });

  test('one that waits says when it is tried next; all of a client can be sent at once', async () => {
    const client = await buildClient(server, { backchannel_logout_uri: receiver.at('/down') });
    receiver.answer('/down', 503);
    for (let n = 0; n < 2; n += 1) {
      const { person } = await tokensFor(server, client);
      await server.core.sessions.endAll(person.subject);
    }
    const listed = () => cli.json<Listed[]>('deliveries', 'list', '--client', client.id);
    await eventually('one was tried', () => receiver.tokens('/down').length > 0);
    const now = Date.now() / 1000;
    for (const { state, dueAt } of await listed()) {
      expect(state).toBe('waiting');
      expect(Math.abs((dueAt ?? 0) - now)).toBeLessThan(60);
    }
    receiver.answer('/down', 200);
    expect(await cli.json('deliveries', 'retry', '--client', client.id)).toEqual({ again: 2 });
    await eventually('both are delivered', async () => (await listed()).every(({ state }) => state === 'delivered'));
    expect(await cli.json('deliveries', 'retry', '--client', client.id)).toEqual({ again: 0 });
  });

  test('the address is set, shown and reset', async () => {
    const uri = 'https://app.example.com/back-channel-logout';
    const made = await cli.json<{ client_id: string }>(
      ...['clients', 'register', '--name', 'Told', '--redirect-uri', 'https://app.example.com/cb'],
      ...['--backchannel-logout-uri', uri],
    );
    expect(made).toMatchObject({ backchannel_logout_uri: uri });
    expect((await cli('clients', 'show', made.client_id)).out).toContain(uri);
    const wrong = await cli('clients', 'update', made.client_id, '--backchannel-logout-uri', 'http://app.example.com/');
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('backchannel_logout_uri must be https')]);
    const reset = await cli.json('clients', 'update', made.client_id, '--unset', 'backchannel_logout_uri');
    expect(reset).not.toHaveProperty('backchannel_logout_uri');
  });

  test('what is asked wrongly is refused with a word', async () => {
    for (const args of [['retry'], ['retry', '1', '--client', 'x'], ['retry', 'one'], ['list', '--state', 'lost']]) {
      const { code, err } = await cli('deliveries', ...args);
      expect([args, code]).toEqual([args, 2]);
      expect(err).not.toBe('');
    }
    expect((await cli('deliveries', 'retry', '999999999')).code).toBe(1);
    expect((await cli('deliveries', 'list', '--client', 'nobody')).out).toBe('There are no such messages.\n');
  });
});
