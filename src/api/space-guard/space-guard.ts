/**
 * space guard (docs/surfaces/space-guard.md), for programs without a person. A client token starts a session; the
 * gateway accepts the session's access token together with the client token.
 *
 *     POST   /register-client                     client token            here
 *     POST   /refresh-client                      client token and JWT    here
 *     POST   /logout-client                       client token and JWT    here
 *     GET, POST /client-tokens, DELETE …/{id}     X-Admin-Key             client-tokens.ts
 *
 * Every response is `{"code", "message"}`, some with `data`. `code` is the HTTP status.
 */
import type { Context } from 'koa';
import { Refusal } from '../../base/errors.ts';
import { bearerChallenge, clientPairOf } from '../../http/authorization.ts';
import { callerOf } from '../../http/caller.ts';
import { createEndpoints } from '../kit/endpoints.ts';
import { operation, schemasOf } from '../kit/operation.ts';
import { retryAfterHeader, tooMany } from '../kit/refusals.ts';
import type { Surface, SurfaceDeps } from '../kit/surface.ts';
import { createClientTokens } from './client-tokens.ts';

const shapes = schemasOf(() => import('./shapes.ts'));

const throttled = { description: 'Too many wrong client tokens from this address.', headers: retryAfterHeader };

export function createSpaceGuard(deps: SurfaceDeps): Surface {
  const { clientSessions, config } = deps;
  const challenge = bearerChallenge(`${config.issuer}/space-guard`);
  const noToken = () => new Refusal('unauthorized', 'a valid client token is needed', challenge);
  const noPair = () => new Refusal('unauthorized', 'a valid client token and its refresh token are needed', challenge);

  /** Returns both halves, unchecked. */
  function pairOf(ctx: Context) {
    const { clientToken, jwt } = clientPairOf(ctx.req) ?? {};
    if (clientToken === undefined || jwt === undefined) throw noPair();
    return { clientToken, jwt };
  }

  const register = operation({
    summary: 'Start a session',
    description: 'Needs only a client token. A body is ignored.',
    security: ['clientToken'],
    answers: {
      200: { description: 'The session has started.', body: shapes.begun },
      401: 'The client token is missing, unknown, expired or revoked, or its client is disabled.',
      429: throttled,
    },
    async handle(ctx, read) {
      const { clientToken, jwt } = clientPairOf(ctx.req) ?? {};
      if (clientToken === undefined || jwt !== undefined) throw noToken();
      await read.body();
      const begun = await clientSessions.begin(clientToken, callerOf(ctx, 'space-guard'));
      if (begun.outcome === 'throttled') throw tooMany(begun.retryAfter);
      if (begun.outcome === 'refused') throw noToken();
      const data = { jwtAccessToken: begun.access.token, jwtRefreshToken: begun.refresh.token };
      ctx.body = { code: 200, message: 'the client is registered', data };
    },
  });

  const refresh = operation({
    summary: 'Get another access token',
    description: 'The refresh token does not change. A body is ignored.',
    security: ['pair'],
    answers: {
      200: { description: 'The next access token.', body: shapes.refreshed },
      401: 'Half of the pair is missing or invalid, or the session has ended.',
      429: throttled,
    },
    async handle(ctx, read) {
      const { clientToken, jwt } = pairOf(ctx);
      await read.body();
      const refreshed = await clientSessions.refresh(clientToken, jwt, callerOf(ctx, 'space-guard'));
      if (refreshed.outcome === 'throttled') throw tooMany(refreshed.retryAfter);
      if (refreshed.outcome === 'refused') throw noPair();
      const data = { jwtAccessToken: refreshed.access.token };
      ctx.body = { code: 200, message: 'the access token is refreshed', data };
    },
  });

  const logout = operation({
    summary: 'End the session',
    description: 'Both tokens end: on this node at once, on other nodes within a second. A body is ignored.',
    security: ['pair'],
    answers: {
      200: { description: 'The session has ended.', body: shapes.done },
      401: 'Half of the pair is missing or invalid, or the session had already ended.',
      429: throttled,
    },
    async handle(ctx, read) {
      const { clientToken, jwt } = pairOf(ctx);
      await read.body();
      const ended = await clientSessions.end(clientToken, jwt, callerOf(ctx, 'space-guard'));
      if (ended.outcome === 'throttled') throw tooMany(ended.retryAfter);
      if (ended.outcome === 'refused') throw noPair();
      ctx.body = { code: 200, message: 'the client is logged out' };
    },
  });

  const header = { type: 'apiKey', in: 'header', name: 'Authorization' } as const;
  const surface = createEndpoints(
    {
      name: 'space-guard',
      title: 'space guard',
      about: 'For registered programs without a person, and for admins who issue their client tokens.',
      bases: ['/space-guard/api/v1'],
      table: {
        '/register-client': { POST: register },
        '/refresh-client': { POST: refresh },
        '/logout-client': { POST: logout },
        ...createClientTokens(deps),
      },
      schemes: {
        clientToken: { ...header, description: '`Bearer: <client token>`, or without the first colon.' },
        pair: { ...header, description: '`Bearer: <client token>:<refresh token>`, or without the first colon.' },
      },
      failure: shapes.failure,
      errorBody: ({ status, message }) => ({ code: status, message }),
    },
    deps,
  );
  return { ...surface, inUse: ({ clientTokens }) => clientTokens };
}
