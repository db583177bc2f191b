/** The marks of providers: which provider has which, and that each is drawn and readable. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { markFor, marks } from '../../../src/login/upstream/marks.ts';
import { contrast } from '../../../src/pages/kit/brand/colour.ts';
import { cardColours } from '../../../src/pages/kit/brand/theme.ts';

const sprite = readFileSync(join(import.meta.dirname, '../../../public/providers.svg'), 'utf8');
const symbols = new Map(
  Array.from(sprite.matchAll(/<symbol id="([^"]+)"[\s\S]*?<\/symbol>/g), ([whole, id = '']) => [id, whole]),
);

test('the sprite has each mark, and no other', () => {
  expect([...symbols.keys()].sort()).toEqual([...marks].sort());
});

test('each mark is readable on a card in light and in dark: in the colour of the text, or with a contrast of 3:1', () => {
  const unreadable = marks.filter((mark) => {
    const colours = [...(symbols.get(mark) ?? '').matchAll(/fill="(#[0-9a-f]{6})"/g)].map(([, colour = '']) => colour);
    return colours.length > 0 && !cardColours.every((card) => colours.some((colour) => contrast(colour, card) >= 3));
  });
  expect(unreadable).toEqual([]);
});

test('the sprite has drawings only: no script, no style, no link and nothing from elsewhere', () => {
  expect(sprite).not.toMatch(/<(script|style|image|use|a|foreignObject)\b|\son\w+=|href|url\(|data:/i);
});

test.each([
  ['google', { issuer: 'https://accounts.google.com' }],
  ['microsoft', { issuer: 'https://login.microsoftonline.com/organizations/v2.0' }],
  ['apple', { issuer: 'https://appleid.apple.com' }],
  ['gitlab', { issuer: 'https://gitlab.com' }],
  ['linkedin', { issuer: 'https://www.linkedin.com/oauth' }],
  ['facebook', { issuer: 'https://www.facebook.com' }],
  ['slack', { issuer: 'https://slack.com' }],
  ['okta', { issuer: 'https://example.okta.com/oauth2/default' }],
  ['auth0', { issuer: 'https://example.eu.auth0.com/' }],
  ['keycloak', { issuer: 'https://login.example.com/realms/staff' }],
  ['keycloak', { issuer: 'https://login.example.com/auth/realms/staff' }],
  ['authentik', { issuer: 'https://login.example.com/application/o/gatehouse/' }],
  ['github', { authorization_endpoint: 'https://github.com/login/oauth/authorize' }],
  ['github', { userinfo_endpoint: 'https://git.example.com/api/v3/user' }],
  ['gitea', { userinfo_endpoint: 'https://git.example.com/login/oauth/userinfo' }],
  ['x', { authorization_endpoint: 'https://x.com/i/oauth2/authorize' }],
  [undefined, { issuer: 'https://login.example.com' }],
  // Hosts that only look alike.
  [undefined, { issuer: 'https://notokta.com' }],
  [undefined, { issuer: 'https://okta.com.example' }],
  [undefined, { issuer: 'https://netflix.com' }],
  [undefined, { issuer: 'https://google.com.example/accounts.google.com' }],
  [undefined, { issuer: 'not an address' }],
] as const)('%s: %j', (mark, addresses) => {
  expect(markFor(addresses)).toBe(mark);
});
