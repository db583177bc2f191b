/** How sessions and events look in a list: symbols, emphasis, days. And which pages there are without a method. */
import { expect, test } from '@jest/globals';
import { activityEvents } from '../../../src/pages/account/activity.ts';
import type { AccountDeps } from '../../../src/pages/account/deps.ts';
import { byDay } from '../../../src/pages/account/kit/days.ts';
import { lookOf } from '../../../src/pages/account/kit/event-view.ts';
import { byUse, sessionView } from '../../../src/pages/account/kit/session-view.ts';
import { securityRows } from '../../../src/pages/account/security/rows.ts';

const session = (userAgent: string | null, door = 'browser') => ({
  uid: 'u',
  origin: { door, clientId: null, userAgent, address: null },
  ...{ createdAt: 100, lastSeenAt: null, expiresAt: 1000 },
});

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'browser', 'computer'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1', 'browser', 'phone'],
  ['Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36', 'tinyoauth', 'phone'],
  [null, 'browser', 'computer'],
  ['curl/8.9.1', 'tinyoauth', 'terminal'],
  [null, 'identity', 'terminal'],
  ['reading-bot/2', 'identity', 'bot'],
  ['Travel Agent/1.0', 'identity', 'bot'],
  ['botany/1.0', 'identity', 'terminal'],
])('the symbol of %j at %s is %s', (userAgent, door, kind) => {
  expect(sessionView(session(userAgent, door), 'here').kind).toBe(kind);
});

test('the session of this browser comes first and has no link to end it', () => {
  const rows = [
    { ...session(null), uid: 'a', lastSeenAt: 500 },
    { ...session(null), uid: 'b', lastSeenAt: 900 },
    { ...session(null), uid: 'here' },
  ].map((each) => sessionView(each, 'here', 'overview'));
  expect(rows.sort(byUse).map(({ end }) => end)).toEqual([
    undefined,
    '/account/sessions/end?session=b&from=overview',
    '/account/sessions/end?session=a&from=overview',
  ]);
});

test('what a person should look at is marked, ordinary events are calm', () => {
  const calm = activityEvents.filter((event) => lookOf(event).tone === undefined);
  for (const event of [
    'sign_in.succeeded',
    'sign_out',
    'consent.granted',
    'device.remembered',
    'account.profile_changed',
  ])
    expect(calm).toContain(event);
  for (const event of [
    'device.reported',
    'sign_in.failed',
    'account.password_changed',
    'factor.removed',
    'grant.replayed',
  ])
    expect(calm).not.toContain(event);
  expect(lookOf('something.new')).toEqual({ event: 'something.new', icon: 'activity', tone: undefined });
});

test('days are days in UTC, each once, in the order of their rows', () => {
  const at = (iso: string) => Date.parse(iso) / 1000;
  const rows = ['2026-03-02T00:00:00Z', '2026-03-01T23:59:59Z', '2026-03-01T00:00:00Z', '2026-02-27T12:00:00Z'];
  const days = byDay(
    rows.map((iso) => ({ at: at(iso) })),
    at('2026-03-02T11:00:00Z'),
  );
  expect(days.map(({ at: day, ago, rows: of }) => [day, ago, of.length])).toEqual([
    [at('2026-03-02T00:00:00Z'), 0, 1],
    [at('2026-03-01T00:00:00Z'), 1, 2],
    [at('2026-02-27T00:00:00Z'), 3, 1],
  ]);
  expect(byDay([], 0)).toEqual([]);
});

test('a server without passkeys adds none, and a person can still name and remove those they have', () => {
  const deps = { passkeys: { offered: false }, factors: { enrols: [], codes: [] }, config: { password: {} } };
  const paths = securityRows(deps as unknown as AccountDeps).map(({ path }) => path);
  expect(paths.filter((path) => path.startsWith('/account/passkeys'))).toEqual([
    '/account/passkeys/rename',
    '/account/passkeys/remove',
  ]);
});
