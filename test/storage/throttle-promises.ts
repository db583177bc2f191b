/** The promises of `Throttle` (core/stores), for every implementation alike. */
import { expect, test } from '@jest/globals';
import { randomToken } from '../../src/base/secrets.ts';
import type { Throttle } from '../../src/core/stores/volatile/throttle.ts';
import { eventually } from '../support/redis-server.ts';

export function throttlePromises(open: () => Throttle): void {
  const fresh = (limit: number) => ({ key: `key:${randomToken(16)}`, limit });
  const attempts = async (n: number, keys: { key: string; limit: number }[], seconds = 60) => {
    const outcomes = await Promise.all(Array.from({ length: n }, () => open().attempt(keys, seconds)));
    return outcomes.filter(({ allowed }) => allowed).length;
  };

  test('of 50 attempts at once exactly as many as the limit are allowed', async () => {
    const key = fresh(10);
    expect(await attempts(50, [key])).toBe(10);
    expect(await attempts(5, [key])).toBe(0);
  });

  test('a refusal says when to come back', async () => {
    const key = fresh(1);
    await open().attempt([key], 60);
    const refused = await open().attempt([key], 60);
    expect(refused).toEqual({ allowed: false, retryAfter: expect.any(Number) });
    if (refused.allowed) throw new Error('was allowed');
    expect(refused.retryAfter).toBeGreaterThanOrEqual(58);
    expect(refused.retryAfter).toBeLessThanOrEqual(60);
  });

  test('all keys must be within their limits, and a refused attempt counts on none of them', async () => {
    const tight = fresh(3);
    const wide = fresh(20);
    expect(await attempts(30, [wide, tight])).toBe(3);
    expect(await attempts(30, [wide])).toBe(17);
  });

  test('a window ends', async () => {
    const key = fresh(2);
    expect(await attempts(5, [key], 2)).toBe(2);
    await eventually('another one', async () => (await attempts(1, [key], 2)) === 1);
    expect(await attempts(5, [key], 2)).toBe(1);
  });

  test('an attempt that is given back can be made again, and no more than that', async () => {
    const key = fresh(2);
    expect(await attempts(3, [key])).toBe(2);
    await open().giveBack([key.key]);
    expect(await attempts(3, [key])).toBe(1);
    await open().giveBack([key.key, key.key]);
    await open().giveBack([key.key]);
    await open().giveBack([fresh(1).key]);
    expect(await attempts(5, [key])).toBe(2);
  });

  test('a key that is cleared starts again', async () => {
    const key = fresh(2);
    expect(await attempts(3, [key])).toBe(2);
    await open().clear(key.key);
    expect(await attempts(3, [key])).toBe(2);
  });

  test('any text is a key', async () => {
    for (const key of ['', 'ü\0\ud800 %', 'x'.repeat(10_000)]) {
      await open().clear(key);
      expect(await attempts(2, [{ key, limit: 1 }])).toBe(1);
    }
  });
}
