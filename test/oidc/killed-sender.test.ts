/**
 * A server that is killed while it sends loses no message: the next one goes on, and the application may get some
 * twice.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSession } from '../storage/rows.ts';
import { createPlace, type Place, startChild } from '../support/child-server.ts';
import { describePostgres, freshPostgres, type TestDatabase } from '../support/databases.ts';
import { type Receiver, reachable, startReceiver } from '../support/receiver.ts';
import { eventually } from '../support/redis-server.ts';

const sessions = 60;

function losesNothing(place: () => Promise<Place>): void {
  let receiver: Receiver;
  let home: Place;
  beforeAll(async () => {
    receiver = await startReceiver();
    home = await place();
  });
  afterAll(async () => {
    await receiver.close();
    home.close();
  });

  test('kill -9 between two messages, and during one', async () => {
    const path = '/told';
    const uids = Array.from({ length: sessions }, (_, n) => `session-${n}`);
    // Another process, which only writes: no sender of its own runs.
    await home.within(async ({ core, clients }) => {
      const metadata = { redirect_uris: ['https://app.example.com/cb'], backchannel_logout_uri: receiver.at(path) };
      const made = await clients.register({ client_name: 'Told', ...metadata }, { origin: 'admin', owner: null });
      if (made.outcome !== 'registered') throw new Error(made.description);
      const { id } = made.client;
      const rows = uids.map((uid) =>
        buildSession({ uid, subject: uid, grants: { [id]: uid }, sids: { [id]: uid }, expiresAt: 9e9 }),
      );
      await core.stores.engine.commit({ sessions: rows });
      for (const uid of uids) await core.sessions.end(uid, { subject: uid });
    });
    const told = () => new Set(receiver.claims(path).map(({ sid }) => sid)).size;
    expect(told()).toBe(0);

    for (const until of [10, 30]) {
      // The message after these has no answer when the server dies.
      receiver.answer(path, (_req, res) => void (told() > until ? undefined : res.writeHead(200).end()));
      const server = await startChild(home);
      await eventually(`${until} are told`, () => told() > until, 30_000);
      await server.end('SIGKILL');
    }
    receiver.answer(path, 200);
    const server = await startChild(home);
    // The claim of the one that died lapses first.
    await eventually('all are told', () => told() === sessions, 40_000);
    await eventually('none waits', () =>
      home.within(async ({ core }) => (await core.stores.deliveries.countWaiting()) === 0),
    );
    await server.end('SIGTERM');
    const twice = receiver.tokens(path).length - sessions;
    // Those that were under way, and those whose answer was not stored any more.
    expect(twice).toBeLessThanOrEqual(6);
  });
}

describe('a sender that is killed, over SQLite', () => losesNothing(() => createPlace({ env: reachable })));

describePostgres('a sender that is killed, over Postgres', () => {
  let database: TestDatabase;
  losesNothing(async () => {
    database = await freshPostgres();
    return createPlace({ databaseUrl: database.url, env: reachable });
  });
  afterAll(() => database.drop());
});
