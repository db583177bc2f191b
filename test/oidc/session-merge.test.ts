/** Two changes of one session, put together: no part is lost, and no person becomes half of another. */
import { describe, expect, test } from '@jest/globals';
import type { SessionOrigin, SessionPut, StoredSession } from '../../src/core/stores/engine.ts';
import { mergeSession, sessionRow, withLeft } from '../../src/oidc/session-merge.ts';

const base = { uid: 'u', iat: 1, exp: 100, kind: 'Session' };
const browser: SessionOrigin = { door: 'browser', clientId: null, address: '192.0.2.1', userAgent: 'Browser' };
const stored = (payload: Record<string, unknown>, key = 'k', origin = browser): StoredSession => ({
  ...sessionRow(key, payload, { before: undefined, expiresAt: 100, origin }),
  createdAt: 1,
  lastSeenAt: null,
});
const put = (payload: Record<string, unknown>, before: StoredSession, key = 'k'): SessionPut =>
  sessionRow(key, payload, { before, expiresAt: 100, origin: before.origin });
const of = (row: SessionPut) => JSON.parse(row.payload);

describe('mergeSession', () => {
  test('two applications: both parts, and both grants', () => {
    const read = stored({ ...base, accountId: 'ada', authorizations: { x: { grantId: 'gx' } } });
    const ours = put(
      { ...of({ ...read, before: null }), authorizations: { x: { grantId: 'gx' }, a: { grantId: 'ga' } } },
      read,
    );
    const theirs = stored({
      ...base,
      accountId: 'ada',
      authorizations: { x: { grantId: 'gx' }, b: { grantId: 'gb' } },
    });
    const merged = mergeSession(read, ours, theirs);
    expect(of(merged).authorizations).toEqual({ x: { grantId: 'gx' }, a: { grantId: 'ga' }, b: { grantId: 'gb' } });
    expect(merged).toMatchObject({ grants: { x: 'gx', a: 'ga', b: 'gb' }, before: theirs.payload, subject: 'ada' });
  });

  test('what one side took away stays away', () => {
    const read = stored({ ...base, accountId: 'ada', state: { secret: 's' }, authorizations: { x: {}, y: {} } });
    const ours = put({ ...base, accountId: 'ada', authorizations: { y: {} } }, read);
    const theirs = stored({
      ...base,
      accountId: 'ada',
      state: { secret: 's' },
      authorizations: { x: {}, y: {}, z: {} },
    });
    expect(of(mergeSession(read, ours, theirs))).toEqual({
      ...base,
      accountId: 'ada',
      authorizations: { y: {}, z: {} },
    });
  });

  test('the cookie’s value is the one of the request that renewed it', () => {
    const read = stored({ ...base, accountId: 'ada' });
    const theirs = stored({ ...base, accountId: 'ada', acr: '1' }, 'theirs');
    expect(mergeSession(read, put({ ...base, accountId: 'ada', amr: ['pwd'] }, read), theirs).key).toBe('theirs');
    expect(mergeSession(read, put({ ...base, accountId: 'ada', amr: ['pwd'] }, read, 'ours'), theirs).key).toBe('ours');
  });

  test('two people who sign in at once: the later one has the session, whole', () => {
    const read = stored(base);
    const ours = put({ ...base, accountId: 'ada', loginTs: 10, amr: ['pwd'], authorizations: { a: {} } }, read);
    const theirs = stored({ ...base, accountId: 'bob', loginTs: 11, acr: 'x', authorizations: { b: {} } });
    const merged = mergeSession(read, ours, theirs);
    expect(merged).toEqual({ ...ours, before: theirs.payload });
  });

  test('a session that passes to another person, or loses a client, leaves its clients', () => {
    const parts = { a: { grantId: 'ga', sid: 'sa' }, b: { grantId: 'gb' }, asked: { sid: 'no grant yet' } };
    const before = stored({ ...base, accountId: 'ada', loginTs: 1, authorizations: parts });
    const left = (payload: Record<string, unknown>) => withLeft(put(payload, before), before).left;
    expect(left({ ...base, accountId: 'ada', loginTs: 2, authorizations: parts })).toBeUndefined();
    const { a, ...rest } = parts;
    const one = { clientId: 'a', subject: 'ada', sid: 'sa' };
    const two = { clientId: 'b', subject: 'ada', sid: null };
    expect(left({ ...base, accountId: 'ada', authorizations: rest })).toEqual([one]);
    expect(left({ ...base, accountId: 'bob', authorizations: { a } })).toEqual([one, two]);
    // Decided anew over what another request wrote.
    const ours = put({ ...base, accountId: 'bob', loginTs: 3 }, stored(base));
    expect(mergeSession(stored(base), ours, before).left).toEqual([one, two]);
  });

  test('where the latest sign-in came from is kept, whichever request writes last', () => {
    const read = stored({ ...base, accountId: 'ada', loginTs: 10 });
    const elsewhere = { ...browser, address: '192.0.2.2' };
    const theirs = stored({ ...base, accountId: 'ada', loginTs: 11 }, 'k', elsewhere);
    const ours = put({ ...base, accountId: 'ada', loginTs: 10, authorizations: { a: {} } }, read);
    expect(mergeSession(read, ours, theirs).origin).toEqual(elsewhere);
    expect(mergeSession(read, { ...ours, origin: elsewhere }, stored(base)).origin).toEqual(elsewhere);
  });
});

describe('a session begun through an API', () => {
  const api: SessionOrigin = { door: 'tinyoauth', clientId: null, address: '192.0.2.9', userAgent: null };
  const read = stored({ ...base, accountId: 'ada' }, 'k', api);

  test('keeps its key, its end and its place, whatever the engine makes of it', () => {
    const row = sessionRow(
      'another',
      { ...base, accountId: 'ada', exp: 5000 },
      { before: read, expiresAt: 6000, origin: browser },
    );
    expect(row).toMatchObject({ key: 'k', expiresAt: 100, origin: api });
    expect(of(row).exp).toBeUndefined();
  });

  test('takes the end that another request has given it in between', () => {
    const theirs = { ...stored({ ...base, iat: 2, accountId: 'ada' }, 'k', api), expiresAt: 200 };
    const ours = put({ ...base, accountId: 'ada', authorizations: { a: { grantId: 'g' } } }, read);
    const merged = mergeSession(read, ours, theirs);
    expect(merged).toMatchObject({ key: 'k', expiresAt: 200, origin: api, grants: { a: 'g' }, before: theirs.payload });
    expect(of(merged)).toMatchObject({ iat: 2, authorizations: { a: { grantId: 'g' } } });
  });
});
