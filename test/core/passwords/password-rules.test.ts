/** B9 and B10 of the security checklist, as far as rules go. */
import { describe, expect, test } from '@jest/globals';
import { normalisePassword, type PasswordReason, passwordProblem } from '../../../src/core/passwords/password-rules.ts';

const context = {
  minLength: 15,
  serviceName: 'Gatehouse',
  own: ['margaret.hamilton', 'margaret@apollo.example', 'Margaret', 'Hamilton'],
};

const cases: [string, PasswordReason | undefined][] = [
  ['wet gravel under boots', undefined],
  ['correct horse battery staple', 'common'],
  ['alllowercaseandfine', undefined],
  ['     spaces count  too', undefined],
  ['🦊🐙🌵🪁🧭🫖🪴🧊🪲🦩🍋🧵🪗🛶🧶', undefined],
  ['гравій під черевиками', undefined],
  ['vrxq7-blmk2', 'too-short'],
  ['12345678901234', 'too-short'],
  ['\ufdfa', 'too-short'],
  ['wet\0gravel under boots', 'malformed'],
  ['wet gravel under boots\ud83d', 'malformed'],
  [`${'wet gravel under boots '.repeat(44)}${'x'.repeat(12)}`, undefined],
  [`${'wet gravel under boots '.repeat(44)}${'x'.repeat(13)}`, 'too-long'],
  ['x'.repeat(1_000_000), 'too-long'],
  ['margaret.hamilton', 'own-name'],
  ['Margaret.Hamilton12', 'own-name'],
  ['ＭＡＲＧＡＲＥＴ.hamilton', 'own-name'],
  ['hamilton.471192', 'own-name'],
  ['margaret@apollo.example1', 'own-name'],
  ['margaret likes long walks', undefined],
  ['gatehouse-gatehouse', 'service-name'],
  ['GateHouse123456', 'service-name'],
  ['the gatehouse keeper sleeps', undefined],
  ['aaaaaaaaaaaaaaa', 'pattern'],
  ['abababababababab', 'pattern'],
  ['abcxyzabcxyzabcxyz', 'pattern'],
  ['abcdefghijklmnop', 'pattern'],
  ['zyxwvutsrqponmlk', 'pattern'],
  ['qwertyuiopasdfgh', 'pattern'],
  ['QWERTYUIOP1234567', 'pattern'],
  ['1qaz2wsx3edc4rfv', 'pattern'],
  ['123456789012345', 'pattern'],
  ['passwordpassword', 'pattern'],
  ['password12345678', 'common'],
  ['P@ssw0rdP@ssw0rd', 'pattern'],
  ['password password', 'common'],
  ['otter-taotter-ta', 'pattern'],
  ['gravel-ottgravel-ott', undefined],
  ['iloveyou iloveyou', 'common'],
  ['letmeinletmein2024', 'common'],
  ['thisismypassword!!', 'common'],
  ['adminadminadmin', 'pattern'],
  ['welcome123456789', 'common'],
  ['sunshine-princess-dragon', 'common'],
  ['sunshine-princess-otter-gravel', undefined],
];

test.each(cases)('%j: %s', (password, code) => {
  expect(passwordProblem(password, context)?.code).toBe(code);
});

describe('length', () => {
  test('7 is too short, 8 will do where the setting is 8, 64 and 128 always do', () => {
    const eight = { ...context, minLength: 8 };
    expect(passwordProblem('vrxq7-b', eight)?.sentence).toBe('The password needs at least 8 characters.');
    expect(passwordProblem('vrxq7-bl', eight)).toBeUndefined();
    const long = 'q9 otter gravel tin '.repeat(7);
    expect(passwordProblem(long.slice(0, 64), context)).toBeUndefined();
    expect(passwordProblem(long.slice(0, 128), context)).toBeUndefined();
  });
});

describe('the form that is hashed', () => {
  test('composed, decomposed and full-width forms are one password', () => {
    const forms = ['crème brûlée à la carte', 'crème brûlée à la carte'.normalize('NFD'), 'ｃrème brûlée à la carte'];
    expect(new Set(forms.map(normalisePassword)).size).toBe(1);
  });

  test('case and blanks count', () => {
    expect(normalisePassword('A b')).not.toBe(normalisePassword('a b'));
    expect(normalisePassword('ab ')).not.toBe(normalisePassword('ab'));
  });

  test.each(['a\0b', '\ud800', 'x'.repeat(1025), 'x'.repeat(5000), '\ufdfa'.repeat(60)])(
    '%j is nobodys',
    (password) => {
      expect(normalisePassword(password)).toBeUndefined();
    },
  );
});
