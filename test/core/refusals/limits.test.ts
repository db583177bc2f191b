import { describe, expect, test } from '@jest/globals';
import { createRefusalLimits } from '../../../src/core/refusals/limits.ts';

describe('what one process records of refusals', () => {
  test('five of a kind in a minute; the rest count for the last of them; then again five', () => {
    const limits = createRefusalLimits();
    const at = (n: number, ms: number) => limits.judge('a', `r${n}`, ms);
    for (let n = 1; n <= 5; n++) expect(at(n, n * 1000)).toEqual({ kind: 'record' });
    for (let n = 6; n <= 1000; n++) expect(at(n, 30_000)).toEqual({ kind: 'repeat', reference: 'r5' });
    expect(at(1001, 60_999)).toEqual({ kind: 'repeat', reference: 'r5' });
    expect(at(1002, 61_000)).toEqual({ kind: 'record' });
  });

  test('twenty of all kinds in a second: beyond that a kind that is known counts, a new one is dropped', () => {
    const limits = createRefusalLimits();
    for (let n = 0; n < 20; n++) expect(limits.judge(`kind${n}`, `r${n}`, 5_000)).toEqual({ kind: 'record' });
    expect(limits.judge('kind20', 'r20', 5_999)).toEqual({ kind: 'drop' });
    expect(limits.judge('kind0', 'r21', 5_999)).toEqual({ kind: 'repeat', reference: 'r0' });
    expect(limits.judge('kind20', 'r22', 6_000)).toEqual({ kind: 'record' });
  });

  test('a clock that is set back begins a new window', () => {
    const limits = createRefusalLimits();
    for (let n = 1; n <= 6; n++) limits.judge('a', `r${n}`, 1_000_000);
    expect(limits.judge('a', 'r7', 1_000)).toEqual({ kind: 'record' });
  });

  test('however many kinds there are, what is remembered is bounded', () => {
    const limits = createRefusalLimits();
    for (let n = 0; n < 100_000; n++) limits.judge(`kind${n}`, `r${n}`, n * 50);
    expect(limits.judge('kind0', 'again', 5_000_000)).toEqual({ kind: 'record' });
  });
});
