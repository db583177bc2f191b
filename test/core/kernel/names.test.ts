import { describe, expect, test } from '@jest/globals';
import {
  emailKey,
  emailProblem,
  fold,
  type NameProblem,
  personNameProblem,
  usernameKey,
  usernameProblem,
} from '../../../src/core/kernel/names.ts';
import { commonPasswords } from '../../../src/core/passwords/common-passwords.ts';

describe('the key of a username', () => {
  const same: [string, ...string[]][] = [
    ['alice', 'Alice', 'ALICE', 'ａｌｉｃｅ', 'ＡＬＩＣＥ', '𝒶𝓁𝒾𝒸ℯ'],
    ['straße', 'STRASSE', 'strasse', 'STRAẞE', 'straẞe'],
    ['σίσυφος', 'ΣΊΣΥΦΟΣ', 'σίσυφοσ'],
    ['kelvin', '\u212Aelvin'],
    ['ångström', '\u212Bngström', 'A\u030Angstro\u0308m'],
    ['sister', '\u017Fi\u017Fter'],
    ['ﬀ', 'ff', 'FF'],
    ['µ', 'μ', 'Μ'],
    ['admin', 'admın', 'ADMIN'],
    ['istanbul\u0130', 'ISTANBULİ', 'ıSTANBULI\u0307'],
    ['ﬅar', 'star', 'ﬆar'],
    ['ᏸog', 'Ᏸog'],
    ['é', 'e\u0301', 'É'],
    ['bob@xn--mnchen-3ya.de', 'bob@münchen.de', 'BOB@MÜNCHEN.DE', 'bob＠münchen．de'],
  ];
  test.each(same)('%s: all spellings are one', (...names) => {
    expect(new Set(names.map(usernameKey)).size).toBe(1);
    expect(usernameKey(names[0])).toBeDefined();
  });

  test.each([
    ['alice', 'а\u200Blice'],
    ['istanbul', 'İstanbul'],
    ['straße', 'strase'],
    ['bob@strasse.de', 'bob@straße.de'],
    ['e', 'é'],
  ])('%s and %s are two', (a, b) => {
    expect(usernameKey(a)).not.toBe(usernameKey(b));
  });

  test.each(['\0', 'a\0b', '\ud800', 'x\udfff', '', 'a'.repeat(2000), '\ufdfa'.repeat(100)])(
    '%j is no name',
    (name) => {
      expect(usernameKey(name)).toBeUndefined();
    },
  );

  test('a key of a key is the same key, for every character there is', () => {
    const wrong: string[] = [];
    for (let point = 1; point <= 0x10ffff; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const character = String.fromCodePoint(point);
      const cased = [
        character.toUpperCase(),
        character.toLowerCase(),
        character.normalize('NFD'),
        character.normalize('NFKC'),
      ];
      if (cased.every((other) => other === character)) continue;
      const key = fold(`a${character}b`);
      if (fold(key) !== key || cased.some((other) => fold(`a${other}b`) !== key)) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});

describe('new names', () => {
  const usernames: [string, NameProblem | undefined][] = [
    ['alice', undefined],
    ['Zoë.van-der_Berg+1', undefined],
    ['a2988ca209ad0907d3af9c1c3b7acb1e', undefined],
    ['7', undefined],
    ['山田太郎', undefined],
    ['علي', undefined],
    ['देवनागरी', undefined],
    ['alice@example.com', undefined],
    ['Nguye\u0302\u0303n', undefined],
    ['a'.repeat(64), undefined],
    ['', 'empty'],
    ['a'.repeat(65), 'too-long'],
    ['\ufdfa'.repeat(10), 'too-long'],
    ['ß'.repeat(33), 'too-long'],
    ['a'.repeat(100_000), 'too-long'],
    ['a\0b', 'malformed'],
    ['a\ud800b', 'malformed'],
    ['\udc00', 'malformed'],
    ['a\u200db', 'invisible'],
    ['a\u200bb', 'invisible'],
    ['a\u00adb', 'invisible'],
    ['a\u202eb', 'invisible'],
    ['a\u2066b', 'invisible'],
    ['a\ufeffb', 'invisible'],
    ['a\ufe0fb', 'invisible'],
    ['a\u3164b', 'invisible'],
    ['a\uffa0b', 'invisible'],
    ['a\u034fb', 'invisible'],
    ['a\u{e0041}b', 'invisible'],
    ['a\tb', 'invisible'],
    ['a\r\nSet-Cookie', 'invisible'],
    ['a\u0085b', 'invisible'],
    [`z${'\u0335'.repeat(4)}`, undefined],
    [`z${'\u0335'.repeat(5)}`, 'marks'],
    ['alice:x', 'characters'],
    ['alice bob', 'characters'],
    [' alice', 'characters'],
    ['alice\u3000', 'characters'],
    ['.alice', 'characters'],
    ['-rf', 'characters'],
    ['..', 'characters'],
    ['@', 'characters'],
    ['\u0301a', 'characters'],
    ['a/b', 'characters'],
    ['a<b', 'characters'],
    ["a'b", 'characters'],
    ['a%00', 'characters'],
    ['😀', 'characters'],
    ['a\ue000', 'characters'],
    ['a\u0378', 'characters'],
  ];
  test.each(usernames)('username %j: %s', (name, problem) => {
    expect(usernameProblem(name)).toBe(problem);
    if (problem === undefined) expect(usernameKey(name)).toBeDefined();
  });

  const emails: [string, NameProblem | undefined][] = [
    ['alice@example.com', undefined],
    ["o'brien+tag@mail.example.co.uk", undefined],
    ['jörg@müller.de', undefined],
    ['alice@localhost', 'not-an-email'],
    ['alice', 'not-an-email'],
    ['a@b@example.com', 'not-an-email'],
    ['a b@example.com', 'not-an-email'],
    ['<a@example.com>', 'not-an-email'],
    ['a@example.com,b@example.com', 'not-an-email'],
    ['a@example.com\r\nBcc: b@example.com', 'invisible'],
    ['a@exam\u200bple.com', 'invisible'],
    ['a@exa mple.com', 'not-an-email'],
    ['a@example.com/..', 'not-an-email'],
    ['a@[127.0.0.1]', 'not-an-email'],
    ['a\0@example.com', 'malformed'],
    ['\ud800@example.com', 'malformed'],
    ['', 'empty'],
    [`${'a'.repeat(250)}@example.com`, 'too-long'],
  ];
  test.each(emails)('e-mail %j: %s', (email, problem) => {
    expect(emailProblem(email)).toBe(problem);
    if (problem === undefined) expect(emailKey(email)).toBe(usernameKey(email));
  });

  const people: [string, NameProblem | undefined][] = [
    ['', undefined],
    ['Ada', undefined],
    ["Seán O'Casey-Ní Dhomhnaill", undefined],
    ['می\u200cخواهم', undefined],
    ['<script>alert(1)</script>', undefined],
    ['a'.repeat(101), 'too-long'],
    ['a\u202eb', 'invisible'],
    ['a\nb', 'invisible'],
    ['a\0', 'malformed'],
    ['\ud83d', 'malformed'],
    [`a${'\u0301'.repeat(12)}`, 'marks'],
  ];
  test.each(people)('name of a person %j: %s', (name, problem) => {
    expect(personNameProblem(name)).toBe(problem);
  });
});

test('the list of common passwords is folded, or its entries would match nothing', () => {
  expect([...commonPasswords].filter((word) => fold(word) !== word)).toEqual([]);
});
