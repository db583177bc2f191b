/**
 * Access tokens in JWT form (RFC 9068), as this server's own endpoints and the gateway accept them: the signature and the
 * claims must hold, and so must everything the token hangs on (its grant, its account, its client), read at the time of use.
 */
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { nowSeconds } from '../base/clock.ts';
import type { CachedClients } from './cached-clients.ts';
import type { Keys } from './keys.ts';
import type { Account, ClientRecord, EngineStore } from './stores.ts';

export interface AccessTokenClaims extends JWTPayload {
  readonly sub: string;
  readonly client_id: string;
  readonly scope?: string;
  /** The grant it was issued under; absent in a client's own token. */
  readonly gid?: string;
}

export type VerifiedAccessToken =
  | {
      readonly outcome: 'valid';
      readonly claims: AccessTokenClaims;
      readonly client: ClientRecord;
      readonly account: Account | undefined;
    }
  | { readonly outcome: 'refused'; readonly reason: 'malformed' | 'signature' | 'expired' | 'audience' | 'ended' };

export interface Tokens {
  /** `audience`: the API's identifier. One database read for a person's token, none for a client's own. Throws `Unavailable`. */
  verifyAccessToken(token: string, audience: string): Promise<VerifiedAccessToken>;
}

/** Seconds two clocks may differ (security.md D3 asks for at most 15). */
const clockTolerance = 15;

export function createTokens(deps: {
  keys: Keys;
  engine: EngineStore;
  clients: CachedClients;
  issuer: string;
}): Tokens {
  return {
    async verifyAccessToken(token, audience) {
      let claims: AccessTokenClaims;
      try {
        const verified = await jwtVerify<AccessTokenClaims>(
          token,
          ({ kid, alg }) => {
            // Only a key of this server, named by its kid, with the algorithm it was made for: what the header says decides nothing.
            const key = deps.keys.ring().find((candidate) => candidate.id === kid && candidate.algorithm === alg);
            if (!key) throw new errors.JWKSNoMatchingKey();
            return key.publicKey;
          },
          {
            issuer: deps.issuer,
            audience,
            typ: 'at+jwt',
            algorithms: ['ES256', 'RS256'],
            clockTolerance,
            requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'],
          },
        );
        claims = verified.payload;
      } catch (error) {
        return { outcome: 'refused', reason: reasonOf(error) };
      }
      if (typeof claims.sub !== 'string' || typeof claims.client_id !== 'string')
        return { outcome: 'refused', reason: 'malformed' };
      // jose leaves iat alone: a token from the future was not made by this server's clock.
      if (typeof claims.iat === 'number' && claims.iat > nowSeconds() + clockTolerance)
        return { outcome: 'refused', reason: 'malformed' };

      const client = await deps.clients.find(claims.client_id);
      if (!client || client.disabledAt !== null) return { outcome: 'refused', reason: 'ended' };
      if (claims.gid === undefined) return { outcome: 'valid', claims, client, account: undefined };

      const read = await deps.engine.readGrant(claims.gid);
      const alive =
        read?.account !== undefined &&
        read.account.disabledAt === null &&
        read.account.subject === claims.sub &&
        read.grant.clientId === claims.client_id &&
        read.grant.expiresAt > nowSeconds();
      if (!alive) return { outcome: 'refused', reason: 'ended' };
      return { outcome: 'valid', claims, client, account: read.account };
    },
  };
}

function reasonOf(error: unknown): 'malformed' | 'signature' | 'expired' | 'audience' {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return 'signature';
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') return 'audience';
  return 'malformed';
}
