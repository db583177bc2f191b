/**
 * Sessions and tokens of first-party programs: what they cost, how soon an end is seen elsewhere, and who wins a race.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { nowSeconds } from '../../../src/base/clock.ts';
import type { SignInRequest } from '../../../src/core/sign-in/sign-in.ts';
import { setClock } from '../../support/clock.ts';
import { eventually } from '../../support/redis-server.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

const caller = { via: 'identity', address: '192.0.2.9', userAgent: 'suite', requestId: 'r' };
const request = (username: string, more: Partial<SignInRequest> = {}): SignInRequest => ({
  username,
  password,
  ...caller,
  ...more,
});

const at = (seconds: number) => setClock(seconds * 1000, { runs: true });

async function login(server: TestServer, kind: 'identity' | 'tinyoauth' | 'security-service' = 'identity') {
  const person = await buildPerson(server);
  const outcome = await server.core.apiSessions.login(kind, request(person.username, { via: kind }));
  if (outcome.outcome !== 'signed-in') throw new Error(`not signed in: ${outcome.outcome}`);
  return { person, ...outcome, refreshToken: outcome.refreshToken ?? '' };
}

describeStorages('first-party sessions', ({ start, join, kind: storage }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.close());

  test('a token is verified without a read while its session is in memory, and with one otherwise', async () => {
    const { roundTrips } = server.core.stores;
    // The change log is looked at beside the requests: what one verification costs is the least of several.
    const costOf = async (token: string): Promise<number> => {
      const before = roundTrips();
      expect((await server.core.apiSessions.verify('tinyoauth', token)).outcome).toBe('valid');
      return roundTrips() - before;
    };
    const first: number[] = [];
    const costs: number[] = [];
    for (let person = 0; person < 5; person++) {
      const { token } = await login(server, 'tinyoauth');
      first.push(await costOf(token.token));
      for (let n = 0; n < 4; n++) costs.push(await costOf(token.token));
    }
    expect(Math.min(...first)).toBeLessThanOrEqual(4);
    expect(Math.min(...costs)).toBe(0);
    expect(costs.filter((cost) => cost === 0).length).toBeGreaterThan(10);
  });

  test('what has ended on one node is refused there at once, and on the other within a second', async () => {
    const second = await join(server);
    const ends: Record<string, (made: Awaited<ReturnType<typeof login>>) => Promise<unknown>> = {
      logout: ({ token }) => server.core.apiSessions.endByToken('identity', token.token, caller),
      'logout by refresh token': ({ refreshToken }) =>
        server.core.apiSessions.endByRefreshToken('identity', refreshToken, caller),
      'all sessions': ({ person }) => server.core.sessions.endAll(person.subject),
      disabled: ({ person }) => server.core.accounts.disable(person.subject),
      deleted: ({ person }) => server.core.accounts.remove(person.subject),
      'new password': ({ person }) =>
        server.core.accounts.setPassword(person.subject, 'nine pears above water', { endSessions: true }),
    };
    for (const [name, end] of Object.entries(ends)) {
      const made = await login(server);
      const verifyAt = (node: TestServer) => node.core.apiSessions.verify('identity', made.token.token);
      expect([name, (await verifyAt(second)).outcome]).toEqual([name, 'valid']);
      await end(made);
      expect([name, await verifyAt(server)]).toEqual([name, { outcome: 'refused', reason: 'ended' }]);
      await eventually(`refused there: ${name}`, async () => (await verifyAt(second)).outcome === 'refused', 1000);
      expect([name, await verifyAt(second)]).toEqual([name, { outcome: 'refused', reason: 'ended' }]);
      expect(await second.core.apiSessions.refresh('identity', made.refreshToken, caller)).toEqual({
        outcome: 'unknown',
      });
    }
  });

  test('50 refreshes at once bring one successor', async () => {
    const { refreshToken, person } = await login(server);
    const second = await join(server);
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        (n % 2 ? server : second).core.apiSessions.refresh('identity', refreshToken, caller),
      ),
    );
    const successors = all.map((one) => (one.outcome === 'refreshed' ? one.refreshToken : one.outcome));
    expect(new Set(successors).size).toBe(1);
    expect(successors[0]).toMatch(/^[0-9a-f]{64}$/);
    const sids = all.map((one) => (one.outcome === 'refreshed' ? one.token.claims.sid : ''));
    expect(new Set(sids).size).toBe(1);
    expect(await server.core.sessions.list(person.subject)).toHaveLength(1);
    const next = await server.core.apiSessions.refresh('identity', successors[0] ?? '', caller);
    expect(next.outcome).toBe('refreshed');
  });

  test('a refresh token older than the one before the last ends the session, on record', async () => {
    const { refreshToken, token, person } = await login(server);
    const one = await server.core.apiSessions.refresh('identity', refreshToken, caller);
    if (one.outcome !== 'refreshed') throw new Error('not refreshed');
    const two = await server.core.apiSessions.refresh('identity', one.refreshToken, caller);
    if (two.outcome !== 'refreshed') throw new Error('not refreshed');
    expect((await server.core.apiSessions.verify('identity', token.token)).outcome).toBe('valid');
    expect(await server.core.apiSessions.refresh('identity', refreshToken, caller)).toEqual({ outcome: 'unknown' });
    for (const each of [token, one.token, two.token]) {
      expect(await server.core.apiSessions.verify('identity', each.token)).toEqual({
        outcome: 'refused',
        reason: 'ended',
      });
    }
    expect(await server.core.apiSessions.refresh('identity', two.refreshToken, caller)).toEqual({
      outcome: 'unknown',
    });
    const [event] = await server.core.stores.audit.list({ subject: person.subject, event: 'session.replayed' }, 1);
    expect(event).toMatchObject({ address: '192.0.2.9', requestId: 'r', detail: { via: 'identity' } });
  });

  test('a replaced token is forgiven within the reuse window and not after it', async () => {
    const { refreshToken } = await login(server);
    const first = await server.core.apiSessions.refresh('identity', refreshToken, caller);
    const again = await server.core.apiSessions.refresh('identity', refreshToken, caller);
    if (first.outcome !== 'refreshed' || again.outcome !== 'refreshed') throw new Error('not refreshed');
    expect(again.refreshToken).toBe(first.refreshToken);
    at(nowSeconds() + 11);
    try {
      expect(await server.core.apiSessions.refresh('identity', refreshToken, caller)).toEqual({ outcome: 'unknown' });
      expect(await server.core.apiSessions.refresh('identity', first.refreshToken, caller)).toEqual({
        outcome: 'unknown',
      });
    } finally {
      jest.useRealTimers();
    }
  });

  test('a logout that races a refresh leaves nothing usable', async () => {
    for (let n = 0; n < 30; n++) {
      const { refreshToken, token } = await login(server);
      const [refreshed] = await Promise.all([
        server.core.apiSessions.refresh('identity', refreshToken, caller),
        server.core.apiSessions.endByToken('identity', token.token, caller),
      ]);
      const left = refreshed.outcome === 'refreshed' ? [refreshed.refreshToken, refreshToken] : [refreshToken];
      const tokens = refreshed.outcome === 'refreshed' ? [refreshed.token, token] : [token];
      for (const value of left)
        expect(await server.core.apiSessions.refresh('identity', value, caller)).toEqual({ outcome: 'unknown' });
      for (const each of tokens)
        expect(await server.core.apiSessions.verify('identity', each.token)).toEqual({
          outcome: 'refused',
          reason: 'ended',
        });
    }
  });

  test('a login leaves one record, in the log and counted as well, and one that came to nothing leaves none of a success', async () => {
    const { person } = await login(server);
    const { subject, username } = person;
    const successes = () => server.core.stores.audit.list({ subject, event: 'sign_in.succeeded' }, 10);
    expect(await successes()).toEqual([
      expect.objectContaining({
        address: '192.0.2.9',
        requestId: 'r',
        detail: expect.objectContaining({ via: 'identity', amr: ['pwd'] }),
      }),
    ]);
    const counted = async () => {
      const { body } = await server.core.metrics.page();
      return Number(/audit_events_total\{event="sign_in.succeeded"\} (\d+)/.exec(body)?.[1]);
    };
    const before = await counted();
    const wrong = await server.core.apiSessions.login('identity', request(username, { password: 'wrong' }));
    expect(wrong).toEqual({ outcome: 'refused', reason: 'wrong' });
    expect(await server.core.apiSessions.login('identity', request(username))).toMatchObject({
      outcome: 'signed-in',
    });
    expect(await successes()).toHaveLength(2);
    expect(await counted()).toBe(before + 1);
  });

  test('a new password leaves its own record and none of a sign-in', async () => {
    const { subject, username } = await buildPerson(server);
    const outcome = await server.core.apiSessions.changePassword({
      ...request(username),
      newPassword: 'nine pears above water',
      endSessions: false,
    });
    expect(outcome).toEqual({ outcome: 'changed' });
    const events = await server.core.stores.audit.list({ subject }, 10);
    expect(events.map(({ event }) => event)).toEqual(['account.password_changed', 'account.created']);
  });

  test('a sign-in that was under way with the old password when it was changed leaves no session', async () => {
    for (let n = 0; n < 10; n++) {
      const person = await buildPerson(server);
      const { subject } = person;
      const [outcomes] = await Promise.all([
        Promise.all(
          Array.from({ length: 6 }, () => server.core.apiSessions.login('tinyoauth', request(person.username))),
        ),
        server.core.accounts.setPassword(subject, 'nine pears above water', { endSessions: true }),
      ]);
      for (const outcome of outcomes) {
        if (outcome.outcome !== 'signed-in') continue;
        const verified = await server.core.apiSessions.verify('tinyoauth', outcome.token.token);
        expect(verified).toEqual({ outcome: 'refused', reason: 'ended' });
      }
      expect(await server.core.sessions.list(subject)).toEqual([]);
    }
  }, 60_000);

  test('of several who change one password at once, all knowing the old one, one wins and the others are told that it is wrong', async () => {
    const person = await buildPerson(server);
    const wanted = Array.from({ length: 5 }, (_, n) => `nine pears above water ${n}`);
    const outcomes = await Promise.all(
      wanted.map((newPassword) =>
        server.core.apiSessions.changePassword({ ...request(person.username), newPassword, endSessions: true }),
      ),
    );
    const winners = wanted.filter((_, n) => outcomes[n]?.outcome === 'changed');
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((one) => one.outcome === 'refused' && one.reason === 'wrong')).toHaveLength(4);
    const signedIn = await server.core.apiSessions.login(
      'identity',
      request(person.username, { password: winners[0] ?? '' }),
    );
    expect(signedIn.outcome).toBe('signed-in');
  });

  test('one list shows where a session comes from and when it was last seen, without a write for each use', async () => {
    const { person, token } = await login(server, 'security-service');
    const { roundTrips } = server.core.stores;
    const before = roundTrips();
    for (let n = 0; n < 200; n++) await server.core.apiSessions.verify('security-service', token.token);
    expect(roundTrips() - before).toBeLessThan(40);
    await server.core.activity.close();
    const [session] = await server.core.sessions.list(person.subject);
    expect(session).toMatchObject({
      origin: { door: 'security-service', clientId: null, address: '192.0.2.9', userAgent: 'suite' },
    });
    expect(session?.lastSeenAt).toBeGreaterThanOrEqual(session?.createdAt ?? Number.NaN);
    expect((await server.core.accounts.findBySubject(person.subject))?.lastSeenAt).toBe(session?.lastSeenAt);
  });

  test('a token lives no longer than its session, and a session of identity as long as it is refreshed', async () => {
    const day = 86_400;
    const { refreshToken, token } = await login(server);
    expect(token.claims.exp - token.claims.iat).toBe(3600);
    let value = refreshToken;
    const start = nowSeconds();
    for (const days of [29, 58, 87]) {
      at(start + days * day);
      try {
        const next = await server.core.apiSessions.refresh('identity', value, caller);
        if (next.outcome !== 'refreshed') throw new Error(`after ${days} days: ${next.outcome}`);
        value = next.refreshToken;
      } finally {
        jest.useRealTimers();
      }
    }
    at(start + (87 + 30) * day + 1);
    try {
      expect(await server.core.apiSessions.refresh('identity', value, caller)).toEqual({ outcome: 'unknown' });
    } finally {
      jest.useRealTimers();
    }
  });

  if (storage === 'sqlite') {
    test('nothing of a session that a caller could present is stored', async () => {
      const { refreshToken, token, person } = await login(server);
      const [session] = await server.core.sessions.list(person.subject);
      const stored = await server.core.stores.engine.readSessionByUid(session?.uid ?? '');
      const text = JSON.stringify(stored);
      for (const secret of [refreshToken, token.token, server.core.sessions.valueOf(session?.uid ?? '')])
        expect(text).not.toContain(secret);
    });
  }
});
