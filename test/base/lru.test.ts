/** A map that keeps the entries used most recently. */
import { expect, test } from '@jest/globals';
import { createLru } from '../../src/base/lru.ts';

test('what is used most recently stays, and never more than twice the limit', () => {
  const lru = createLru<number>(3);
  for (const [at, key] of ['a', 'b', 'c', 'd', 'e'].entries()) lru.set(key, at);
  expect(lru.get('a')).toBe(0);
  for (const key of ['f', 'g', 'h']) lru.set(key, 9);
  expect(['a', 'b', 'c'].map((key) => lru.get(key))).toEqual([0, undefined, undefined]);
});

test('what is removed is gone, however long ago it was used', () => {
  const lru = createLru<string>(2);
  for (const key of ['first', 'second', 'third']) lru.set(key, 'there');
  for (const key of ['first', 'third']) lru.delete(key);
  expect(['first', 'second', 'third'].map((key) => lru.get(key))).toEqual([undefined, 'there', undefined]);
  lru.clear();
  expect(lru.get('second')).toBeUndefined();
});
