import { describe, expect, test } from '@jest/globals';
import { lookAlikeKey, mixesScripts } from '../../../src/core/kernel/look-alikes.ts';

describe('S12: letters of two alphabets in one name', () => {
  test.each(['аdmin', 'pаypal', 'αdmin', 'ｇоogle', 'օffice', 'Ꭰavid', 'ꭰavid', 'µTorrent', 'Ω-lab', 'a\u0483b'])(
    '%s mixes',
    (name) => {
      expect(mixesScripts(name)).toBe(true);
    },
  );

  test.each([
    ...['admin', 'иван', 'иван.2', 'Δημήτρης', 'ἀλήθεια', 'Արամ', 'ᏣᎳᎩ', 'e\u0301lise', 'é', 'и\u0301ван', 'й'],
    ...['naïve_2', '山田taro', 'ヤマダ-ken', 'محمد', 'ｊｏｈｎ', '123', '', '٣', 'łódź', 'ﬁnn'],
  ])('%s does not', (name) => {
    expect(mixesScripts(name)).toBe(false);
  });
});

describe('S12: names that look alike have one key', () => {
  test.each([
    [
      'admin',
      'ADMIN',
      'аdmіn',
      'αdmin',
      'ádmin',
      'аԁміn',
      'ᴀᴅᴍɪɴ',
      'adm1n',
      'admln',
      'adm|n',
      'ａｄｍｉｎ',
      'adrnin',
      '𝐚𝐝𝐦𝐢𝐧',
    ],
    ['root', 'r00t', 'гооt', 'rооτ', 'R\u00d8\u00d8T', 'ro\u00ado\u200bt'],
    ['help', 'НЕLР', 'hеlр', 'HELP', 'нelp', 'HE1P', 'ʜᴇʟᴘ', 'Ꮋelp'],
    ['support', 'ѕuррогt', 'ՏUPPORT', 'ꮪupport', '$upport', '5upport'],
    ['www', 'vvww', 'ԝww', 'ᎳWW'],
  ])('%s', (...names) => {
    expect(names.map(lookAlikeKey)).toEqual(names.map(() => lookAlikeKey(names[0])));
  });

  test.each([
    ['admin', 'adam'],
    ['help', 'kelp'],
    ['иван', 'ivan'],
    ['support', 'supporter'],
    ['a.b', 'ab'],
    ['山田', '山本'],
  ])('%s and %s are two', (a, b) => {
    expect(lookAlikeKey(a)).not.toBe(lookAlikeKey(b));
  });

  test('a key of a key is the same key, for every character of the first two planes', () => {
    const wrong: string[] = [];
    for (let point = 1; point <= 0x1ffff; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const key = lookAlikeKey(String.fromCodePoint(point));
      if (lookAlikeKey(key) !== key) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});
