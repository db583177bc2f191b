/** Redis as it really behaves: gone, hanging, flushed, poisoned (security.md K6). */

import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ClientRecord } from '../../src/core/stores/clients.ts';
import { createLocalThrottle } from '../../src/storage/local/throttle.ts';
import { openRedis, type RedisStorage } from '../../src/storage/redis/open.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually, patiently, startTestRedis, type TestRedis } from '../support/redis-server.ts';

const withRedis = describeWith('Redis');
const prefix = 'test:';
const sealKey = randomBytes(32);

function buildClient(id: string, version = 1): ClientRecord {
  return {
    id,
    metadata: { client_name: `${id} ${version}` },
    secrets: [{ hash: 'h', createdAt: 1, expiresAt: null }],
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

withRedis('Redis', () => {
  let redis: TestRedis;
  let opened: RedisStorage[] = [];
  let states: boolean[] = [];

  const open = async (key = sealKey, url = patiently(redis.url)) => {
    const storage = await openRedis({
      url,
      prefix,
      sealKey: key,
      fallbackThrottle: createLocalThrottle(),
      // Told again where only the reason is another.
      onState: (up) => {
        if (states.at(-1) !== up) states.push(up);
      },
    });
    opened.push(storage);
    return storage;
  };

  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    states = [];
    await redis.client.flushall();
  });
  afterEach(() => {
    for (const storage of opened) storage.close();
    opened = [];
  });

  describe('the client cache', () => {
    test('gives back what was put, in its own generation, and never an older version', async () => {
      const { cache } = await open();
      expect(await cache.state()).toEqual({ generation: 0, appliedSeq: 0 });
      await cache.put(0, buildClient('a', 2));
      expect(await cache.get(0, 'a')).toEqual(buildClient('a', 2));
      expect(await cache.get(1, 'a')).toBeUndefined();
      await cache.put(0, buildClient('a', 1));
      expect(await cache.get(0, 'a')).toEqual(buildClient('a', 2));
      await cache.put(0, buildClient('a', 3));
      expect(await cache.get(0, 'a')).toEqual(buildClient('a', 3));
      expect(await redis.client.pttl(`${prefix}client:0:a`)).toBeGreaterThan(3_000_000);
      expect(states).toEqual([true]);
    });

    test.each(['tokens', 'reviewedAt', 'ownDisabledAt'])(
      'S10, S11: a copy of an earlier version, which knew no %s, is a miss, and the next one takes its place',
      async (member) => {
        const { cache } = await open();
        await cache.state();
        const { [member as 'tokens']: _unknown, ...older } = buildClient('a', 2);
        await cache.put(0, older as ClientRecord);
        expect(await cache.get(0, 'a')).toBeUndefined();
        await cache.put(0, buildClient('a', 2));
        expect(await cache.get(0, 'a')).toEqual(buildClient('a', 2));
      },
    );

    test('stores nothing that can be read without the key, and takes nothing sealed under another', async () => {
      const { cache } = await open();
      await cache.state();
      await cache.put(0, buildClient('a'));
      expect(JSON.stringify(await redis.client.hgetall(`${prefix}client:0:a`))).not.toContain('client_name');
      const other = await open(randomBytes(32));
      await other.cache.state();
      expect(await other.cache.get(0, 'a')).toBeUndefined();
    });

    test('what was removed is not put back by a process that had read it before', async () => {
      const [slow, quick] = [await open(), await open()];
      await slow.cache.state();
      await quick.cache.state();
      await quick.cache.remove(0, ['a']);
      await slow.cache.put(0, buildClient('a'));
      expect(await quick.cache.get(0, 'a')).toBeUndefined();
      await slow.cache.state();
      await slow.cache.put(0, buildClient('a'));
      expect(await quick.cache.get(0, 'a')).toEqual(buildClient('a'));
    });

    test('marks go up only, and only for the generation in which something was removed', async () => {
      const [one, two] = [await open(), await open()];
      await one.cache.state();
      await one.cache.remove(0, []);
      await one.cache.markApplied(7);
      await one.cache.markApplied(5);
      expect(await one.cache.state()).toEqual({ generation: 0, appliedSeq: 7 });
      await one.cache.remove(0, ['a']);
      await two.cache.raiseGeneration(9, 6);
      await one.cache.markApplied(8);
      expect(await one.cache.state()).toEqual({ generation: 9, appliedSeq: 6 });
      await two.cache.raiseGeneration(8, 100);
      expect(await one.cache.state()).toEqual({ generation: 9, appliedSeq: 6 });
    });

    test('a removal that failed marks nothing', async () => {
      const { cache } = await open();
      await cache.state();
      await redis.client.config('SET', 'maxmemory', '1');
      await cache.remove(0, ['a']);
      await redis.client.config('SET', 'maxmemory', '0');
      await cache.markApplied(7);
      expect(await cache.state()).toEqual({ generation: 0, appliedSeq: 0 });
    });

    test('a generation that is being filled is not disturbed by removals from the current one', async () => {
      const [filling, other] = [await open(), await open()];
      await filling.cache.state();
      await other.cache.state();
      await other.cache.remove(0, ['x']);
      await filling.cache.put(5, buildClient('a'));
      await filling.cache.raiseGeneration(5, 1);
      expect(await other.cache.get(5, 'a')).toEqual(buildClient('a'));
    });

    test.each<[string, (key: string) => Promise<unknown>]>([
      ['a string', (key) => redis.client.set(key, 'x')],
      ['a list', (key) => redis.client.lpush(key, 'x')],
      ['a hash without a value', (key) => redis.client.hset(key, 'v', 'nan')],
      ['garbage', (key) => redis.client.hset(key, 'v', '999999999', 's', '\xff\x00 not sealed')],
      ['nothing', (key) => redis.client.hset(key, 'v', '1', 's', '')],
    ])('%s under a client key is a miss, and does not stay', async (_what, poison) => {
      const { cache } = await open();
      await cache.state();
      const key = `${prefix}client:0:a`;
      await poison(key);
      expect(await cache.get(0, 'a')).toBeUndefined();
      await cache.put(0, buildClient('a'));
      expect(await cache.get(0, 'a')).toEqual(buildClient('a'));
    });

    test('a sealed value that was moved to another client is a miss', async () => {
      const { cache } = await open();
      await cache.state();
      await cache.put(0, buildClient('a'));
      await redis.client.copy(`${prefix}client:0:a`, `${prefix}client:0:b`);
      await redis.client.copy(`${prefix}client:0:a`, `${prefix}client:1:a`);
      expect(await cache.get(0, 'b')).toBeUndefined();
      expect(await cache.get(1, 'a')).toBeUndefined();
    });

    test.each<[string, (key: string) => Promise<unknown>]>([
      ['a string', (key) => redis.client.set(key, 'x')],
      ['garbage', (key) => redis.client.hset(key, 'generation', '-1', 'applied', '1e9')],
    ])('%s in place of what the cache knows about itself is as if it knew nothing', async (_what, poison) => {
      const { cache } = await open();
      await poison(`${prefix}clients`);
      await cache.state();
      expect(await cache.state()).toEqual({ generation: 0, appliedSeq: 0 });
      await cache.put(0, buildClient('a'));
      expect(await cache.get(0, 'a')).toEqual(buildClient('a'));
    });

    test('flushed and out of memory are misses', async () => {
      const { cache, throttle, healthy } = await open();
      await cache.state();
      await cache.put(0, buildClient('a'));
      await redis.client.flushall();
      expect(await cache.get(0, 'a')).toBeUndefined();
      await redis.client.config('SET', 'maxmemory', '1');
      await cache.put(0, buildClient('b'));
      expect(await cache.get(0, 'b')).toBeUndefined();
      expect((await throttle.attempt([{ key: 'k', limit: 1 }], 60)).allowed).toBe(true);
      expect((await throttle.attempt([{ key: 'k', limit: 1 }], 60)).allowed).toBe(false);
      await redis.client.config('SET', 'maxmemory', '0');
      expect(healthy()).toBe(true);
    });

    test('scripts that Redis has forgotten are sent again', async () => {
      const { cache } = await open();
      await cache.state();
      await redis.client.script('FLUSH');
      await cache.put(0, buildClient('a'));
      expect(await cache.get(0, 'a')).toEqual(buildClient('a'));
    });
  });

  describe('the throttle', () => {
    test('rubbish under a counter counts as nothing', async () => {
      const { throttle } = await open();
      const key = { key: 'k', limit: 1 };
      for (const poison of [
        (name: string) => redis.client.set(name, 'x'),
        (name: string) => redis.client.lpush(name, 'x'),
        (name: string) => redis.client.set(name, '1e300'),
      ]) {
        await throttle.clear('k');
        await throttle.attempt([key], 60);
        const [name] = await redis.client.keys(`${prefix}attempts:*`);
        await redis.client.del(name ?? '');
        await poison(name ?? '');
        expect((await throttle.attempt([key], 60)).allowed).toBe(true);
        expect((await throttle.attempt([key], 60)).allowed).toBe(false);
      }
    });

    test('a counter that has lost its end gets one', async () => {
      const { throttle } = await open();
      await throttle.attempt([{ key: 'k', limit: 1 }], 60);
      const [name = ''] = await redis.client.keys(`${prefix}attempts:*`);
      await redis.client.persist(name);
      expect((await throttle.attempt([{ key: 'k', limit: 1 }], 60)).allowed).toBe(false);
      expect(await redis.client.pttl(name)).toBeGreaterThan(0);
    });
  });

  describe('the channel', () => {
    test('reaches the others, not the sender, also after Redis was away', async () => {
      let heard = 0;
      let own = 0;
      // At once: that they are connected is the first thing they tell.
      const one = await open();
      one.channel.subscribe(() => {
        own += 1;
      });
      const two = await open();
      two.channel.subscribe(() => {
        heard += 1;
      });
      await eventually('both subscribed', () => heard === 1 && own === 1);
      heard = 0;
      own = 0;
      one.channel.publish();
      await eventually('heard', () => heard === 1);
      expect(own).toBe(0);

      await redis.kill();
      one.channel.publish();
      await redis.start();
      // The reconnection alone counts as a message: one may have been missed.
      await eventually('told after the reconnection', () => heard === 2 && own === 1);
      await eventually('up', () => one.healthy());
      one.channel.publish();
      await eventually('heard again', () => heard === 3);
      await redis.client.ping();
    });
  });

  describe('outages', () => {
    test('killed: every answer is a miss at once; back: it is used again', async () => {
      const { cache, throttle, healthy } = await open();
      await cache.state();
      await cache.put(0, buildClient('a'));
      await redis.kill();
      const before = performance.now();
      for (let i = 0; i < 100; i++) expect(await cache.get(0, 'a')).toBeUndefined();
      expect(await cache.state()).toBeUndefined();
      await cache.remove(0, ['a']);
      await cache.markApplied(3);
      await cache.raiseGeneration(3, 3);
      expect((await throttle.attempt([{ key: 'k', limit: 1 }], 60)).allowed).toBe(true);
      expect((await throttle.attempt([{ key: 'k', limit: 1 }], 60)).allowed).toBe(false);
      // Measured, not timed: one wait for each would be 20 s and more.
      expect(performance.now() - before).toBeLessThan(10_000);
      expect(healthy()).toBe(false);
      await redis.start();
      await eventually('used again', async () => (await cache.state()) !== undefined);
      await cache.put(0, buildClient('a'));
      expect(await cache.get(0, 'a')).toEqual(buildClient('a'));
      expect(states).toEqual([true, false, true]);
    });

    test('hanging: one wait for everybody, not one for each', async () => {
      const { cache } = await open(sealKey, redis.url);
      await cache.state();
      await cache.put(0, buildClient('a'));
      redis.signal('SIGSTOP');
      try {
        const before = performance.now();
        await Promise.all(Array.from({ length: 50 }, () => cache.get(0, 'a')));
        for (let i = 0; i < 200; i++) expect(await cache.get(0, 'a')).toBeUndefined();
        // Measured, not timed: 250 waits one after another or one per request would be 10 to 50 s.
        expect(performance.now() - before).toBeLessThan(8000);
        // Until it is given up and connected to again.
        await new Promise((resolve) => setTimeout(resolve, 5500));
        expect(await cache.state()).toBeUndefined();
      } finally {
        redis.signal('SIGCONT');
      }
      await eventually('used again', async () => (await cache.state()) !== undefined);
      expect(await cache.get(0, 'a')).toEqual(buildClient('a'));
      expect(states).toEqual([true, false, true]);
    });

    test('not there at the start', async () => {
      await redis.kill();
      const { cache } = await open();
      expect(await cache.state()).toBeUndefined();
      expect(states).toEqual([false]);
      await redis.start();
      await eventually('used', async () => (await cache.state()) !== undefined);
      expect(states).toEqual([false, true]);
    });
  });
});
