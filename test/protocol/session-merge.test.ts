/** Two changes of one session, put together: nobody's part is lost, and nobody becomes half of somebody else. */
import { describe, expect, test } from '@jest/globals';
import type { SessionPut, StoredSession } from '../../src/core/stores.ts';
import { mergeSession, sessionRow } from '../../src/oidc/session-merge.ts';

const base = { uid: 'u', iat: 1, exp: 100, kind: 'Session' };
const stored = (payload: Record<string, unknown>, key = 'k'): StoredSession => ({
  ...sessionRow(key, payload, null, 100),
  createdAt: 1,
});
const put = (payload: Record<string, unknown>, before: StoredSession, key = 'k'): SessionPut =>
  sessionRow(key, payload, before.payload, 100);
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

  test('the cookie’s value is the one of whoever renewed it', () => {
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
});
