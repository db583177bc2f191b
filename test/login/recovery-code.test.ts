import { describe, expect, test } from '@jest/globals';
import { recoveryCodeFormat } from '../../src/login/recovery-code/recovery-code.ts';

describe('recovery codes', () => {
  test('sixteen letters of 32, none of them twice', () => {
    const all = recoveryCodeFormat.make(1000);
    for (const code of all) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
    expect(new Set(all).size).toBe(1000);
    expect(new Set(all.join('').replaceAll('-', '')).size).toBe(32);
  });

  test.each([
    '0123-4567-89ab-cdef',
    ' 0123456789ABCDEF ',
    'O123 4567 89ab cdef',
    'oI23-4567-89ab-cdef',
    'ol23–4567–89ab–cdef',
    '０１２３-4567-89ab-cdef',
  ])('%j is one code, however it is written', (typed) => {
    expect(recoveryCodeFormat.read(typed)).toBe('0123456789abcdef');
  });

  test.each(['', '123456', '0123-4567-89ab-cde', '0123-4567-89ab-cdef0', '0123-4567-89ab-cdeu', 'x'.repeat(1_000_000)])(
    '%.20j cannot be one',
    (typed) => {
      expect(recoveryCodeFormat.read(typed)).toBeUndefined();
    },
  );
});
