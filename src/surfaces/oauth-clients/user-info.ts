/**
 * `GET /user/info`: who the person is whose access token this is. In this order: how the token came (400, or 401 for none),
 * whether it is a person's and good (401), its scope (403), then the query (400) and the name in it (403). Only somebody with a
 * good token learns anything about the query.
 */
import type { Context } from 'koa';
import { nowSeconds } from '../../base/clock.ts';
import { usernameKey } from '../../core/names.ts';
import type { Account } from '../../core/stores.ts';
import { bearerOf } from '../../http/bearer.ts';
import { allowOriginOf } from '../../http/cors.ts';
import { operation } from '../../http/operation.ts';
import type { SurfaceDeps } from '../../http/surface.ts';

const shapes = () => import('./shapes.ts');
const scope = 'user';

export function createUserInfo({ config, tokens }: SurfaceDeps) {
  const api = `${config.issuer}/user`;

  /** RFC 6750, section 3: the challenge repeats the error, except where no token was sent. */
  function refuse(ctx: Context, status: 400 | 401 | 403, error: string, description: string, challenge?: string): void {
    if (challenge !== undefined) ctx.set('WWW-Authenticate', `Bearer realm="${api}"${challenge}`);
    ctx.status = status;
    ctx.body = { success: false, error, error_description: description };
  }
  function refuseToken(ctx: Context, status: 400 | 401 | 403, error: string, description: string, more = ''): void {
    refuse(ctx, status, error, description, `, error="${error}", error_description="${description}"${more}`);
  }

  return operation({
    summary: 'Who the person is',
    description: `Needs a person's access token with the scope \`${scope}\`.`,
    security: ['userToken'],
    query: async () => (await shapes()).userInfoQuery,
    answers: {
      200: { description: 'The person of the token.', body: async () => (await shapes()).userInfo },
      400: 'A malformed or repeated `Authorization` header, an access token in the query, or `username` twice.',
      401: {
        description: 'No access token, or one that is forged, expired, ended, for another API, or not a person’s.',
        headers: { 'WWW-Authenticate': 'A Bearer challenge (RFC 6750, section 3).' },
      },
      403: '`insufficient_scope`: the token lacks the scope. `access_denied`: `username` is another person.',
    },
    async handle(ctx, read) {
      ctx.vary('Origin');
      const sent = bearerOf(ctx.req);
      if (sent.outcome === 'none') return refuse(ctx, 401, 'unauthorized', 'an access token is needed', '');
      if (sent.outcome === 'malformed' || ctx.query.access_token !== undefined) {
        return refuseToken(ctx, 400, 'invalid_request', 'send one access token, in one Authorization header');
      }
      const verified = await tokens.verifyAccessToken(sent.token, api);
      if (verified.outcome === 'refused') {
        const expired = verified.reason === 'expired';
        return refuseToken(ctx, 401, 'invalid_token', `the access token ${expired ? 'has expired' : 'is not valid'}`);
      }
      const { account, claims, client } = verified;
      allowOriginOf(ctx, client);
      if (account === undefined) return refuseToken(ctx, 401, 'invalid_token', "the access token is not a person's");
      if (!claims.scope?.split(' ').includes(scope)) {
        return refuseToken(ctx, 403, 'insufficient_scope', `the scope ${scope} is needed`, `, scope="${scope}"`);
      }
      const { username } = await read.query();
      if (username !== undefined && usernameKey(username) !== account.usernameKey) {
        return refuse(ctx, 403, 'access_denied', 'the access token is for another person');
      }
      ctx.body = { success: true, user_data: userData(account), timestamp: nowSeconds() };
    },
  });
}

function userData(account: Account) {
  return {
    first_name: account.firstName,
    last_name: account.lastName,
    username: account.username,
    two_factor: account.twoFactor,
    verified: account.verified,
    // A string in the original, so a string where there is no address.
    email: account.email ?? '',
  };
}
