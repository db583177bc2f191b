/** How long a copy of a client's document is fresh: docs/metadata-clients.md has the bounds. */
import { expect, test } from '@jest/globals';
import { freshFor } from '../../../src/core/metadata-clients/lifetime.ts';

const now = 1_800_000_000;
const at = (seconds: number) => new Date((now + seconds) * 1000).toUTCString();

test.each<[Record<string, string>, number]>([
  [{}, 3600],
  [{ 'cache-control': 'max-age=7200' }, 7200],
  [{ 'cache-control': 'public, max-age="7200"', age: '200' }, 7000],
  [{ 'cache-control': 'max-age=0' }, 60],
  [{ 'cache-control': 'max-age=31536000' }, 86_400],
  [{ 'cache-control': 'no-store, max-age=7200' }, 60],
  [{ 'cache-control': 'No-Cache' }, 60],
  [{ 'cache-control': 'max-age=7200', expires: at(60_000) }, 7200],
  [{ expires: at(600) }, 600],
  [{ expires: at(-600) }, 60],
  [{ expires: at(1_000_000) }, 86_400],
  [{ expires: 'some day', age: 'old' }, 3600],
])('%j: %i seconds', (headers, seconds) => {
  expect(freshFor(headers, now)).toBe(seconds);
});
