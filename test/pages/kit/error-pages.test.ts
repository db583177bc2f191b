/** Errors and outcomes: each kind has a symbol of its own and one next step. */
import { expect, test } from '@jest/globals';
import { errorKinds } from '../../../src/pages/kit/page.ts';
import { noticeKinds } from '../../../src/pages/kit/views.ts';
import { states } from '../../../src/pages/states.ts';
import { page, renderer } from './rendered.ts';

const emblem = (name: string) =>
  /<div class="emblem ?(\w*)"><svg[^>]*><use href="[^#]*#([a-z-]+)"/.exec(page(name))?.slice(1) ?? [];
const error = (kind: (typeof errorKinds)[number], more = {}) =>
  renderer.render('error', { status: 400, kind, reference: 'R-1', ...more }, { locale: 'en' });

test('what a person meets most looks different: not found, out of date, throttled, unavailable, broken', () => {
  const names = ['not-found', 'stale', 'error-throttled', 'error-unavailable', 'error-internal', 'error-redirect'];
  const symbols = names.map((name) => emblem(name)[1]);
  expect(symbols).not.toContain(undefined);
  expect(new Set(symbols).size).toBe(names.length);
  for (const kind of errorKinds) expect([kind, emblem(`error-${kind}`).length]).toEqual([kind, 2]);
});

test('an outcome that is good looks good, and no other', () => {
  const good = noticeKinds.filter((kind) => emblem(`notice-${kind}`)[0] === 'good');
  expect(good).toEqual(['email-confirmed']);
});

test.each([
  ['form', { startAgain: '/oauth/authorize?client_id=a' }, 'href="/oauth/authorize?client_id=a">Start again'],
  ['unavailable', {}, 'href="">Try again'],
  ['internal', {}, 'href="">Try again'],
  ['forbidden', {}, 'href="/">Go to the start page'],
  // Only a script can go back: without one there is no button.
  ['redirect', {}, '<p hidden data-back>'],
  ['throttled', {}, '<p hidden data-back>'],
] as const)('%s %j offers what to do now', (kind, more, offered) => {
  const html = error(kind, more);
  expect(html).toContain(offered);
  expect(html.match(/class="button|data-back/g)).toHaveLength(1);
});

test('a throttled person reads how long to wait', () => {
  expect(error('throttled', { retryAfterSeconds: 540 })).toContain('Try again in 9 minutes.');
});

test('a person gets a reference; what is for developers is set apart, and is there only if there is more', () => {
  const plain = error('form');
  expect(plain).toContain('Reference <code>R-1</code>');
  expect(plain).not.toContain('For the developer');
  const detailed = page('error-detail');
  expect(detailed).toContain('<section class="developer"');
  expect(detailed).toContain('https://bookshelf.example/callback<mark>/</mark>');
});

test('the page of a reference marks where the received value differs, and names what would have passed once', () => {
  const html = page('why-details');
  expect(html).toContain('https://bookshelf.example/callback<mark>/</mark>');
  expect(html.match(/Would have been accepted/g)).toHaveLength(1);
  const state = states.find(({ name }) => name === 'why-details');
  if (state?.view !== 'why' || !state.locals.details) throw new Error('no details');
  const details = { ...state.locals.details, expected: state.locals.details.nearest };
  const same = renderer.render('why', { ...state.locals, details }, { locale: 'en' });
  expect(same).not.toContain('Would have been accepted');
});
