import { describe, expect, test } from '@jest/globals';
import { createReservedNames, type NamedBy, newNameProblem } from '../../../src/core/accounts/new-names.ts';
import { toldEmail, toldName, toldUsername } from '../../../src/core/accounts/told-names.ts';
import { type NameProblem, readsAsAddress, usernameKey } from '../../../src/core/kernel/names.ts';

describe('S12: the name of a new account', () => {
  const cases: [string, NameProblem | undefined, NamedBy?][] = [
    ['ceo', undefined],
    ['ceo-corp.example', undefined],
    ['иван', undefined],
    ['山田taro', undefined],
    ['ceo@corp.example', 'unproved-address'],
    ['ceo@corp', 'unproved-address'],
    ['ceo@', 'unproved-address'],
    ['ceo＠corp.example', 'unproved-address'],
    ['ceo﹫corp.example', 'unproved-address'],
    ['ｃｅｏ＠ｃｏｒｐ', 'unproved-address'],
    ['a@b@corp.example', 'unproved-address'],
    ['ceo@bücher.example', 'unproved-address'],
    ['ceo@xn--bcher-kva.example', 'unproved-address'],
    ['ceo@corp.example', undefined, { provedEmail: 'ceo@corp.example' }],
    ['CEO＠corp.example', undefined, { provedEmail: 'ceo@CORP.example' }],
    ['ceo@bücher.example', undefined, { provedEmail: 'ceo@xn--bcher-kva.example' }],
    ['иван@corp.example', undefined, { provedEmail: 'иван@corp.example' }],
    ['ceo@corp.example', 'unproved-address', { provedEmail: 'else@corp.example' }],
    ['ceo@corp', 'unproved-address', { provedEmail: 'ceo@corp.example' }],
    ['ceo@corp.example.', 'ends-with-dot', { provedEmail: 'ceo@corp.example' }],
    ['ceo@corp.example', undefined, { unproved: true }],
    ['ceo@corp', undefined, { unproved: true }],
    ['иван@corp.example', undefined, { unproved: true }],
    ['сeo@corp.example', 'mixed-scripts', { unproved: true }],
    ['ceo@corp.example.', 'ends-with-dot', { unproved: true }],
    ['ceo.', 'ends-with-dot'],
    ['ceo．', 'ends-with-dot'],
    ['ceo\u2024', 'ends-with-dot'],
    ['ceo…', 'ends-with-dot'],
    ['c.e.o', undefined],
    ['аdmin', 'mixed-scripts'],
    ['ѕupport', 'mixed-scripts'],
    ['rοot', 'mixed-scripts'],
    ['օperator', 'mixed-scripts'],
    ['Ꭰavid', 'mixed-scripts'],
    ['', 'empty'],
    ['ceo@corp example', 'characters'],
  ];
  test.each(cases)('%j: %s %j', (name, problem, by = {}) => {
    expect(newNameProblem(name, by)).toBe(problem);
  });

  test('every character that is compared as @ reads as an address', () => {
    const wrong: string[] = [];
    for (let point = 1; point <= 0x10ffff; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const name = `ceo${String.fromCodePoint(point)}corp`;
      if (usernameKey(name) === 'ceo@corp' && !readsAsAddress(name)) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});

describe('S12: names of operators', () => {
  const isReserved = createReservedNames('Acme Bank');
  test.each([
    ...[
      'admin',
      'Admin',
      'ＡＤＭＩＮ',
      'admın',
      'ádmin',
      'ad.min',
      'a-d_m.i-n',
      'admin_',
      'adm1n',
      'admln',
      'аdmin',
      'аԁmіn',
    ],
    ...[
      'adrnin',
      'ᴀᴅᴍɪɴ',
      'r00t',
      'гооt',
      'no-reply',
      'noreply',
      'no.reply',
      'postmaster',
      'SUPPORT',
      'system',
      'info',
    ],
    ...['ADMIN™', 'adminᵀᴹ', 'support℠', 'admin²', 'root①', 'AcmeBank™'],
    ...['administrator', 'security', 'webmaster', 'abuse', 'help', 'gatehouse', 'Gate-House', 'acme-bank', 'AcmeBank'],
  ])('%s is reserved', (name) => {
    expect(isReserved(name)).toBe(true);
  });

  test.each([
    'alice',
    'adam',
    'admiral',
    'admin-of-lost-causes',
    'supporter',
    'rooted',
    'acme',
    'иван',
    '山田',
    'helper',
  ])('%s is not', (name) => {
    expect(isReserved(name)).toBe(false);
  });

  test('a brand of signs alone reserves nothing more', () => {
    expect(createReservedNames('***')('alice')).toBe(false);
  });
});

describe('S12: what others are told of a person', () => {
  const account = (username: string, email: string | null, verified: boolean, firstName = '') => ({
    ...{ username, usernameKey: usernameKey(username) ?? '', firstName, lastName: '' },
    ...{ email, emailKey: email === null ? null : (usernameKey(email) ?? null), verified },
  });
  test.each([
    ['a plain name', account('ann', 'ann@x.example', true), ['ann', 'ann', 'ann@x.example']],
    [
      'an address beside it that is not proved',
      account('ann', 'ann@x.example', false),
      ['ann', 'ann', 'ann@x.example'],
    ],
    [
      'a name that is proved',
      account('ann@x.example', 'Ann@x.example', true),
      [...Array(2).fill('ann@x.example'), 'Ann@x.example'],
    ],
    ['a name that is not', account('ann@x.example', 'ann@x.example', false), [undefined, undefined, undefined]],
    [
      'the same in another width',
      account('ann＠x.example', 'ann＠x.example', false),
      [undefined, undefined, undefined],
    ],
    ['a name without an address', account('ann@x', null, false), [undefined, undefined, undefined]],
    ['the address of another name', account('ann@x', 'ann@x.example', true), [undefined, undefined, 'ann@x.example']],
    ['a person with names', account('ann@x', null, false, 'Ann'), [undefined, 'Ann', undefined]],
    [
      'a first name that reads as an address',
      account('ann', null, false, 'ceo@corp.example'),
      ['ann', 'ann', undefined],
    ],
    ['the same beside such a username', account('ann@x', null, false, 'ceo＠corp'), [undefined, undefined, undefined]],
    [
      'a first name that is the proved address',
      account('ann', 'ann@x.example', true, 'Ann@x.example'),
      ['ann', 'Ann@x.example', 'ann@x.example'],
    ],
  ])('%s', (_what, named, told) => {
    expect([toldUsername(named), toldName(named), toldEmail(named)]).toEqual(told);
  });
});
