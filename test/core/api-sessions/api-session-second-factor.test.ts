/**
 * What the policy for second factors asks of programs that take passwords: at login, at each refresh, and for a new
 * password.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { enrol } from '../../support/authenticator.ts';
import { call, posting } from '../../support/call.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

const newPassword = 'nine pears above water';
const caller = { via: 'identity', address: '192.0.2.9', userAgent: 'suite', requestId: 'r' };
const basic = (username: string, secret = password) =>
  ['Authorization', `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`] as const;

describeStorages('second factors at programs that take passwords', ({ start, join }) => {
  /** As it was, and with the policy of now, over one database. */
  let lenient: TestServer;
  let strict: TestServer;
  beforeAll(async () => {
    lenient = await start({ THROTTLE_ADDRESS_LIMIT: '100000' });
    strict = await join(lenient, { SECOND_FACTOR: 'required' });
  });
  afterAll(() => lenient.close());

  async function signedIn(server: TestServer, username: string, otp?: string) {
    const request = { username, password, otp, ...caller };
    const outcome = await server.core.apiSessions.login('identity', request);
    if (outcome.outcome !== 'signed-in') throw new Error(`not signed in: ${outcome.outcome}`);
    return { token: outcome.token.token, refreshToken: outcome.refreshToken ?? '' };
  }
  const refreshedAt = (server: TestServer, refreshToken: string) =>
    server.core.apiSessions.refresh('identity', refreshToken, caller);
  const change = (server: TestServer, username: string, ...headers: (readonly [string, string])[]) =>
    call(server, posting('/v1/password/change', { new_password: newPassword }, basic(username), ...headers));

  test('a session that a password alone began ends at its next refresh once two factors are required, on record', async () => {
    const { subject, username } = await buildPerson(lenient);
    const { token, refreshToken } = await signedIn(lenient, username);
    const next = await refreshedAt(lenient, refreshToken);
    if (next.outcome !== 'refreshed') throw new Error(next.outcome);
    const answer = await call(strict, {
      path: '/v1/token/refresh',
      headers: [['Authorization', `Bearer ${next.refreshToken}`]],
    });
    expect([answer.status, JSON.parse(answer.text).message]).toEqual([404, 'session does not exist']);
    expect(await lenient.core.sessions.list(subject)).toEqual([]);
    expect(await strict.core.apiSessions.verify('identity', token)).toEqual({ outcome: 'refused', reason: 'ended' });
    // Within the reuse window the predecessor is worth no more.
    expect(await refreshedAt(strict, refreshToken)).toEqual({ outcome: 'unknown' });
    const [event] = await strict.core.stores.audit.list({ subject, event: 'session.ended' }, 1);
    expect(event).toMatchObject({
      detail: { via: 'identity', reason: 'second-factor-required' },
    });
  });

  test('the predecessor of a refresh token does not lead around the policy', async () => {
    const { username } = await buildPerson(lenient);
    const { refreshToken } = await signedIn(lenient, username);
    expect((await refreshedAt(lenient, refreshToken)).outcome).toBe('refreshed');
    expect(await refreshedAt(strict, refreshToken)).toEqual({ outcome: 'unknown' });
  });

  test('a session that two factors began goes on, from one refresh to the next', async () => {
    const { subject, username } = await buildPerson(lenient);
    const app = await enrol(lenient.core.factors, subject);
    let { refreshToken } = await signedIn(lenient, username, app.fresh());
    for (let n = 0; n < 2; n++) {
      const next = await refreshedAt(strict, refreshToken);
      if (next.outcome !== 'refreshed') throw new Error(next.outcome);
      refreshToken = next.refreshToken;
    }
  });

  test('where two factors are required a password alone changes no password', async () => {
    const { username } = await buildPerson(lenient);
    const refused = await change(strict, username);
    expect([refused.status, refused.headers['x-otp']]).toEqual([401, 'required; enrol']);
    await signedIn(lenient, username);
    expect((await change(lenient, username)).status).toBe(200);
  });

  test('a person who has a second factor needs it for a new password, whatever is required', async () => {
    for (const server of [lenient, strict]) {
      const { subject, username } = await buildPerson(lenient);
      const app = await enrol(lenient.core.factors, subject);
      const refused = await change(server, username);
      expect([refused.status, refused.headers['x-otp']]).toEqual([401, 'required; totp, recovery-code']);
      expect((await change(server, username, ['X-OTP', app.fresh()])).status).toBe(200);
    }
  });
});
