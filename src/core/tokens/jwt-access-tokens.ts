/**
 * Access tokens in JWT form (RFC 9068). Beyond signature and claims, a token needs, at the time of use: its client,
 * from memory; a user's token also its grant, account and (if it ends with it) session, with one read. A client's own
 * token has no grant; whether it was revoked is in memory too.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { CachedClients } from '../clients/cached-clients.ts';
import type { Keys } from '../keys/keys.ts';
import type { EngineStore } from '../stores/engine.ts';
import type { EndedTokens } from './ended-tokens.ts';
import { type HeldSessionDeps, sessionHolds } from './held-session.ts';
import { typOf, type VerifiedJwt, verifyJwt } from './jwt.ts';
import { type AccessTokenClaims, type Looked, refused } from './live-token.ts';

/** The `typ` of RFC 9068, and the one that other software expects; that one needs a `token_use` claim. */
export const accessTokenTyps = ['at+jwt', 'JWT'] as const;

const requiredClaims = ['sub', 'client_id', 'iat', 'exp', 'jti'];
/** The form of an id that a table or the change log can hold. */
const plainName = /^[\x21-\x7e]{1,255}$/;

interface JwtAccessTokenDeps extends HeldSessionDeps {
  readonly keys: Keys;
  readonly issuer: string;
  readonly clients: Pick<CachedClients, 'find'>;
  readonly engine: Pick<EngineStore, 'readGrant'>;
  readonly ended: Pick<EndedTokens, 'has'>;
}

/** Verifies the token only, not the state behind it. `audience` undefined: any API. */
export async function verifyAccessJwt(
  { keys, issuer }: Pick<JwtAccessTokenDeps, 'keys' | 'issuer'>,
  token: string,
  audience: string | undefined,
): Promise<VerifiedJwt<AccessTokenClaims>> {
  // The unverified header only selects which `typ` is then verified.
  const typ = accessTokenTyps.find((known) => known === typOf(token)) ?? 'at+jwt';
  const verified = await verifyJwt<AccessTokenClaims>(keys, token, { issuer, audience, typ, requiredClaims });
  if (verified.outcome === 'refused') return verified;
  const { sub, client_id, jti, gid, session, scope, token_use, aud } = verified.claims;
  // ID tokens and signed userinfo responses may also have the typ JWT; they are no access tokens.
  const use = typ === 'at+jwt' || token_use === 'access';
  const text = [sub, client_id, jti, gid ?? '', session ?? '', scope ?? ''].every((claim) => typeof claim === 'string');
  const sound = use && text && aud !== undefined && plainName.test(String(jti));
  return sound ? verified : { outcome: 'refused', reason: 'malformed' };
}

export function createJwtAccessTokens(deps: JwtAccessTokenDeps) {
  return async function look(token: string, audience: string | undefined): Promise<Looked> {
    const verified = await verifyAccessJwt(deps, token, audience);
    if (verified.outcome === 'refused') return verified;
    const { claims } = verified;
    const client = await deps.clients.find(claims.client_id);
    if (!client || client.disabledAt !== null) return refused('ended');
    const found = { outcome: 'valid', form: 'jwt', claims, client, requested: undefined } as const;
    if (claims.gid === undefined) {
      // A client's own token: the subject is the client (RFC 9068, section 2.2).
      if (claims.sub !== claims.client_id) return refused('malformed');
      if (deps.ended.has(client.id, String(claims.jti))) return refused('ended');
      return { ...found, kind: 'client', account: undefined, grant: undefined };
    }

    const { sub: subject, client_id: clientId, gid: grantId, session } = claims;
    const read = await deps.engine.readGrant(grantId, session);
    const alive =
      read?.account !== undefined &&
      read.account.disabledAt === null &&
      read.account.subject === subject &&
      read.grant.subject === subject &&
      read.grant.clientId === clientId &&
      read.grant.expiresAt > nowSeconds() &&
      (session === undefined || sessionHolds(read.session, { subject, clientId, grantId }, deps));
    return alive ? { ...found, kind: 'person', account: read.account, grant: read.grant } : refused('ended');
  };
}
