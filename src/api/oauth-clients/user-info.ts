/**
 * `GET /user/info`: who the person is whose access token this is. In this order: the token (400, 401, 403), then the query (400) and
 * the name in it (403). Only somebody with a good token learns anything about the query.
 */
import { nowSeconds } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { isTold, toldEmail } from '../../core/accounts/told-names.ts';
import { usernameKey } from '../../core/kernel/names.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { accessTokenAnswers, requireAccessToken } from '../kit/access-token.ts';
import { operation, schemasOf } from '../kit/operation.ts';
import type { SurfaceDeps } from '../kit/surface.ts';

const shapes = schemasOf(() => import('./shapes.ts'));
const scope = 'user';

export const createUserInfo = ({ config, tokens }: SurfaceDeps) =>
  operation({
    summary: 'Who the person is',
    description: `Needs a person's access token with the scope \`${scope}\`.`,
    security: ['userToken'],
    query: shapes.userInfoQuery,
    answers: {
      200: { description: 'The person of the token.', body: shapes.userInfo },
      ...accessTokenAnswers,
      400: 'A malformed or repeated `Authorization` header, an access token in the query, or `username` twice.',
      403: '`insufficient_scope`: the token lacks the scope. `access_denied`: `username` is another person.',
    },
    async handle(ctx, read) {
      const account = await requireAccessToken(ctx, tokens, { api: `${config.issuer}/user`, scope });
      const { username } = await read.query();
      if (username !== undefined && usernameKey(username) !== account.usernameKey)
        throw new Refusal('access_denied', 'the access token is for another person');
      ctx.body = { success: true, user_data: userData(account), timestamp: nowSeconds() };
    },
  });

function userData(account: Account) {
  return {
    // Strings in the original, so strings where there is nothing to tell.
    first_name: isTold(account.firstName, account) ? account.firstName : '',
    last_name: isTold(account.lastName, account) ? account.lastName : '',
    username: account.username,
    two_factor: account.twoFactor,
    verified: account.verified,
    email: toldEmail(account) ?? '',
  };
}
