/**
 * Applications that hang, flood or break off when they are told of a logout: no person and no other application
 * notices.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildSession } from '../storage/rows.ts';
import type { Agent } from '../support/agent.ts';
import { tokensFor } from '../support/flow.ts';
import { type Receiver, reachable, startReceiver } from '../support/receiver.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

setFlagsFromString('--expose-gc');
/** Memory counts only after a collection, whose time is up to the machine. */
const collect: () => void = runInNewContext('gc');

describeStorages('applications that do not answer a logout', (storage) => {
  let server: TestServer;
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
    server = await storage.start(reachable);
  });
  afterAll(async () => {
    await server.close();
    await receiver.close();
  });

  const application = (path: string) => buildClient(server, { backchannel_logout_uri: receiver.at(path) });

  /** What a logout leaves behind, without waiting for time to pass. */
  async function logout(agent: Agent) {
    const done = await agent.confirmLogout(await agent.go('/oauth/logout'));
    expect(done.url).toContain('/oauth/logout/success');
  }

  test('F4: a hanging application does not delay the logout, and holds one connection', async () => {
    const [slow, quick] = [await application('/slow'), await application('/quick')];
    receiver.answer('/slow', () => {});
    const people = [];
    for (let n = 0; n < 4; n += 1) {
      const { agent, person } = await tokensFor(server, slow);
      await tokensFor(server, quick, { agent, person });
      people.push(agent);
    }
    for (const agent of people) await logout(agent);
    // All logouts were answered while the first message still had no answer.
    await eventually('it hangs', () => receiver.waiting('/slow') === 1);
    expect(receiver.tokens('/slow')).toHaveLength(1);
    await eventually('the other application has all', () => receiver.tokens('/quick').length === 4);
    expect(receiver.waiting('/slow')).toBeLessThanOrEqual(1);
    expect(receiver.most).toBeLessThanOrEqual(2);
  });

  const fates = {
    hangs: () => {},
    floods(_req, res) {
      res.writeHead(200);
      const more = Buffer.alloc(65_536, 'x');
      let left = 160;
      const write = () => {
        while (left > 0 && !res.destroyed) {
          left -= 1;
          if (!res.write(more)) return void res.once('drain', write);
        }
        res.end();
      };
      write();
    },
    'breaks off': (req) => void req.socket.resetAndDestroy(),
  } as const satisfies Record<string, Parameters<Receiver['answer']>[1]>;

  // `npm run faults` ends 1,000 sessions over HTTP in each case.
  test.each([
    ['hangs', 1_000],
    ['floods', 200],
    ['breaks off', 200],
  ] as const)(
    'K13: an application that %s for %i logouts costs no person anything: sockets and memory stay flat',
    async (fate, logouts) => {
      const path = `/${fate.replace(' ', '-')}`;
      const client = await application(path);
      receiver.answer(path, fates[fate]);
      const { agent } = await tokensFor(server, client);
      const uids = Array.from({ length: logouts - 1 }, (_, n) => `${path}-${n}`);
      for (let at = 0; at < uids.length; at += 100) {
        const sessions = uids.slice(at, at + 100).map((uid) =>
          buildSession({
            ...{ uid, subject: uid, expiresAt: 9e9 },
            ...{ grants: { [client.id]: uid }, sids: { [client.id]: uid } },
          }),
        );
        await server.core.stores.engine.commit({ sessions });
      }
      collect();
      const before = process.memoryUsage();
      for (let at = 0; at < uids.length; at += 20) {
        const some = uids.slice(at, at + 20);
        const ended = some.map((uid) => server.core.sessions.end(uid, { event: 'sign_out', subject: uid }));
        expect(await Promise.all(ended)).toEqual(some.map(() => true));
      }
      await logout(agent);
      await eventually('it was tried', () => receiver.tokens(path).length > 0);
      // One at a time; those that the sender has closed may still be closing at the other end.
      expect(receiver.most).toBeLessThanOrEqual(8);
      expect(receiver.waiting(path)).toBeLessThanOrEqual(1);
      await eventually('what was held is free again', () => {
        collect();
        return process.memoryUsage().arrayBuffers - before.arrayBuffers < 16 * 1024 * 1024;
      });
    },
  );
});
