/**
 * Guards an endpoint that needs a person's access token (RFC 6750, RFC 9449). Order: how the token was sent (400, or
 * 401 if absent), whether it is valid, proven and a person's (401), then its scope (403). The challenge repeats the
 * error, unless no token was sent (RFC 6750, section 3). It always names the scope and the metadata (RFC 9728,
 * section 5.1).
 */
import type { Context } from 'koa';
import { Refusal, type RefusalCode } from '../../base/errors.ts';
import { resourceMetadataAddress } from '../../core/apis/resource-metadata.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { Tokens } from '../../core/tokens/tokens.ts';
import { bearerChallenge } from '../../http/authorization.ts';
import { allowOriginOf } from '../../http/cors.ts';
import { ProofRefusal, presentedToken, proofAnswer, proofChallenge } from '../../http/dpop.ts';

/**
 * Returns the token's account. Throws `Refusal`. Lets pages of the token's client read the response, also that of a
 * later refusal (CORS).
 */
export async function requireAccessToken(
  ctx: Context,
  tokens: Pick<Tokens, 'verifyAccessToken' | 'nextNonce'>,
  { api, scope }: { readonly api: string; readonly scope: string },
): Promise<Account> {
  const metadata = resourceMetadataAddress(api);
  const hints = { scope, ...(metadata !== undefined && { resource_metadata: metadata }) };
  ctx.vary('Origin');
  // The identifier of the API begins with the outside origin of this server.
  const sent = presentedToken(ctx.req, [new URL(api).origin + ctx.path]);
  const proves = sent.outcome === 'token' && sent.possession !== undefined;
  if (proves) ctx.set('DPoP-Nonce', tokens.nextNonce());
  const challenge = proves ? proofChallenge : bearerChallenge;
  const refuse = (code: RefusalCode, words: string): Refusal =>
    new Refusal(code, words, challenge(api, { error: code, error_description: words, ...hints }));
  if (sent.outcome === 'none')
    throw new Refusal('unauthorized', 'an access token is needed', bearerChallenge(api, hints));
  if (sent.outcome === 'malformed' || ctx.query.access_token !== undefined)
    throw refuse('invalid_request', 'send one access token, in one Authorization header');
  const verified = await tokens.verifyAccessToken(sent.token, api, sent.possession);
  if (verified.outcome === 'refused') {
    // The page of a client must be able to read the nonce for its next proof.
    if (verified.client) allowOriginOf(ctx, verified.client);
    const proof = proofAnswer(verified);
    if (proof !== undefined) throw new ProofRefusal(proof, api, hints);
    const expired = verified.reason === 'expired';
    throw refuse('invalid_token', `the access token ${expired ? 'has expired' : 'is not valid'}`);
  }
  const { account, claims, client } = verified;
  allowOriginOf(ctx, client);
  if (account === undefined) throw refuse('invalid_token', 'the access token does not belong to a person');
  if (!claims.scope?.split(' ').includes(scope)) throw refuse('insufficient_scope', `the scope ${scope} is needed`);
  return account;
}

/** For the description of such an operation. */
export const accessTokenAnswers = {
  401: {
    description: 'The access token is missing, invalid, expired or revoked, for another API, or not a person’s.',
    headers: { 'WWW-Authenticate': 'A Bearer or DPoP challenge (RFC 6750, RFC 9449).' },
  },
} as const;
