/**
 * `GET /user/info`: the person of the access token. Checks the token (400, 401, 403), then the query (400) and its
 * username (403). Callers without a valid token learn nothing about the query.
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
    summary: 'Get the user’s data',
    description: `Needs a person's access token with the scope \`${scope}\`.`,
    security: ['userToken'],
    query: shapes.userInfoQuery,
    answers: {
      200: { description: 'The data of the token’s person.', body: shapes.userInfo },
      ...accessTokenAnswers,
      400: 'A malformed or repeated `Authorization` header, an access token in the query, or a repeated `username`.',
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
    // The API requires strings, so absent values are empty.
    first_name: isTold(account.firstName, account) ? account.firstName : '',
    last_name: isTold(account.lastName, account) ? account.lastName : '',
    username: account.username,
    two_factor: account.twoFactor,
    verified: account.verified,
    email: toldEmail(account) ?? '',
  };
}
