/** Sample letters: each kind of mail as it usually is, and with the longest and the fewest words. */
import type { Letter, LetterFacts } from '../../src/core/mail/mailer.ts';

const to = 'ada@example.org';
const token = 'Qw3rTyUiOpAsDfGhJkLzXcVbNm0123456789_-QwErT';
const facts: LetterFacts = {
  username: 'ada',
  at: 1_773_324_300,
  zone: 'Europe/Berlin',
  program: 'Firefox',
  system: 'Windows',
  address: '203.0.113.42',
};
const byAdmin: LetterFacts = { username: 'ada', at: facts.at, byAdmin: true };
/** Nothing to break a line at, and an address of the longest kind. */
const longFacts: LetterFacts = {
  ...facts,
  username: 'Donaudampfschifffahrtsgesellschaft'.repeat(4).slice(0, 128),
  program: 'a-program-with-a-name-of-forty-letters-xx',
  address: '2001:0db8:85a3:0000:0000:8a2e:0370:7334',
};
const longName =
  'The Very Long Named Reading and Lending Library of Upper and Lower Example-Dampfschifffahrtsgesellschaft';
const onTheWay = new URLSearchParams({ continue: `/oauth/authorize/${'x'.repeat(43)}`, client: longName });

type Sample = Omit<Letter, 'to' | 'locale'>;

const reset: Sample = { kind: 'reset-password', path: `/reset?token=${token}`, seconds: 1800, facts };
const changed: Sample = { kind: 'password-changed', path: '/forgot', facts };
const added: Sample = { kind: 'factor-added', path: '/account/factors', facts: { ...facts, factor: 'passkey' } };
const removed: Sample = { kind: 'factor-removed', path: '/account/factors', facts: { ...facts, factor: 'totp' } };
const linked: Sample = {
  kind: 'identity-linked',
  path: '/account/identities',
  values: { provider: 'Example Company' },
  facts,
};
const ended: Sample = { kind: 'access-ended', path: '/account/connections', values: { client: 'Bookshelf' }, facts };
const code: Sample = { kind: 'sign-in-code', seconds: 600, values: { code: '4920 7316' }, facts };

const samples: Readonly<Record<string, Sample>> = {
  'confirm-email': { kind: 'confirm-email', path: `/verify-email?token=${token}`, seconds: 86_400 },
  'address-known': { kind: 'address-known', path: '/forgot', facts },
  'reset-password': reset,
  'reset-password-long': { ...reset, path: `${reset.path}&${onTheWay}`, facts: longFacts },
  'reset-password-admin': { ...reset, facts: byAdmin },
  'password-changed': changed,
  'password-changed-long': { ...changed, facts: longFacts },
  'password-changed-admin': { ...changed, facts: byAdmin },
  'email-changed': { kind: 'email-changed', path: '/', facts },
  'account-deleted': { kind: 'account-deleted', facts },
  'factor-added': added,
  'factor-added-code': { ...added, facts: { ...facts, factor: 'email-code' } },
  'factor-removed': removed,
  'factor-removed-all': { ...removed, facts: { ...byAdmin, factor: 'all' } },
  'identity-linked': linked,
  'identity-linked-long': { ...linked, values: { provider: longName }, facts: longFacts },
  'identity-linked-rtl': { ...linked, values: { provider: 'شركة المثال' }, facts: { ...facts, username: 'ليلى' } },
  'identity-unlinked': { ...linked, kind: 'identity-unlinked' },
  invitation: { kind: 'invitation', path: `/invite?token=${token}`, seconds: 604_800 },
  'new-sign-in': { kind: 'new-sign-in', path: '/account/sessions', facts },
  'access-ended': ended,
  'access-ended-long': { ...ended, values: { client: longName }, facts: longFacts },
  'sign-in-code': code,
  // Of a program that names nothing.
  'sign-in-code-bare': { ...code, facts: { username: 'ada', at: facts.at } },
};

export const mailNames: readonly string[] = Object.keys(samples);

/** Undefined if there is no such sample. */
export function sampleLetter(name: string, locale: string): Letter | undefined {
  const sample = Object.hasOwn(samples, name) ? samples[name] : undefined;
  return sample && { ...sample, to, locale };
}
