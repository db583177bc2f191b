import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomToken } from '../../src/base/secrets.ts';
import { createLocalThrottle } from '../../src/storage/local/throttle.ts';
import { type Connection, openConnection } from '../../src/storage/redis/connection.ts';
import { openRedis, type RedisStorage } from '../../src/storage/redis/open.ts';
import { createRedisThrottle } from '../../src/storage/redis/throttle.ts';
import { describeWith } from '../support/describe-with.ts';
import { patiently } from '../support/redis-server.ts';
import { throttlePromises } from './throttle-promises.ts';

describe('in the process', () => {
  const throttle = createLocalThrottle();
  throttlePromises(() => throttle);

  test('keeps no more than its number of keys, and forgets what has ended first', async () => {
    const small = createLocalThrottle(10);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(1e12);
    try {
      await small.attempt([{ key: 'long', limit: 1 }], 1000);
      for (let i = 0; i < 9; i++) await small.attempt([{ key: `short ${i}`, limit: 1 }], 1);
      clock.mockReturnValue(1e12 + 2000);
      for (let i = 0; i < 9; i++) await small.attempt([{ key: `new ${i}`, limit: 1 }], 1000);
      expect((await small.attempt([{ key: 'long', limit: 1 }], 1000)).allowed).toBe(false);
      for (let i = 0; i < 100; i++) await small.attempt([{ key: `more ${i}`, limit: 1 }], 1000);
      expect((await small.attempt([{ key: 'long', limit: 1 }], 1000)).allowed).toBe(true);
    } finally {
      clock.mockRestore();
    }
  });

  test('the wait that is said is long enough, also in the last second', async () => {
    const throttle = createLocalThrottle();
    const key = { key: 'k', limit: 1 };
    const clock = jest.spyOn(Date, 'now').mockReturnValue(1e12);
    try {
      await throttle.attempt([key], 60);
      clock.mockReturnValue(1e12 + 100);
      expect(await throttle.attempt([key], 60)).toEqual({ allowed: false, retryAfter: 60 });
      clock.mockReturnValue(1e12 + 59_999);
      expect(await throttle.attempt([key], 60)).toEqual({ allowed: false, retryAfter: 1 });
      clock.mockReturnValue(1e12 + 60_000);
      expect(await throttle.attempt([key], 60)).toEqual({ allowed: true });
    } finally {
      clock.mockRestore();
    }
  });

  test('a clock that is put back locks no one for longer', async () => {
    const throttle = createLocalThrottle();
    const key = { key: 'k', limit: 1 };
    const clock = jest.spyOn(Date, 'now').mockReturnValue(1e12);
    try {
      await throttle.attempt([key], 60);
      expect((await throttle.attempt([key], 60)).allowed).toBe(false);
      clock.mockReturnValue(1e12 - 3_600_000);
      expect((await throttle.attempt([key], 60)).allowed).toBe(true);
    } finally {
      clock.mockRestore();
    }
  });
});

const withRedis = describeWith('Redis');

withRedis('in Redis, from two processes', () => {
  let nodes: RedisStorage[] = [];
  let turn = 0;
  beforeAll(async () => {
    const prefix = `test:${randomToken(16)}:`;
    const open = () =>
      openRedis({
        url: patiently(process.env.TEST_REDIS_URL ?? ''),
        prefix,
        sealKey: randomBytes(32),
        // Nothing may be left to it as long as Redis answers.
        fallbackThrottle: createLocalThrottle(0),
        onState: () => {},
      });
    nodes = [await open(), await open()];
  });
  afterAll(() => {
    for (const node of nodes) node.close();
  });

  throttlePromises(() => {
    const node = nodes[turn++ % 2];
    if (!node) throw new Error('not open');
    return node.throttle;
  });

  test('what is lost on the way allows no more than the limit in one process', async () => {
    const connection = await openConnection(patiently(process.env.TEST_REDIS_URL ?? ''), () => {});
    let losing: 'nothing' | 'replies' | 'commands' = 'nothing';
    const lossy: Connection = {
      ...connection,
      async run(...command) {
        const reply = losing === 'commands' ? undefined : await connection.run(...command);
        return losing === 'replies' ? undefined : reply;
      },
    };
    try {
      for (const first of ['nothing', 'replies', 'commands'] as const) {
        for (const then of ['nothing', 'replies', 'commands'] as const) {
          const throttle = createRedisThrottle(lossy, `test:${randomToken(16)}:`, createLocalThrottle());
          const attempts = (n: number) =>
            Promise.all(Array.from({ length: n }, () => throttle.attempt([{ key: 'k', limit: 10 }], 60)));
          losing = first;
          const answers = await attempts(7);
          losing = then;
          answers.push(...(await attempts(30)));
          losing = 'nothing';
          answers.push(...(await attempts(30)));
          const allowed = answers.filter((answer) => answer.allowed).length;
          expect([first, then, allowed]).toEqual([first, then, 10]);
        }
      }
    } finally {
      connection.close();
    }
  });
});
