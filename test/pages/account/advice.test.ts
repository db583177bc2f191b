/** What the overview says about the protection of an account, and the one step it proposes. */
import { expect, test } from '@jest/globals';
import { adviceFor, type Protection } from '../../../src/pages/account/kit/advice.ts';

const weak: Protection = {
  ...{ hasPassword: true, twoFactor: false, codesLeft: undefined, email: 'unverified', adds: 'passkey' },
  codesSaved: true,
};
const strong: Protection = { ...weak, twoFactor: true, codesLeft: 10, email: 'verified' };

test.each<[string, Protection, object]>([
  ['a password alone', weak, { kind: 'password-only', good: false, to: '/account/security#passkeys', add: 'passkey' }],
  [
    'without passkeys, an app is proposed',
    { ...weak, adds: 'app' },
    { kind: 'password-only', to: '/account/security', add: 'app' },
  ],
  ['an account elsewhere alone', { ...weak, hasPassword: false }, { kind: 'provider-only', add: 'passkey' }],
  [
    'codes that may not be saved, before all but the second factor',
    { ...strong, codesSaved: false, email: 'none' },
    { kind: 'codes-unsaved', good: false, to: '/account/factors/codes' },
  ],
  ['a password alone comes before them', { ...weak, codesSaved: false }, { kind: 'password-only' }],
  [
    'no codes left, before the address',
    { ...strong, codesLeft: 0, email: 'unverified' },
    { kind: 'codes-none', to: '/account/security#codes' },
  ],
  ['an address that is not confirmed', { ...strong, email: 'unverified' }, { kind: 'email-unverified', good: false }],
  ['it comes before few codes', { ...strong, codesLeft: 1, email: 'unverified' }, { kind: 'email-unverified' }],
  ['no address', { ...strong, email: 'none' }, { kind: 'email-none', to: '/account/email' }],
  ['three codes are few', { ...strong, codesLeft: 3 }, { kind: 'codes-few', count: 3, good: false }],
  ['four are not', { ...strong, codesLeft: 4 }, { kind: 'strong', good: true }],
  [
    'a passkey without a password needs no codes',
    { ...strong, hasPassword: false, codesLeft: undefined },
    { kind: 'strong' },
  ],
  ['a server without mail proposes no address', { ...strong, email: undefined }, { kind: 'strong', good: true }],
  ['nothing that can be added', { ...weak, adds: undefined, email: 'verified' }, { kind: 'nothing-to-do', good: true }],
])('%s', (_, given, advice) => {
  expect(adviceFor(given)).toMatchObject(advice);
});

test('a good account has no step, any other has one', () => {
  for (const twoFactor of [true, false])
    for (const codesLeft of [undefined, 0, 2, 9])
      for (const email of [undefined, 'none', 'unverified', 'verified'] as const)
        for (const adds of [undefined, 'passkey', 'app'] as const) {
          const { good, to } = adviceFor({ hasPassword: true, codesSaved: true, twoFactor, codesLeft, email, adds });
          expect([good, to !== undefined]).toEqual([good, !good]);
        }
});
