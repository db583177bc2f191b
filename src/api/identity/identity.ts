/**
 * The API "identity" (docs/surfaces/identity.md), for first-party apps that store only a user id.
 *
 *     POST /v1/register          Basic                   creates an account
 *     GET  /v1/login             Basic                   starts a session: a JWT and a refresh token
 *     POST /v1/logout            Bearer, refresh token   ends the session
 *     GET  /v1/token/refresh     Bearer, refresh token   the next JWT and refresh token
 *     POST /v1/password/change   Basic                   needs the old password
 *     POST /v1/verify            Bearer, JWT             verifies a JWT
 *
 * Checks, in this order: the header, its scheme, its value (all 400), the body (400), then the account (401, 404).
 * Every error is `{"ok": false, "message", "timestamp"}`.
 */
import type { Context } from 'koa';
import { nowMs } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import type { LoginOutcome } from '../../core/api-sessions/api-sessions.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { IssuedToken } from '../../core/tokens/api-session-tokens.ts';
import { basicOf, bearerChallenge, type NoWord, wordOf } from '../../http/authorization.ts';
import { callerOf } from '../../http/caller.ts';
import { createEndpoints, type Table } from '../kit/endpoints.ts';
import { operation, schemasOf } from '../kit/operation.ts';
import { otpHeader, signInRefusal, signUpRefusal } from '../kit/refusals.ts';
import type { Surface, SurfaceDeps } from '../kit/surface.ts';

const shapes = schemasOf(() => import('./shapes.ts'));
const via = 'identity';

const badHeader = 'The `Authorization` header is missing, malformed, or has another scheme.';
const badRefreshToken = 'Not 64 hexadecimal characters.';
const hidden = '(401 with `HIDE_ACCOUNT_EXISTENCE`)';
const signInErrors = {
  401: 'The password is wrong, the account is disabled, or a second factor is needed.',
  404: `No account has this name ${hidden}.`,
  429: 'Too many failed attempts.',
};

export function createIdentity({ config, log, noteRefusal, apiSessions, factors, signUp }: SurfaceDeps): Surface {
  // Not `Basic`: browsers would show their own password dialog and keep the password.
  const basicChallenge = { 'WWW-Authenticate': `X-Basic realm="${config.issuer}/v1", charset="UTF-8"` };
  const challenge = bearerChallenge(`${config.issuer}/v1`, { error: 'invalid_token' });
  const incorrect = 'incorrect credentials';

  /** `unknown`: the message of this call for an unknown username. */
  function notSignedIn(outcome: Exclude<LoginOutcome, { outcome: 'signed-in' }>, unknown: string): Refusal {
    const told = outcome.outcome === 'refused' && outcome.reason === 'unknown' && !config.hideAccountExistence;
    return told ? new Refusal('not_found', unknown) : signInRefusal(outcome, incorrect, basicChallenge);
  }

  const badToken = (words = incorrect) => new Refusal('unauthorized', words, challenge);

  function refreshTokenOf(ctx: Context): string {
    const token = bearer(ctx);
    if (/^[0-9a-f]{64}$/i.test(token)) return token;
    throw badToken();
  }

  const table: Table = {
    '/v1/register': {
      POST: operation({
        summary: 'Create an account',
        security: ['password'],
        answers: {
          200: { description: 'The account is created.', body: shapes.registered },
          400: `${badHeader} Or the name is taken or invalid, or the password is too weak.`,
          403: 'Sign-up is closed (`SIGN_UP`).',
          429: 'Too many attempts.',
        },
        async handle(ctx, read) {
          const form = basic(ctx);
          await read.body();
          const made = await signUp.signUp(form, callerOf(ctx, via));
          if (made.outcome === 'taken') throw new Refusal('invalid_request', 'user already exist');
          if (made.outcome !== 'created') throw signUpRefusal(made);
          ctx.body = { uid: made.account.username, reg_date: made.account.createdAt, ...success() };
        },
      }),
    },
    '/v1/login': {
      GET: operation({
        summary: 'Sign in',
        security: ['password'],
        headers: otpHeader(factors),
        answers: {
          200: { description: 'A session has started.', body: shapes.signedIn },
          400: badHeader,
          ...signInErrors,
        },
        head: false,
        async handle(ctx) {
          const outcome = await apiSessions.login(via, signInOf(ctx));
          if (outcome.outcome !== 'signed-in') throw notSignedIn(outcome, 'user does not exist');
          ctx.body = signedIn(outcome);
        },
      }),
    },
    '/v1/logout': {
      POST: operation({
        summary: 'Sign out',
        security: ['refreshToken'],
        answers: {
          200: {
            description: 'The session has ended; all of its JWTs are refused from now on.',
            body: shapes.loggedOut,
          },
          400: badHeader,
          401: badRefreshToken,
          404: `No session has this refresh token ${hidden}.`,
        },
        async handle(ctx, read) {
          const token = refreshTokenOf(ctx);
          await read.body();
          const ended = await apiSessions.endByRefreshToken(via, token, callerOf(ctx, via));
          if (ended.outcome === 'unknown') throw config.hideAccountExistence ? badToken() : noSession();
          ctx.body = { logged_out: true, token, uid: ended.account.username, ...success() };
        },
      }),
    },
    '/v1/token/refresh': {
      GET: operation({
        summary: 'Get the next JWT',
        description: 'Replaces the refresh token. Earlier JWTs stay valid until they expire.',
        security: ['refreshToken'],
        answers: {
          200: { description: 'The next JWT and refresh token.', body: shapes.signedIn },
          400: badHeader,
          401: badRefreshToken,
          404: 'No session has this refresh token.',
        },
        head: false,
        async handle(ctx) {
          const outcome = await apiSessions.refresh(via, refreshTokenOf(ctx), callerOf(ctx, via));
          if (outcome.outcome === 'unknown') throw noSession();
          ctx.body = signedIn(outcome);
        },
      }),
    },
    '/v1/password/change': {
      POST: operation({
        summary: 'Change the password',
        description: 'The old password is the authorization.',
        security: ['password'],
        headers: otpHeader(factors),
        body: shapes.newPassword,
        answers: {
          200: { description: 'The password is changed, on every surface.', body: shapes.changed },
          400: `${badHeader} Or the body is invalid, or the new password is too weak.`,
          ...signInErrors,
        },
        async handle(ctx, read) {
          const request = signInOf(ctx);
          const { new_password: newPassword, kill_sessions: endSessions = false } = await read.body();
          const outcome = await apiSessions.changePassword({ ...request, newPassword, endSessions });
          if (outcome.outcome === 'weak-password') throw new Refusal('invalid_request', outcome.reason.sentence);
          if (outcome.outcome !== 'changed') throw notSignedIn(outcome, 'session does not exist');
          ctx.body = { changed_password: true, killed_sessions: endSessions, ...success() };
        },
      }),
    },
    '/v1/verify': {
      POST: operation({
        summary: 'Verify a JWT',
        security: ['accessToken'],
        answers: {
          200: { description: 'The JWT is valid.', body: shapes.verified },
          400: badHeader,
          401: '`invalid signature`, `expired signature`, or `invalid token`: another kind of token, or an ended session.',
        },
        async handle(ctx, read) {
          const token = bearer(ctx);
          await read.body();
          const verified = await apiSessions.verify(via, token);
          if (verified.outcome === 'refused') throw badToken(verifyWords[verified.reason] ?? 'invalid token');
          ctx.body = { valid: true, payload: verified.claims, ...success() };
        },
      }),
    },
  };

  return createEndpoints(
    {
      name: via,
      takesPasswords: true,
      title: 'Identity',
      about: 'For first-party apps that store only a user id: register, sign in, refresh, verify, sign out.',
      table,
      schemes: {
        password: { type: 'http', scheme: 'basic', description: 'The user id and the password, in UTF-8.' },
        refreshToken: { type: 'http', scheme: 'bearer', description: '64 hexadecimal characters.' },
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From login or refresh.' },
      },
      failure: shapes.failure,
      errorBody: ({ message }) => ({ ok: false, message, timestamp: timestamp() }),
    },
    { config, log, noteRefusal },
  );
}

const verifyWords: Readonly<Record<string, string>> = { signature: 'invalid signature', expired: 'expired signature' };

const headerWords: Readonly<Record<NoWord['outcome'], string>> = {
  none: 'missing authorization header',
  'other-scheme': 'invalid authorization method',
  malformed: 'invalid authorization token',
};

function basic(ctx: Context): { username: string; password: string } {
  const { outcome, ...credentials } = basicOf(ctx.req);
  if (outcome === 'credentials') return credentials as { username: string; password: string };
  throw new Refusal('invalid_request', headerWords[outcome]);
}

function bearer(ctx: Context): string {
  const sent = wordOf(ctx.req, 'bearer');
  if (sent.outcome === 'word') return sent.word;
  throw new Refusal('invalid_request', headerWords[sent.outcome]);
}

function signInOf(ctx: Context) {
  return { ...basic(ctx), ...callerOf(ctx, via), otp: ctx.get('X-OTP') };
}

const noSession = () => new Refusal('not_found', 'session does not exist');

function signedIn(made: { account: Account; token: IssuedToken; refreshToken: string | undefined }) {
  const { token, claims } = made.token;
  const jwt = { token, refresh_token: made.refreshToken, payload: claims };
  return { jwt, uid: made.account.username, ...success() };
}

const success = () => ({ ok: true, timestamp: timestamp() });

/** Adds half a millisecond, so the number always has a fraction: some readers distinguish integers from floats. */
const timestamp = () => (nowMs() + 0.5) / 1000;
