/**
 * Copies of clients in processes and in Redis: never older than a second, never a client that is gone (security.md X7,
 * X8, K6, E7).
 */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../../src/base/errors.ts';
import { randomToken } from '../../../src/base/secrets.ts';
import { type ChangeLog, createChangeLog } from '../../../src/core/changes/change-log.ts';
import { type CachedClients, createCachedClients } from '../../../src/core/clients/cached-clients.ts';
import type { ClientRecord } from '../../../src/core/stores/clients.ts';
import type { ChangeChannel } from '../../../src/core/stores/volatile/change-channel.ts';
import type { ClientCache } from '../../../src/core/stores/volatile/client-cache.ts';
import { createLocalChannel } from '../../../src/storage/local/channel.ts';
import { createLocalThrottle } from '../../../src/storage/local/throttle.ts';
import { openRedis, type RedisStorage } from '../../../src/storage/redis/open.ts';
import { openSql, type SqlStores } from '../../../src/storage/sql/open.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually, startTestRedis, type TestRedis } from '../../support/redis-server.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function buildClient(id: string, version = 1): ClientRecord {
  return {
    id,
    metadata: { client_name: `${id} ${version}` },
    secrets: [],
    tokens: [],
    owner: null,
    origin: 'cli',
    reviewedAt: null,
    disabledAt: null,
    ownDisabledAt: null,
    document: null,
    version,
    createdAt: 1,
    updatedAt: version,
  };
}

/** One process: its own database connection, and its own copies. `down` and `slow` are what a database can do to it. */
interface Node {
  readonly stores: SqlStores;
  readonly cached: CachedClients & Pick<ChangeLog, 'check' | 'changed' | 'onChange' | 'start' | 'close'>;
  readonly reads: string[];
  down: boolean;
  /** Holds back the answers of reads that have already been made. */
  slow: Promise<void> | undefined;
}

let folder = '';
let nodes: Node[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clients-'));
});
afterEach(async () => {
  for (const node of nodes) {
    node.cached.close();
    await node.stores.close();
  }
  nodes = [];
  await rm(folder, { recursive: true });
});

const silence: ChangeChannel = { publish() {}, subscribe: () => () => {} };

async function openNode(
  options: { channel?: ChangeChannel; cache?: ClientCache; copies?: number } = {},
): Promise<Node> {
  const stores = await openSql({ kind: 'sqlite', file: join(folder, 'db.sqlite') });
  const up = () => {
    if (node.down) throw new Unavailable('database');
  };
  const { channel = silence, ...rest } = options;
  const log = createChangeLog({
    channel,
    changes: {
      async latest() {
        up();
        return stores.changes.latest();
      },
      since: (seq) => stores.changes.since(seq),
    },
  });
  const copies = createCachedClients({
    ...rest,
    log,
    apis: stores.apis,
    clients: {
      async find(id) {
        up();
        node.reads.push(id);
        const client = await stores.clients.find(id);
        await node.slow;
        return client;
      },
      async list(after, limit) {
        up();
        const page = await stores.clients.list(after, limit);
        await node.slow;
        return page;
      },
    },
    changes: {
      // Two writing connections in one thread would wait for each other: SQLite waits without letting go of it.
      note: (kind, id) => (nodes[0] ?? node).stores.changes.note(kind, id),
    },
  });
  const { check, changed, onChange, start, close } = log;
  const cached = { ...copies, check, changed, onChange, start, close };
  const node: Node = { stores, cached, reads: [], down: false, slow: undefined };
  nodes.push(node);
  return node;
}

const nameOf = async (node: Node, id: string) => (await node.cached.find(id))?.metadata.client_name;

describe('one process', () => {
  test('500 cold look-ups at once read the client once', async () => {
    const node = await openNode();
    await node.stores.clients.insert(buildClient('a'));
    const found = await Promise.all(Array.from({ length: 500 }, () => node.cached.find('a')));
    expect(new Set(found).size).toBe(1);
    expect(found[0]).toEqual(buildClient('a'));
    expect(node.reads).toEqual(['a']);
  });

  test('different clients do not wait for each other', async () => {
    const node = await openNode();
    for (const id of ['a', 'b', 'c']) await node.stores.clients.insert(buildClient(id));
    const found = await Promise.all(['a', 'b', 'c', 'a', 'b', 'c'].map((id) => node.cached.find(id)));
    expect(found.map((client) => client?.id)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(node.reads.sort()).toEqual(['a', 'b', 'c']);
  });

  test('an unknown client is remembered as such until it is made', async () => {
    const node = await openNode();
    for (let i = 0; i < 50; i++) expect(await node.cached.find('a')).toBeUndefined();
    expect(node.reads).toEqual(['a']);
    await node.stores.clients.insert(buildClient('a'));
    await node.cached.check();
    expect(await nameOf(node, 'a')).toBe('a 1');
  });

  test('what cannot be an id is not looked for', async () => {
    const node = await openNode();
    for (const id of ['', 'a\0b', '\ud800', 'x'.repeat(256), 'a b']) expect(await node.cached.find(id)).toBeUndefined();
    expect(node.reads).toEqual([]);
  });

  test('memory is bounded, for known and for unknown clients', async () => {
    const node = await openNode({ copies: 10 });
    for (let i = 0; i < 30; i++) await node.stores.clients.insert(buildClient(`c${i}`));
    for (let i = 0; i < 30; i++) await node.cached.find(`c${i}`);
    for (let i = 0; i < 30; i++) await node.cached.find(`u${i}`);
    node.reads.length = 0;
    await node.cached.find('c29');
    await node.cached.find('u29');
    expect(node.reads).toEqual([]);
    await node.cached.find('c0');
    await node.cached.find('u0');
    expect(node.reads).toEqual(['c0', 'u0']);
  });

  test('a change drops exactly the clients it is about', async () => {
    const node = await openNode();
    for (const id of ['a', 'b']) await node.stores.clients.insert(buildClient(id));
    await node.cached.find('a');
    await node.cached.find('b');
    await node.stores.clients.update(buildClient('a', 2));
    await node.cached.check();
    expect(await nameOf(node, 'a')).toBe('a 2');
    expect(await nameOf(node, 'b')).toBe('b 1');
    expect(node.reads).toEqual(['a', 'b', 'a']);
  });

  test('a log that no longer reaches back drops everything', async () => {
    const node = await openNode();
    for (const id of ['a', 'b']) await node.stores.clients.insert(buildClient(id));
    await node.cached.find('b');
    const heard: (string | undefined)[] = [];
    node.cached.onChange('key', (id) => void heard.push(id));
    await node.stores.clients.update(buildClient('a', 2));
    await node.stores.clients.update(buildClient('a', 3));
    await node.stores.changes.prune(Number.MAX_SAFE_INTEGER);
    await node.cached.check();
    expect(await nameOf(node, 'a')).toBe('a 3');
    await node.cached.find('b');
    expect(node.reads.filter((id) => id === 'b')).toHaveLength(2);
    expect(heard).toEqual([undefined]);
  });

  test('a read that is overtaken by a change does not bring the old client back', async () => {
    const node = await openNode();
    await node.stores.clients.insert(buildClient('a'));
    await node.cached.check();
    let release = () => {};
    node.slow = new Promise((resolve) => {
      release = resolve;
    });
    const early = node.cached.find('a');
    await eventually('the old client has been read', () => node.reads.length === 1);
    await pause(10);
    await node.stores.clients.delete('a');
    await node.cached.check();
    const late = node.cached.find('a');
    await eventually('read again', () => node.reads.length === 2);
    release();
    // Not even to those who had asked before.
    expect(await early).toBeUndefined();
    expect(await late).toBeUndefined();
    expect(await node.cached.find('a')).toBeUndefined();
  });

  test('without the database copies live for a second, then none is known; afterwards all is well', async () => {
    const node = await openNode();
    await node.stores.clients.insert(buildClient('a'));
    await node.cached.start();
    expect(await nameOf(node, 'a')).toBe('a 1');
    node.down = true;
    expect(await nameOf(node, 'a')).toBe('a 1');
    await pause(1050);
    await expect(node.cached.find('a')).rejects.toThrow(Unavailable);
    await expect(node.cached.find('unknown')).rejects.toThrow(Unavailable);
    await node.stores.clients.delete('a');
    node.down = false;
    expect(await node.cached.find('a')).toBeUndefined();
  });

  test('listeners hear of their kind, and again where they failed', async () => {
    const node = await openNode();
    await node.cached.check();
    const heard: (string | undefined)[] = [];
    const stop = node.cached.onChange('key', (id) => {
      heard.push(id);
      if (heard.length === 1) throw new Error('not now');
    });
    await node.stores.changes.note('key', 'k1');
    await node.stores.changes.note('client', 'c');
    await node.cached.check();
    await node.cached.check();
    await node.cached.check();
    expect(heard).toEqual(['k1', undefined]);
    stop();
    await node.stores.changes.note('key', 'k2');
    await node.cached.check();
    expect(heard).toHaveLength(2);
  });

  test('more changes than one page of the log', async () => {
    const node = await openNode();
    await node.stores.clients.insert(buildClient('a'));
    await node.cached.find('a');
    for (let i = 0; i < 1100; i++) await node.stores.changes.note('key', 'k');
    await node.stores.clients.delete('a');
    await node.cached.check();
    expect(await node.cached.find('a')).toBeUndefined();
  });
});

describe('two processes over one database', () => {
  const agreeWithinASecond = async (one: Node, two: Node) => {
    await one.cached.start();
    await two.cached.start();
    await one.stores.clients.insert(buildClient('a'));
    await one.cached.changed();
    await eventually('made', async () => (await nameOf(two, 'a')) === 'a 1', 1000);
    expect(await nameOf(one, 'a')).toBe('a 1');
    await two.stores.clients.update(buildClient('a', 2));
    await two.cached.changed();
    expect(await nameOf(two, 'a')).toBe('a 2');
    await eventually('changed', async () => (await nameOf(one, 'a')) === 'a 2', 1000);
    await one.stores.clients.delete('a');
    await one.cached.changed();
    expect(await one.cached.find('a')).toBeUndefined();
    await eventually('deleted', async () => (await two.cached.find('a')) === undefined, 1000);
  };

  test('agree within a second with a channel', async () => {
    const channel = createLocalChannel();
    await agreeWithinASecond(await openNode({ channel }), await openNode({ channel }));
  });

  test('agree within a second without', async () => {
    await agreeWithinASecond(await openNode(), await openNode());
  });

  test('a look-up alone is never more than a second behind, even if no timer has run', async () => {
    const [one, two] = [await openNode(), await openNode()];
    await one.stores.clients.insert(buildClient('a'));
    expect(await nameOf(two, 'a')).toBe('a 1');
    await one.stores.clients.delete('a');
    await pause(1000);
    expect(await two.cached.find('a')).toBeUndefined();
  });
});

const reloading = (openNodes: () => Promise<[Node, Node]>) => {
  test('a reload counts, takes in what was changed behind the back of the log, and misses no request in that time', async () => {
    const [one, two] = await openNodes();
    for (let i = 0; i < 50; i++) await one.stores.clients.insert(buildClient(`c${i}`));
    await one.cached.start();
    await two.cached.start();
    let going = true;
    let asked = 0;
    const misses: string[] = [];
    const askers = Array.from({ length: 200 }, async (_, i) => {
      while (going) {
        const node = i % 2 ? one : two;
        const id = `c${(i + asked) % 50}`;
        if ((await node.cached.find(id))?.id !== id) misses.push(id);
        asked += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let i = 0; i < 10; i++) {
      expect(await (i % 2 ? one : two).cached.reload()).toBe(50);
      await pause(50);
    }
    going = false;
    await Promise.all(askers);
    expect(misses).toEqual([]);
    expect(asked).toBeGreaterThan(1000);
  });

  test('reloads at once share a run', async () => {
    const [one] = await openNodes();
    await one.stores.clients.insert(buildClient('a'));
    await one.cached.check();
    const before = await one.stores.changes.latest();
    expect(await Promise.all(Array.from({ length: 20 }, () => one.cached.reload()))).toEqual(Array(20).fill(1));
    // The first, and one for all who came while it ran.
    expect(await one.stores.changes.latest()).toBe(before + 2);
  });

  test('a reload without the database fails and drops nothing', async () => {
    const [one] = await openNodes();
    await one.stores.clients.insert(buildClient('a'));
    expect(await nameOf(one, 'a')).toBe('a 1');
    one.down = true;
    await expect(one.cached.reload()).rejects.toThrow(Unavailable);
    expect(await nameOf(one, 'a')).toBe('a 1');
    one.down = false;
    expect(await one.cached.reload()).toBe(1);
  });
};

describe('reload without Redis', () => {
  reloading(async () => [await openNode(), await openNode()]);
});

const withRedis = describeWith('Redis');

withRedis('with Redis', () => {
  let redis: TestRedis;
  let storages: RedisStorage[] = [];
  const sealKey = randomBytes(32);
  let prefix = '';

  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.close());
  beforeEach(() => {
    prefix = `test:${randomToken(16)}:`;
  });
  afterEach(() => {
    for (const storage of storages) storage.close();
    storages = [];
  });

  async function openWithRedis(): Promise<Node & { cache: ClientCache; healthy(): boolean }> {
    const storage = await openRedis({
      url: redis.url,
      prefix,
      sealKey,
      fallbackThrottle: createLocalThrottle(),
      onState: () => {},
    });
    storages.push(storage);
    const node = await openNode({ channel: storage.channel, cache: storage.cache });
    return Object.assign(node, { cache: storage.cache, healthy: storage.healthy });
  }
  const inRedis = async (id: string) => (await redis.client.keys(`${prefix}client:*:${id}`)).length > 0;

  /**
   * Has the node read the client until Redis keeps it: on a busy machine Redis may once take longer than it is given.
   */
  const kept = (node: Node, id: string) =>
    eventually('in Redis', async () => {
      await nameOf(node, id);
      await pause(20);
      if (await inRedis(id)) return true;
      await node.stores.changes.note('client', id);
      await node.cached.check();
      return false;
    });

  reloading(async () => [await openWithRedis(), await openWithRedis()]);

  test('what one process has read the other finds in Redis', async () => {
    const [one, two] = [await openWithRedis(), await openWithRedis()];
    await one.stores.clients.insert(buildClient('a'));
    await one.cached.check();
    await kept(one, 'a');
    expect(await nameOf(two, 'a')).toBe('a 1');
    expect(two.reads).toEqual([]);
  });

  test('after a reload every process finds every client in Redis', async () => {
    const [one, two] = [await openWithRedis(), await openWithRedis()];
    for (const id of ['a', 'b']) await one.stores.clients.insert(buildClient(id));
    await two.cached.check();
    await one.cached.reload();
    await two.cached.check();
    expect([await nameOf(two, 'a'), await nameOf(one, 'b')]).toEqual(['a 1', 'b 1']);
    expect([...one.reads, ...two.reads]).toEqual([]);
  });

  test('a change and a deletion reach every process, and Redis, within a second', async () => {
    const [one, two] = [await openWithRedis(), await openWithRedis()];
    await one.stores.clients.insert(buildClient('a'));
    await one.cached.start();
    await two.cached.start();
    await nameOf(one, 'a');
    await nameOf(two, 'a');
    await one.stores.clients.update(buildClient('a', 2));
    await one.cached.changed();
    expect(await nameOf(one, 'a')).toBe('a 2');
    await eventually('changed', async () => (await nameOf(two, 'a')) === 'a 2', 1000);
    await two.stores.clients.delete('a');
    await two.cached.changed();
    expect(await two.cached.find('a')).toBeUndefined();
    await eventually('deleted', async () => (await one.cached.find('a')) === undefined, 1000);
    expect(await inRedis('a')).toBe(false);
    expect(await (await openWithRedis()).cached.find('a')).toBeUndefined();
  });

  test.each<['killed' | 'hanging']>([['killed'], ['hanging']])(
    'a client deleted while Redis was %s is refused then and afterwards',
    async (how) => {
      const [one, two] = [await openWithRedis(), await openWithRedis()];
      for (const id of ['a', 'b']) await one.stores.clients.insert(buildClient(id));
      await one.cached.start();
      await two.cached.start();
      for (const id of ['a', 'b']) await nameOf(one, id);
      await kept(one, 'a');
      await redis.client.save();
      if (how === 'killed') await redis.kill();
      else redis.signal('SIGSTOP');
      try {
        await one.stores.clients.delete('a');
        await one.cached.changed();
        expect(await one.cached.find('a')).toBeUndefined();
        await eventually('deleted', async () => (await two.cached.find('a')) === undefined, 1000);
        expect(await nameOf(two, 'b')).toBe('b 1');
      } finally {
        if (how === 'killed') await redis.start();
        else redis.signal('SIGCONT');
      }
      const fresh = await openWithRedis();
      for (let i = 0; i < 20; i++) {
        for (const node of [one, two, fresh]) expect(await node.cached.find('a')).toBeUndefined();
        expect(await nameOf(fresh, 'b')).toBe('b 1');
        await pause(50);
      }
      await eventually('gone from Redis', async () => !(await inRedis('a')));
    },
  );

  test('whatever happens at once, a second later everybody agrees with the database', async () => {
    const writers = [await openWithRedis(), await openWithRedis(), await openWithRedis()];
    for (const node of writers) await node.cached.start();
    const ids = Array.from({ length: 8 }, (_, i) => `c${i}`);
    const until = performance.now() + 2500;
    const pick = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)] as T;
    const write = async (node: Node, id: string) => {
      const { clients } = (writers[0] ?? node).stores;
      const now = await clients.find(id);
      const next = { ...buildClient(id, (now?.version ?? 0) + 1), metadata: { client_name: randomToken(16) } };
      if (!now) await clients.insert(next);
      else if (Math.random() < 0.3) await clients.delete(id);
      else await clients.update(next);
      await node.cached.changed();
    };
    await Promise.all(
      Array.from({ length: 24 }, async (_, worker) => {
        const node = pick(writers);
        while (performance.now() < until) {
          const chance = worker < 3 ? Math.random() : 1;
          if (chance < 0.05) await node.cached.reload();
          else if (chance < 0.1 && worker === 0) await redis.client.flushall();
          else if (chance < 0.6) await write(node, pick(ids));
          else await node.cached.find(pick(ids));
          await pause(Math.random() * (worker < 3 ? 20 : 3));
        }
      }),
    );
    // A timer may be a moment early.
    await pause(1010);
    const nodes = [...writers, await openWithRedis()];
    for (const id of ids) {
      const stored = await writers[0]?.stores.clients.find(id);
      for (const node of nodes) expect(await node.cached.find(id)).toEqual(stored);
    }
  });

  test('a Redis that comes back between two looks, and has forgotten a deletion, is not believed', async () => {
    const [one, two] = [await openWithRedis(), await openWithRedis()];
    await one.stores.clients.insert(buildClient('a'));
    await one.cached.check();
    await kept(one, 'a');
    await redis.client.save();
    await one.stores.clients.delete('a');
    await one.cached.changed();
    expect(await inRedis('a')).toBe(false);
    await two.cached.check();
    await redis.kill();
    await redis.start();
    await eventually('connected', () => two.healthy());
    expect(await inRedis('a')).toBe(true);
    // Within the second in which it trusts what it has seen.
    expect(await two.cached.find('a')).toBeUndefined();
    expect(await (await openWithRedis()).cached.find('a')).toBeUndefined();
    expect(await inRedis('a')).toBe(false);
  });

  test('what was read from a Redis that has gone back in time is forgotten', async () => {
    const [one, two] = [await openWithRedis(), await openWithRedis()];
    await one.stores.clients.insert(buildClient('a'));
    await one.cached.check();
    await kept(one, 'a');
    const about = await redis.client.hgetall(`${prefix}clients`);
    const client = await redis.client.dumpBuffer(`${prefix}client:0:a`);
    await one.stores.clients.delete('a');
    await one.cached.changed();
    await two.cached.check();
    // Behind the back of a connection that notices nothing.
    await redis.client
      .multi()
      .restore(`${prefix}client:0:a`, 0, client, 'REPLACE')
      .hset(`${prefix}clients`, about)
      .exec();
    expect(await nameOf(two, 'a')).toBe('a 1');
    await two.cached.check();
    expect(await two.cached.find('a')).toBeUndefined();
  });

  test('a flushed Redis fills again', async () => {
    const node = await openWithRedis();
    await node.stores.clients.insert(buildClient('a'));
    await node.cached.reload();
    await redis.client.flushall();
    const fresh = await openWithRedis();
    expect(await nameOf(fresh, 'a')).toBe('a 1');
    await eventually('in Redis', () => inRedis('a'));
  });

  test('a Redis that remembers another database is not believed', async () => {
    const node = await openWithRedis();
    await node.stores.clients.insert(buildClient('a'));
    await node.cached.check();
    await nameOf(node, 'a');
    await eventually('in Redis', () => inRedis('a'));
    await redis.client.hset(`${prefix}clients`, 'applied', 1000);
    // As if the row had never been in this database.
    await node.stores.clients.delete('a');
    const fresh = await openWithRedis();
    expect(await fresh.cached.find('a')).toBeUndefined();
    expect((await fresh.cache.state())?.generation).toBeGreaterThan(0);
  });

  test('a reload that Redis missed empties it afterwards', async () => {
    const [one, two] = [await openWithRedis(), await openWithRedis()];
    await one.stores.clients.insert(buildClient('a'));
    await one.cached.check();
    await kept(one, 'a');
    const about = await redis.client.hgetall(`${prefix}clients`);
    await two.cached.reload();
    // As if the reload had come while Redis was away.
    await redis.client.hset(`${prefix}clients`, { ...about, generation: '0' });
    await one.cached.check();
    expect((await one.cache.state())?.generation).toBeGreaterThan(0);
    expect(await nameOf(one, 'a')).toBe('a 1');
  });

  test('poison in Redis is read past', async () => {
    const node = await openWithRedis();
    await node.stores.clients.insert(buildClient('a'));
    await node.cached.check();
    await redis.client.hset(`${prefix}client:0:a`, 'v', '99', 's', 'garbage');
    expect(await nameOf(node, 'a')).toBe('a 1');
    await redis.client.set(`${prefix}clients`, 'garbage');
    await node.stores.clients.update(buildClient('a', 2));
    await node.cached.check();
    expect(await nameOf(node, 'a')).toBe('a 2');
  });
});
