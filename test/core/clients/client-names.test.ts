/** S11: which names an unreviewed client must not have. */
import { describe, expect, test } from '@jest/globals';
import { reservedClientName } from '../../../src/core/clients/client-names.ts';

const own = ['Acme Identity', 'id.acme.example'];
const ours = 'is reserved for this server';
const mixed = 'must not mix alphabets within a word';

describe('S11: names of unreviewed clients', () => {
  test.each([
    ...[
      'Gatehouse',
      'gatehouse',
      'GATEHOUSE',
      'Gate house',
      'Gate-House',
      'G a t e h o u s e',
      'Ｇａｔｅｈｏｕｓｅ',
      ' Gatehouse ',
    ],
    ...[
      'Gate\u200bhouse',
      'Gate\u00adhouse',
      'Gatehouse™',
      'Gatéhouse',
      'Gatehouse!',
      '«Gatehouse»',
      'G4tehouse',
      'Gateh0use',
    ],
    ...['Gatehouse Support', 'The Gatehouse', 'GatehouseSupport', 'GATEHOUSESUPPORT', 'gatehouse.example'],
    ...['Acme Identity', 'acme-identity', 'ACMEIDENTITY', 'Acme Identity Help', 'My Acme Identity app'],
    ...[
      'Playground',
      'Account',
      'My account',
      'Account security',
      'Account-Security',
      'AccountSecurity',
      'Account pages',
    ],
    ...[
      'Admin',
      'Adm!n',
      'admin.',
      'Administrator',
      'Shop Admin',
      'Support',
      'Customer Support',
      'Security',
      'Security team',
    ],
    ...[
      'Login',
      'Log in',
      'L o g i n',
      'Sign in',
      'Sign-in',
      'SIGNIN',
      'Sign In Page',
      'Sign up',
      'Password reset',
      'SSO',
    ],
    ...['Konto', 'Anmelden', 'Sicherheit', 'تسجيل الدخول', 'حسابي'],
    ...['GATEHOUSE™', 'Gatehouseᵀᴹ', 'Gatehouse²', 'Gatehouse2', 'Gatehouse 2', 'Account①', 'Login2', 'Login 2'],
    ...['id.acme.example', 'ID.ACME.EXAMPLE', 'https://id.acme.example', 'id-acme-example'],
    ...['Password', 'Security alert', 'Verify your account', 'Account settings', 'Support desk'],
    // Whole words of another alphabet that look like ours.
    ...['ЅЕСURІТY'.replace(/[URY]/g, (letter) => ({ U: 'Ս', R: 'Ꮢ', Y: 'Ү' })[letter] ?? letter)],
  ])('%j is refused', (name) => {
    expect([ours, mixed]).toContain(reservedClientName(name, own));
  });

  test.each(['Gаtehouse', 'Bооkshelf', 'Sеcurity', 'Αccount', 'Bookshelf Адmin', 'Ꭺdmin'])(
    '%j mixes alphabets within a word',
    (name) => {
      expect(reservedClientName(name, own)).toBe(mixed);
    },
  );

  test.each([
    ...[
      'Home Security Camera',
      'Acme Support',
      'acme.example',
      'Studio 54',
      'Password manager',
      'Update checker',
      'Login Lab',
      'Account Keeper',
      'The Team App',
      'My App',
      'Customer Service',
    ],
    ...['Bookshelf', 'Lending', 'Acme', 'Identity of things', 'Accountant', 'Securities', 'Supportive', 'Loginess'],
    ...[
      'Книги',
      'Книги Bookshelf',
      'Βιβλία',
      '本棚',
      'مكتبة',
      'Bücherregal',
      'C++ & more',
      '42',
      '!!!',
      'Ёлка 2',
      'x'.repeat(2048),
    ],
    ...[`${'a '.repeat(1000)}b`],
  ])('%j is no name of ours', (name) => {
    expect(reservedClientName(name, own)).toBeUndefined();
  });

  test.each(['\u202eesuohetaG', '\u2067esuohetaG\u2069', 'Book\u202eflehs'])(
    '%j turns the direction of reading',
    (name) => {
      expect(reservedClientName(name, own)).toBe('must not change the text direction');
    },
  );

  test('a brand of signs alone reserves nothing', () => {
    expect(reservedClientName('Bookshelf', ['***'])).toBeUndefined();
  });
});
