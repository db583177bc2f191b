/**
 * tinyoauth (docs/surfaces/tinyoauth.md), for programs without a browser: sign-in, registration of own applications,
 * and authorization codes for them.
 *
 *     POST /register                         here
 *     POST /login            X-OTP           here
 *     POST /client           Bearer          here
 *     GET, POST /authorize   Bearer or not   authorize.ts
 *     POST /token                            the protocol's own /oauth/token
 *
 * Every error is `{"result": "failed", "reason"}`; at /login it also has `"token": null`.
 */
import { Refusal } from '../../base/errors.ts';
import { callerOf } from '../../http/caller.ts';
import { createEndpoints } from '../kit/endpoints.ts';
import { operation, schemasOf } from '../kit/operation.ts';
import { inOwnNames, otpHeader, signInRefusal, signUpRefusal, tooMany } from '../kit/refusals.ts';
import type { Surface, SurfaceDeps } from '../kit/surface.ts';
import { challenge, createAuthorize, requirePerson } from './authorize.ts';

const { credentials } = schemasOf(() => import('../kit/credentials-shape.ts'));
const shapes = schemasOf(() => import('./shapes.ts'));
const via = 'tinyoauth';

const own = inOwnNames({ client_name: 'name', redirect_uris: 'redirect_uri' });

export function createTinyoauth(deps: SurfaceDeps): Surface {
  const register = operation({
    summary: 'Create an account',
    description: 'If `SIGN_UP` allows it. The account can sign in on every surface of this server.',
    body: credentials,
    answers: {
      200: { description: 'The account is created.', body: shapes.done },
      400: 'The body is malformed, the name is invalid, or the password is too weak.',
      403: 'Sign-up is closed.',
      409: 'The name is taken.',
      429: 'Too many sign-ups or failed sign-ins from this address.',
    },
    async handle(ctx, read) {
      const made = await deps.signUp.signUp(await read.body(), callerOf(ctx, via));
      if (made.outcome === 'created') ctx.body = { result: 'succeeded' };
      else if (made.outcome === 'taken') throw new Refusal('conflict', 'the name is taken');
      else throw signUpRefusal(made);
    },
  });

  const login = operation({
    summary: 'Sign in',
    description: 'The person is online from now on. The token is valid for one day, here and at the gateway.',
    body: credentials,
    headers: otpHeader(deps.factors),
    answers: {
      200: { description: 'Signed in, or the name or the password is wrong.', body: shapes.loginAnswer },
      401: { description: 'A code is needed in `X-OTP`.', headers: { 'X-OTP': 'The methods for the code.' } },
      429: 'Too many failed attempts for this account or from this address.',
    },
    async handle(ctx, read) {
      const request = { ...(await read.body()), ...callerOf(ctx, via), otp: ctx.get('X-OTP') };
      const outcome = await deps.apiSessions.login(via, request);
      if (outcome.outcome === 'signed-in') ctx.body = { result: 'succeeded', token: outcome.token.token };
      else if (outcome.outcome === 'refused') ctx.body = { result: 'failed', token: null };
      else throw signInRefusal(outcome, '', challenge(deps.config.issuer));
    },
  });

  const client = operation({
    summary: 'Register an own application',
    description: 'The client is confidential, belongs to the token’s person, and needs PKCE in the browser flow.',
    security: ['person'],
    body: shapes.application,
    answers: {
      200: { description: 'The client is registered. No other response shows the secret.', body: shapes.registered },
      400: 'The body is malformed, or the name or the redirect URI is not allowed.',
      401: 'The token is missing or not valid.',
      429: 'This person has registered too many applications recently.',
    },
    async handle(ctx, read) {
      const { subject } = (await requirePerson(ctx, deps)).account;
      const { name, redirect_uri } = await read.body();
      const metadata = { client_name: name, redirect_uris: [redirect_uri] };
      const made = await deps.ownClients.register(metadata, subject, callerOf(ctx, via));
      if (made.outcome === 'throttled') throw tooMany(made.retryAfter, 'applications');
      if (made.outcome === 'invalid') throw new Refusal(made.error, own(made.description));
      ctx.body = { result: 'succeeded', client_id: made.client.id, client_secret: made.secret };
    },
  });

  const surface = createEndpoints(
    {
      name: via,
      takesPasswords: true,
      title: 'tinyoauth',
      about: 'For programs without a browser: sign-in, own applications, and codes for them.',
      table: {
        '/register': { POST: register },
        '/login': { POST: login },
        '/client': { POST: client },
        '/authorize': createAuthorize(deps),
      },
      aliases: { '/token': '/oauth/token' },
      schemes: { person: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token from /login.' } },
      failure: shapes.failure,
      errorBody: ({ message: reason }, { path }) =>
        path === '/login' ? { result: 'failed', token: null, reason } : { result: 'failed', reason },
    },
    deps,
  );
  return { ...surface, inUse: ({ ownedClients }) => ownedClients };
}
