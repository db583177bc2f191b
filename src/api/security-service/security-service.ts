/**
 * The API "security service" (docs/surfaces/security-service.md), for first-party apps, with JSON bodies.
 *
 *     POST   /security/login                          a token for one day
 *     POST   /security/validateToken                  verifies a token
 *     DELETE /security/logout                         ends the token's session
 *     POST   /security/users           Authorization  creates an account
 *
 * Also served under `/dev`, `/qa` and `/staging`, as the contract requires. Every error is
 * `{"error": {"code", "message"}}`, where `code` is the HTTP status.
 */
import type { Context } from 'koa';
import { Refusal } from '../../base/errors.ts';
import { authorizationOf, bearerChallenge } from '../../http/authorization.ts';
import { parseObject } from '../../http/body.ts';
import { callerOf } from '../../http/caller.ts';
import { createEndpoints, type Table } from '../kit/endpoints.ts';
import { type Mistake, operation, schemasOf } from '../kit/operation.ts';
import { otpHeader, signInRefusal, signUpRefusal } from '../kit/refusals.ts';
import type { Surface, SurfaceDeps } from '../kit/surface.ts';

const { credentials } = schemasOf(() => import('../kit/credentials-shape.ts'));
const shapes = schemasOf(() => import('./shapes.ts'));
const via = 'security-service';

export function createSecurityService({
  config,
  log,
  noteRefusal,
  apiSessions,
  factors,
  signUp,
}: SurfaceDeps): Surface {
  const challenge = bearerChallenge(`${config.issuer}/security`);
  const unauthorized = (message: string) => new Refusal('unauthorized', message, challenge);
  /** At these two endpoints, a missing member is a missing credential. */
  const missing = ({ message }: Mistake) => unauthorized(message);

  const table: Table = {
    '/login': {
      POST: operation({
        summary: 'Sign in',
        security: [],
        headers: otpHeader(factors),
        body: credentials,
        answers: {
          200: { description: 'A session has started. The token is valid for one day.', body: shapes.signedIn },
          400: 'The body is not valid JSON.',
          401: 'The name or the password is missing or wrong, the account is disabled, or a second factor is needed.',
          429: 'Too many failed attempts.',
        },
        onInvalid: missing,
        async handle(ctx, read) {
          const request = { ...(await read.body()), ...callerOf(ctx, via), otp: ctx.get('X-OTP') };
          const outcome = await apiSessions.login(via, request);
          if (outcome.outcome !== 'signed-in')
            throw signInRefusal(outcome, 'the username or the password is wrong', challenge);
          const { token, claims } = outcome.token;
          ctx.body = { username: outcome.account.username, token, expirationDate: claims.exp * 1000 };
        },
      }),
    },
    '/validateToken': {
      POST: operation({
        summary: 'Verify a token',
        security: [],
        body: shapes.tokenBody,
        answers: {
          200: 'The token is valid. The body is empty.',
          400: 'The body is not valid JSON.',
          401: 'The token is missing, invalid, expired or of another kind, or its session has ended.',
        },
        onInvalid: missing,
        async handle(ctx, read) {
          const { token } = await read.body();
          const verified = await apiSessions.verify(via, token);
          if (verified.outcome === 'refused') throw unauthorized('the token is not valid');
          ctx.status = 200;
          // Without a body Koa would answer 204.
          ctx.body = '';
          ctx.remove('Content-Type');
        },
      }),
    },
    '/logout': {
      DELETE: operation({
        summary: 'Sign out',
        security: [],
        body: shapes.tokenBody,
        answers: {
          204: 'The session of this token, if there was one, has ended.',
          400: 'The body is not valid JSON, or has no token.',
        },
        async handle(ctx, read) {
          const { token } = await read.body();
          await apiSessions.endByToken(via, token, callerOf(ctx, via));
          ctx.status = 204;
        },
      }),
    },
    '/users': {
      POST: operation({
        summary: 'Create an account',
        description: 'For every caller with a token of this API.',
        security: ['token', 'bearer'],
        body: credentials,
        answers: {
          201: { description: 'The account is created.', body: shapes.created },
          400: 'The body is invalid, the name is taken or invalid, or the password is too weak.',
          401: 'The token is missing or not valid.',
          429: 'Too many attempts.',
        },
        async handle(ctx, read) {
          const verified = await apiSessions.verify(via, tokenOf(ctx) ?? '');
          if (verified.outcome === 'refused') throw unauthorized('a valid token is needed in Authorization');
          const form = await read.body();
          const by = verified.account.subject;
          const made = await signUp.signUp(form, { ...callerOf(ctx, via), by }, { vouched: true });
          if (made.outcome !== 'created') throw signUpRefusal(made);
          ctx.status = 201;
          ctx.body = { id: made.account.id };
        },
      }),
    },
  };

  return createEndpoints(
    {
      name: via,
      takesPasswords: true,
      title: 'Security service',
      about: 'For first-party apps: sign in, verify a token, sign out, create accounts for others.',
      bases: ['/security', '/dev/security', '/qa/security', '/staging/security'],
      table,
      schemes: {
        token: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'JSON: `{"token": "…"}`.' },
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The same token.' },
      },
      failure: shapes.failure,
      errorBody: ({ status, message }) => ({ error: { code: status, message } }),
    },
    { config, log, noteRefusal },
  );
}

/** `{"token": "…"}`, as the contract has it, or `Bearer …`. Returns undefined for anything else. */
function tokenOf(ctx: Context): string | undefined {
  const sent = authorizationOf(ctx.req);
  if (sent.outcome !== 'sent') return undefined;
  if (sent.scheme === 'bearer') return sent.credentials;
  try {
    const { token } = parseObject(sent.value);
    return typeof token === 'string' ? token : undefined;
  } catch {
    return undefined;
  }
}
