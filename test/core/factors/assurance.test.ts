/** Which way leads to what a request asks for: the whole decision as tables. */
import { describe, expect, test } from '@jest/globals';
import {
  type AcrAsked,
  type Assurance,
  acrAsked,
  acrNames,
  acrOf,
  assuranceOf,
  type Reached,
  ruleFor,
  type SecondFactorRule,
  wantedBy,
  wayTo,
} from '../../../src/core/factors/assurance.ts';
import type { SecondFactor } from '../../../src/core/factors/factors.ts';

const names = acrNames('https://id.example.com');
const [single, multi, phr] = [
  'https://id.example.com/acr/single-factor',
  'http://schemas.openid.net/pape/policies/2007/06/multi-factor',
  'phr',
];

test('the names are those that discovery shows', () => {
  expect(names.all).toEqual([single, multi, phr]);
});

describe('what was proved', () => {
  const table: [string[] | undefined, Assurance][] = [
    [undefined, 'single'],
    [[], 'single'],
    [['pwd'], 'single'],
    [['pwd', 'otp'], 'single'],
    [['pwd', 'otp', 'mfa'], 'multi'],
    // Another provider's word for a key, without a word for a second factor.
    [['hwk'], 'single'],
    [['swk', 'user', 'mfa'], 'phishing-resistant'],
    [['pwd', 'hwk', 'user', 'mfa'], 'phishing-resistant'],
    [['pwd', 'otp', 'mfa', 'swk', 'user'], 'phishing-resistant'],
  ];
  test.each(table)('%j is %s', (amr, expected) => expect(assuranceOf(amr)).toBe(expected));
});

describe('the rule of a server and a client', () => {
  const table: [SecondFactorRule, unknown, SecondFactorRule][] = [
    ['none', undefined, 'none'],
    ['none', 'offered', 'offered'],
    ['none', 'required', 'required'],
    ['offered', 'none', 'offered'],
    ['offered', 'required', 'required'],
    ['required', 'none', 'required'],
    ['required', 'offered', 'required'],
    ['offered', 'anything', 'offered'],
    ['required', 7, 'required'],
  ];
  test.each(table)('%s and %j: %s', (server, client, expected) => expect(ruleFor(server, client)).toBe(expected));
});

describe('a request', () => {
  const table: [string, unknown, string | undefined, AcrAsked | undefined][] = [
    ['nothing', undefined, undefined, { values: [], essential: false }],
    ['acr_values', undefined, `${multi} ${phr}`, { values: [multi, phr], essential: false }],
    ['acr: null leaves acr_values', null, multi, { values: [multi], essential: false }],
    ['essential values', { essential: true, values: [phr] }, undefined, { values: [phr], essential: true }],
    ['one essential value', { essential: true, value: multi }, undefined, { values: [multi], essential: true }],
    ['values only', { values: [multi] }, undefined, { values: [multi], essential: false }],
    ['the claim over acr_values', { essential: true, value: phr }, single, { values: [phr], essential: true }],
    ['essential without a value', { essential: true }, multi, { values: [multi], essential: false }],
    ['an empty list', { essential: true, values: [] }, undefined, { values: [], essential: true }],
    ['a number', 7, undefined, undefined],
    ['a list', [multi], undefined, undefined],
    ['values that are none', { values: multi }, undefined, undefined],
    ['a value that is no text', { essential: true, values: [null] }, undefined, undefined],
    ['a value that is an object', { value: {} }, undefined, undefined],
    ['essential that is a text', { essential: 'true', value: multi }, undefined, undefined],
  ];
  test.each(table)('%s', (_what, claim, values, expected) => expect(acrAsked(claim, values)).toEqual(expected));
});

describe('what must and what should be reached', () => {
  const table: [string[], boolean, SecondFactorRule, readonly [Assurance, Assurance] | undefined][] = [
    [[], false, 'offered', ['single', 'single']],
    [[], false, 'required', ['multi', 'multi']],
    [[multi], false, 'none', ['single', 'multi']],
    [[phr, multi], false, 'none', ['single', 'phishing-resistant']],
    [['urn:unknown', multi], false, 'none', ['single', 'multi']],
    [['urn:unknown'], false, 'required', ['multi', 'multi']],
    [[multi], true, 'none', ['multi', 'multi']],
    [[phr, multi], true, 'none', ['multi', 'phishing-resistant']],
    [[phr], true, 'required', ['phishing-resistant', 'phishing-resistant']],
    [[single], true, 'required', ['multi', 'multi']],
    [['urn:unknown', multi], true, 'none', ['multi', 'multi']],
    [['urn:unknown'], true, 'none', undefined],
    [[], true, 'none', ['single', 'single']],
  ];
  test.each(table)('%j, essential %j, %s', (values, essential, rule, expected) => {
    const wanted = wantedBy({ values, essential }, rule, names);
    expect(wanted && [wanted.must, wanted.should]).toEqual(expected);
  });
});

describe('the acr of the answer', () => {
  const table: [Assurance, string[], string][] = [
    ['single', [], single],
    ['multi', [], multi],
    ['phishing-resistant', [], phr],
    ['single', [multi], single],
    ['phishing-resistant', [multi], multi],
    ['phishing-resistant', [phr, multi], phr],
    ['multi', [phr, multi], multi],
    ['multi', ['urn:unknown'], multi],
    ['multi', [single], single],
  ];
  test.each(table)('%s, asked for %j: %s', (reached, values, expected) =>
    expect(acrOf(reached, { values }, names)).toBe(expected),
  );
});

describe('the way there', () => {
  const none = { required: false, methods: [] };
  const app = { required: true, methods: ['totp', 'recovery-code'] as SecondFactor[] };
  const key = { required: true, methods: ['passkey', 'totp'] as SecondFactor[] };
  const locked = { required: true, methods: [] };
  const current = (reached: Assurance, factors: Reached['factors'], more: Partial<Reached> = {}): Reached => ({
    reached,
    factors,
    fresh: true,
    justNow: false,
    ...more,
  });
  const all = ['none', 'offered', 'required'] as const;
  const wish = (should: Assurance) => ({ must: 'single', should }) as const;
  const demand = (must: Assurance) => ({ must, should: must }) as const;

  const table: [
    string,
    { must: Assurance; should: Assurance },
    Reached,
    readonly SecondFactorRule[],
    ReturnType<typeof wayTo>,
  ][] = [
    ['nothing asked', demand('single'), current('single', none), all, { way: 'enough' }],
    ['a wish of who has none', wish('multi'), current('single', none), all, { way: 'enough' }],
    ['a wish of who has one', wish('multi'), current('single', app), all, { way: 'second-factor', only: undefined }],
    ['a wish once only', wish('phishing-resistant'), current('multi', key, { justNow: true }), all, { way: 'enough' }],
    ['a wish for a passkey of who has none', wish('phishing-resistant'), current('multi', app), all, { way: 'enough' }],
    [
      'a wish for a passkey',
      wish('phishing-resistant'),
      current('multi', key),
      all,
      { way: 'second-factor', only: undefined },
    ],
    ['a demand that is met', demand('multi'), current('phishing-resistant', key), all, { way: 'enough' }],
    [
      'a demand of who has one, however long ago the sign-in was',
      demand('multi'),
      current('single', app, { fresh: false }),
      all,
      { way: 'second-factor', only: undefined },
    ],
    [
      'a demand of who has locked theirs: not a new one in its place',
      demand('multi'),
      current('single', locked),
      all,
      { way: 'second-factor', only: undefined },
    ],
    [
      'a demand of who has none',
      demand('multi'),
      current('single', none),
      ['offered', 'required'],
      { way: 'enrol', only: undefined },
    ],
    [
      'the same, too long after the sign-in',
      demand('multi'),
      current('single', none, { fresh: false }),
      ['offered', 'required'],
      { way: 'sign-in' },
    ],
    ['the same where no one is to be bothered', demand('multi'), current('single', none), ['none'], { way: 'unmet' }],
    [
      'a passkey of who has one',
      demand('phishing-resistant'),
      current('multi', key),
      all,
      { way: 'second-factor', only: 'passkey' },
    ],
    [
      'a passkey of who has an app only: first what they have',
      demand('phishing-resistant'),
      current('single', app),
      all,
      { way: 'second-factor', only: undefined },
    ],
    [
      'and then a passkey is added',
      demand('phishing-resistant'),
      current('multi', app),
      ['offered', 'required'],
      { way: 'enrol', only: 'passkey' },
    ],
    [
      'after a fresh sign-in',
      demand('phishing-resistant'),
      current('multi', app, { fresh: false }),
      ['offered', 'required'],
      { way: 'sign-in' },
    ],
    ['or not at all', demand('phishing-resistant'), current('multi', app), ['none'], { way: 'unmet' }],
  ];
  test.each(table)('%s', (_what, wanted, stands, rules, expected) => {
    for (const rule of rules) expect(wayTo(wanted, stands, rule)).toEqual(expected);
  });
});
