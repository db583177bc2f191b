import { describe, expect, test } from '@jest/globals';
import { shapeOf, shown } from '../../../src/core/refusals/shown.ts';

describe('a secret is told by its shape', () => {
  test.each([
    ['z'.repeat(43), '43 characters, base64url'],
    ['123456', '6 characters, digits'],
    ['deadbeef', '8 characters, hexadecimal'],
    ['abc+/x==', '8 characters, base64'],
    ['x', '1 character, base64url'],
    ['aaa.bbb.ccc', '11 characters, a JWT'],
    ['p@ss w0rd', '9 characters, white space inside'],
    ['trailing ', '9 characters, white space at an end'],
    ['pässwort', '8 characters, other characters'],
    ['', 'nothing'],
    [undefined, 'nothing'],
    [['a', 'b'], 'a list'],
    [42, 'a number'],
  ])('%j', (value, shape) => {
    expect(shapeOf(value)).toBe(shape);
  });
});

describe('a value that is shown', () => {
  test('is one line of limited length without secrets', () => {
    expect(shown('https://app.example/cb?code=SECRETSECRET')).toBe('https://app.example/cb?code=[removed]');
    expect(shown('Bearer abcdefghijkl')).not.toContain('abcdefghijkl');
    expect(shown('a\nb\u202ec')).toBe('a\uFFFDb\uFFFDc');
    expect(shown('x'.repeat(5_000))).toHaveLength(301);
    expect(shown(undefined)).toBe('nothing');
    expect(shown(['a', 'b'])).toBe('["a","b"]');
    expect(shown('\ud800')).toBe('\uFFFD');
  });
});
