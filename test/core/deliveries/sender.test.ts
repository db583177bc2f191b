/**
 * The sender over a real outbox and real receivers: what it sends when, what it tries again, and what it leaves alone.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createLog } from '../../../src/base/log.ts';
import type { DeliveryKind } from '../../../src/core/deliveries/delivery-kind.ts';
import { logoutKind } from '../../../src/core/deliveries/logout-notice.ts';
import { createLogoutMessages } from '../../../src/core/deliveries/logout-token.ts';
import { createDeliverySender } from '../../../src/core/deliveries/sender.ts';
import type { ClientRecord } from '../../../src/core/stores/clients.ts';
import type { Network } from '../../../src/outgoing/network.ts';
import { createOutgoing } from '../../../src/outgoing/outgoing.ts';
import { buildClient, buildGrant, buildSession, name } from '../../storage/rows.ts';
import { describePostgres, freshPostgres, type TestDatabase } from '../../support/databases.ts';
import { comeBack, stopClock, travel } from '../../support/flow.ts';
import { startCanary, startOutside } from '../../support/outside.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { eventually } from '../../support/redis-server.ts';
import { buildFixture, type Fixture, issuer } from '../fixture.ts';

interface NodeOptions {
  readonly allow?: string[];
  readonly network?: Network;
  readonly kinds?: Record<string, DeliveryKind>;
}

function sends(open: () => Promise<Fixture>): void {
  let core: Fixture;
  let receiver: Receiver;
  const logged: string[] = [];
  beforeAll(async () => {
    core = await open();
    receiver = await startReceiver();
  });
  afterEach(comeBack);
  afterAll(async () => {
    await core.close();
    await receiver.close();
  });

  /** A process that sends. */
  function node({ allow = ['127.0.0.0/8'], network, kinds }: NodeOptions = {}) {
    const { log } = createLog({
      level: 'info',
      format: 'json',
      to: { write: (line: string) => void logged.push(line) },
    });
    const config = { outgoing: { allow, proxy: undefined } };
    return createDeliverySender({
      ...core,
      outgoing: createOutgoing({ config, log, metrics: core.metrics, network }),
      ...{ log, deliveries: core.stores.deliveries, clients: core.cached },
      kinds: kinds ?? { [logoutKind]: createLogoutMessages({ keys: core.keys, issuer }) },
    });
  }

  async function application(overrides: Partial<ClientRecord> = {}) {
    const path = `/${name()}`;
    const metadata = { backchannel_logout_uri: receiver.at(path) };
    const client = buildClient({ metadata, reviewedAt: 1, ...overrides });
    await core.stores.clients.insert(client);
    await core.changes.changed();
    return { id: client.id, client, path };
  }

  /** A session of these clients ends; returns the subject. */
  async function ended(clients: readonly string[], sid = name()): Promise<string> {
    const subject = name();
    const grants = clients.map((clientId) => buildGrant({ clientId, subject, expiresAt: 9e9 }));
    const session = buildSession({
      ...{ subject, expiresAt: 9e9 },
      grants: Object.fromEntries(grants.map(({ id, clientId }) => [clientId, id])),
      sids: Object.fromEntries(clients.map((clientId) => [clientId, sid])),
    });
    await core.stores.engine.commit({ grants, sessions: [session] });
    await core.stores.engine.deleteSession(session.uid);
    return subject;
  }

  const of = (clientId: string) => core.stores.deliveries.list({ clientId }, 1000);
  const count = (path: string) => receiver.tokens(path).length;

  test('what fails is tried again later and later, with a new token each time, and is delivered in the end', async () => {
    stopClock();
    const { id, path } = await application();
    const sender = node();
    await ended([id]);
    receiver.answer(path, 503);
    await sender.once();
    expect(await of(id)).toMatchObject([{ state: 'waiting', attempts: 1, lastOutcome: 'answered 503' }]);
    for (const [attempts, early, more] of [
      [1, 4, 2],
      [2, 8, 4],
      [3, 17, 6],
    ] as const) {
      travel(early);
      stopClock();
      await sender.once();
      expect(count(path)).toBe(attempts);
      travel(more);
      stopClock();
      if (attempts === 3) receiver.answer(path, 204);
      await sender.once();
      expect(count(path)).toBe(attempts + 1);
    }
    expect(await of(id)).toMatchObject([{ state: 'delivered', attempts: 4, lastOutcome: 'answered 204' }]);
    const claims = receiver.claims(path);
    expect(new Set(claims.map(({ jti }) => jti)).size).toBe(4);
    for (const [n, { iat, exp }] of claims.entries()) {
      expect(Number(exp) - Number(iat)).toBe(120);
      expect(Number(iat)).toBeGreaterThan(n === 0 ? 0 : Number(claims[n - 1]?.iat));
    }
    travel(86_400);
    await sender.once();
    expect(count(path)).toBe(4);
  });

  test('the application says when: Retry-After holds for all of its deliveries', async () => {
    stopClock();
    const { id, path } = await application();
    const sender = node();
    await ended([id]);
    receiver.answer(path, (_req, res) => void res.writeHead(429, { 'Retry-After': '120' }).end());
    await sender.once();
    await ended([id]);
    receiver.answer(path, 200);
    travel(119);
    stopClock();
    await sender.once();
    expect(count(path)).toBe(1);
    travel(2);
    await sender.once();
    expect(count(path)).toBe(3);
    expect((await of(id)).map(({ state }) => state)).toEqual(['delivered', 'delivered']);
  });

  test('a refusal is final and on record; a redirect is not followed', async () => {
    const sender = node();
    for (const status of [400, 404, 302]) {
      const { id, path } = await application();
      const subject = await ended([id]);
      receiver.answer(path, (_req, res) => void res.writeHead(status, { Location: receiver.at('/elsewhere') }).end());
      await sender.once();
      travel(90_000);
      await sender.once();
      comeBack();
      expect(count(path)).toBe(1);
      const [delivery] = await of(id);
      expect(delivery).toMatchObject({ state: 'failed', attempts: 1 });
      if (status !== 302) expect(delivery?.lastOutcome).toBe(`answered ${status}`);
      const events = (await core.audited()).filter(({ clientId }) => clientId === id);
      expect(events).toMatchObject([{ event: 'delivery.failed', subject, detail: { delivery: delivery?.id } }]);
    }
    expect(receiver.requests.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });

  test('after a day the last attempt is made; what never got one is given up by the upkeep', async () => {
    const { id, path } = await application();
    const sender = node();
    await ended([id], 'tried');
    receiver.answer(path, 500);
    await sender.once();
    await core.deliveries.upkeep();
    expect(await of(id)).toMatchObject([{ state: 'waiting' }]);
    travel(86_300);
    await sender.once();
    expect(await of(id)).toMatchObject([{ state: 'waiting', attempts: 2 }]);
    // The next one would come later than a day after the beginning: it comes just then.
    travel(101);
    await sender.once();
    expect(await of(id)).toMatchObject([{ state: 'failed', attempts: 3, lastOutcome: 'answered 500' }]);
    comeBack();

    const idle = await application();
    await ended([idle.id]);
    travel(86_400 + 7_300);
    await core.deliveries.upkeep();
    expect(await of(idle.id)).toMatchObject([{ state: 'failed', attempts: 0, lastOutcome: 'given up' }]);
    const events = (await core.audited()).filter(({ clientId }) => clientId === idle.id);
    expect(events).toMatchObject([{ event: 'delivery.failed', detail: { count: 1 } }]);
    // A week later it is gone.
    travel(7 * 86_400 + 60);
    await core.deliveries.upkeep();
    expect(await of(idle.id)).toEqual([]);
  });

  test('an operator sends it again, and it has another day', async () => {
    const { id, path } = await application();
    const sender = node();
    await ended([id]);
    receiver.answer(path, 400);
    await sender.once();
    receiver.answer(path, 500);
    expect(await core.deliveries.retry({ clientId: id })).toBe(1);
    await sender.once();
    // It rests now, and the operator knows better.
    receiver.answer(path, 200);
    expect(await core.deliveries.retry({ clientId: id })).toBe(1);
    await sender.once();
    expect(await of(id)).toMatchObject([{ state: 'delivered', attempts: 1 }]);
    expect(count(path)).toBe(3);
  });

  test('nothing goes to a client that is deleted or disabled, or has no URI any more; a new URI counts at once', async () => {
    const sender = node();
    const [deleted, disabled, without, moved] = [
      ...[await application(), await application(), await application(), await application()],
    ] as const;
    const all = [deleted, disabled, without, moved];
    await ended(all.map(({ id }) => id));
    const change = ({ client }: (typeof all)[number], more: Partial<ClientRecord>) =>
      core.stores.clients.update({ ...client, ...more, version: 2 });
    await core.stores.clients.delete(deleted.id);
    await change(disabled, { disabledAt: 5, ownDisabledAt: 5 });
    await change(without, { metadata: {} });
    await change(moved, { metadata: { backchannel_logout_uri: receiver.at('/moved') } });
    await core.changes.changed();
    await sender.once();
    expect(all.map(({ path }) => count(path))).toEqual([0, 0, 0, 0]);
    expect(count('/moved')).toBe(1);
    const outcomes = await Promise.all(all.map(async ({ id }) => (await of(id))[0]));
    expect(outcomes.map((delivery) => [delivery?.state, delivery?.lastOutcome])).toEqual([
      ['dropped', 'the client is deleted'],
      ['dropped', 'the client is disabled'],
      ['dropped', 'the client has no backchannel_logout_uri any more'],
      ['delivered', 'answered 200'],
    ]);
  });

  test('a process of an older version leaves kinds that it does not know to others', async () => {
    const { id, path } = await application();
    await ended([id]);
    await node({ kinds: {} }).once();
    expect(await of(id)).toMatchObject([{ state: 'waiting' }]);
    travel(61);
    await node().once();
    expect(count(path)).toBe(1);
    expect(await of(id)).toMatchObject([{ state: 'delivered' }]);
  });

  test('an unreviewed client reaches no private address, whatever OUTBOUND_ALLOW says', async () => {
    const { id, path } = await application({ reviewedAt: null });
    const before = receiver.connections;
    await ended([id]);
    await node().once();
    expect([count(path), receiver.connections - before]).toEqual([0, 0]);
    expect(await of(id)).toMatchObject([{ state: 'failed', attempts: 1 }]);
  });

  test('E6: a backchannel_logout_uri that leads inside gets no connection, also by name and by redirect', async () => {
    const [canary, outside] = [await startCanary(), await startOutside()];
    const { port } = canary;
    const hosts = ['127.0.0.1', '[::1]', 'localhost', '0.0.0.0', '169.254.169.254', '10.0.0.1', '[fd00::1]'];
    const odd = ['[::ffff:127.0.0.1]', '2130706433', '0177.0.0.1', '0x7f.1', '127.1'];
    outside.name('inside.example', ['127.0.0.1']);
    outside.name('rebound.example', ['127.0.0.1'], ['127.0.0.1']);
    outside.name('localhost', ['127.0.0.1', '::1']);
    const { requests } = outside.serve('leads.example', (_req, res) =>
      res.writeHead(302, { Location: `http://127.0.0.1:${port}/` }).end(),
    );
    const addresses = ['https://leads.example/', 'https://good.example/'];
    for (const host of [...hosts, ...odd, 'inside.example', 'rebound.example'])
      for (const scheme of ['http', 'https']) addresses.push(`${scheme}://${host}:${port}/`);
    const good = outside.serve('good.example', (_req, res) => res.writeHead(200).end());
    const clients: string[] = [];
    for (const uri of addresses) clients.push((await application({ metadata: { backchannel_logout_uri: uri } })).id);
    await ended(clients);
    await node({ allow: [], network: outside.network }).once();
    expect(canary.seen()).toBe(0);
    expect([requests, good.requests]).toEqual([['POST /'], ['POST /']]);
    const states = await Promise.all(clients.map(async (id, n) => [addresses[n], (await of(id))[0]?.state]));
    expect(states).toEqual(addresses.map((uri) => [uri, uri.includes('good') ? 'delivered' : 'failed']));
    await canary.close();
    await outside.close();
  });

  test('a client that is down is in the log once, and once more when it is back', async () => {
    const { id, path } = await application();
    const sender = node();
    const about = () => logged.map((line) => JSON.parse(line)).filter(({ clientId }) => clientId === id);
    receiver.answer(path, 500);
    for (let n = 0; n < 3; n += 1) {
      await ended([id]);
      travel(n * 3_600);
      await sender.once();
    }
    expect(about()).toMatchObject([{ why: 'answered 500' }]);
    receiver.answer(path, 200);
    travel(20_000);
    await sender.once();
    await ended([id]);
    await sender.once();
    expect(about()).toHaveLength(2);
    expect(about()[1]).toMatchObject({ msg: expect.stringContaining('work again') });
  });

  test('what ends while its message is on the way is sent once more', async () => {
    const { id, path } = await application();
    const sender = node();
    await ended([id], 'same');
    let more: Promise<string> | undefined;
    receiver.answer(path, (_req, res) => {
      more ??= ended([id], 'same');
      void more.then(() => res.writeHead(200).end());
    });
    await sender.once();
    expect(count(path)).toBe(2);
    expect(await of(id)).toMatchObject([{ state: 'delivered', version: 2 }]);
  });

  test('two nodes: each message is sent once, and a client has one at a time', async () => {
    const applications = [await application(), await application(), await application()];
    const most = new Map<string, number>();
    for (const { path } of applications) {
      receiver.answer(path, (_req, res) => {
        most.set(path, Math.max(most.get(path) ?? 0, receiver.waiting(path)));
        setTimeout(() => res.writeHead(200).end(), 5);
      });
    }
    const nodes = [node(), node()];
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 8; n += 1) await ended(applications.map(({ id }) => id));
      await Promise.all(nodes.map((each) => each.once()));
    }
    for (const { id, path } of applications) {
      const sids = receiver.claims(path).map(({ sid }) => sid);
      expect([sids.length, new Set(sids).size, most.get(path)]).toEqual([24, 24, 1]);
      expect((await of(id)).every(({ state, attempts }) => state === 'delivered' && attempts === 1)).toBe(true);
    }
  });

  test('the claim of a process that died lapses, and another one sends', async () => {
    stopClock();
    const { id, path } = await application();
    const sender = node();
    await ended([id]);
    await core.stores.deliveries.claim(id, 'a process that died', Date.now() + 15_000, Date.now());
    await sender.once();
    travel(14);
    stopClock();
    await sender.once();
    expect(count(path)).toBe(0);
    travel(2);
    await sender.once();
    expect(count(path)).toBe(1);
  });

  test('a client that hangs holds up no other', async () => {
    const [slow, quick] = [await application(), await application()];
    const sender = node();
    receiver.answer(slow.path, () => {});
    for (let n = 0; n < 5; n += 1) await ended([slow.id, quick.id]);
    const all = sender.once();
    await eventually('the quick one has all', () => count(quick.path) === 5, 3_000);
    expect(receiver.waiting(slow.path)).toBe(1);
    await all;
    // It rests after its time is over, so four of five were not even tried.
    expect(count(slow.path)).toBe(1);
    expect((await of(slow.id)).filter(({ attempts }) => attempts === 1)).toHaveLength(1);
  });

  test('a stop waits for what is on its way; what takes too long is cut off and stays as it was', async () => {
    const [quick, slow] = [await application(), await application()];
    receiver.answer(quick.path, (_req, res) => void setTimeout(() => res.writeHead(200).end(), 100));
    receiver.answer(slow.path, () => {});
    const sender = node();
    for (let n = 0; n < 3; n += 1) await ended([quick.id, slow.id]);
    sender.start();
    await eventually('both are on their way', () => count(quick.path) === 1 && count(slow.path) === 1);
    await sender.stop(0.5);
    expect(receiver.waiting(slow.path)).toBe(0);
    const states = async ({ id }: typeof quick) => (await of(id)).map(({ state }) => state);
    expect((await states(quick)).toSorted()).toEqual(['delivered', 'waiting', 'waiting']);
    expect((await of(slow.id)).every(({ state, attempts }) => state === 'waiting' && attempts === 0)).toBe(true);
    // Both are free for the next process at once.
    receiver.answer(slow.path, 200);
    await node().once();
    expect([await states(quick), await states(slow)].flat()).toEqual(Array(6).fill('delivered'));
  });

  test('metrics say how many wait, and what became of each attempt', async () => {
    const { body } = await core.metrics.page();
    for (const outcome of ['delivered', 'retried', 'failed', 'dropped'])
      expect(body).toMatch(
        new RegExp(`^gatehouse_deliveries_total{kind="back-channel-logout",outcome="${outcome}"} [1-9]`, 'm'),
      );
    const { id, path } = await application();
    receiver.answer(path, 500);
    await ended([id]);
    const sender = node();
    await sender.once();
    await node().once();
    expect((await core.metrics.page()).body).toMatch(/^gatehouse_deliveries_waiting [1-9]/m);
  });
}

describe('the sender over SQLite', () => sends(() => buildFixture()));

describePostgres('the sender over Postgres', () => {
  let database: TestDatabase;
  sends(async () => {
    database = await freshPostgres();
    return buildFixture({ database: database.settings });
  });
  afterAll(() => database.drop());
});
