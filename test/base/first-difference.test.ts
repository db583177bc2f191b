import { expect, test } from '@jest/globals';
import { firstDifference } from '../../src/base/first-difference.ts';

test.each([
  ['abc', 'abd', 2],
  ['abc', 'abc', 3],
  ['abc', 'ab', 2],
  ['ab', 'abc', 2],
  ['', 'a', 0],
  ['a😀', 'a😁', 1],
])('%j differs from %j at %d', (a, b, index) => {
  expect(firstDifference(a, b)).toBe(index);
});
