/**
 * Access tokens as this server's own endpoints and the gateway accept them. In JWT form (RFC 9068) the signature and the claims
 * must hold, an opaque one must be stored; and so must everything the token hangs on (its grant, its account, its client, its
 * session), read at the time of use.
 */
import type { JWTPayload } from 'jose';
import { nowSeconds } from '../base/clock.ts';
import { digest } from '../base/secrets.ts';
import type { CachedClients } from './cached-clients.ts';
import { type JwtRefusal, verifyJwt } from './jwt.ts';
import type { Keys } from './keys.ts';
import type { Account } from './stores/accounts.ts';
import type { ClientRecord } from './stores/clients.ts';
import type { EngineStore, TokenBundle } from './stores/engine.ts';

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
  | { readonly outcome: 'refused'; readonly reason: JwtRefusal | 'ended' };

export interface Tokens {
  /** `audience`: the API's identifier. One database read for a person's token, none for a client's own. Throws `Unavailable`. */
  verifyAccessToken(token: string, audience: string): Promise<VerifiedAccessToken>;
  /** The same for a token of an API whose tokens are opaque: one read. Throws `Unavailable`. */
  verifyOpaqueToken(token: string, audience: string): Promise<VerifiedAccessToken>;
}

export function createTokens(deps: {
  keys: Keys;
  engine: EngineStore;
  clients: CachedClients;
  issuer: string;
}): Tokens {
  return {
    async verifyAccessToken(token, audience) {
      const verified = await verifyJwt<AccessTokenClaims>(deps.keys, token, {
        issuer: deps.issuer,
        audience,
        typ: 'at+jwt',
        requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'],
      });
      if (verified.outcome === 'refused') return verified;
      const { claims } = verified;
      if (typeof claims.sub !== 'string' || typeof claims.client_id !== 'string')
        return { outcome: 'refused', reason: 'malformed' };

      const client = await deps.clients.find(claims.client_id);
      if (!client || client.disabledAt !== null) return { outcome: 'refused', reason: 'ended' };
      if (claims.gid === undefined) {
        // Its own: the subject is the client (RFC 9068, section 2.2).
        if (claims.sub !== claims.client_id) return { outcome: 'refused', reason: 'malformed' };
        return { outcome: 'valid', claims, client, account: undefined };
      }

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

    async verifyOpaqueToken(token, audience) {
      // What cannot be one costs no read.
      if (!/^[A-Za-z0-9_-]{20,128}$/.test(token)) return { outcome: 'refused', reason: 'malformed' };
      const bundle = await deps.engine.readToken(digest(token));
      if (bundle === undefined || !opaqueKinds.has(bundle.token.kind)) return { outcome: 'refused', reason: 'ended' };
      const { clientId, subject, grantId, expiresAt } = bundle.token;
      if (expiresAt === null || expiresAt <= nowSeconds()) return { outcome: 'refused', reason: 'expired' };
      const { aud, scope } = JSON.parse(bundle.token.payload) as { aud?: unknown; scope?: unknown };
      if (aud !== audience) return { outcome: 'refused', reason: 'audience' };
      const client = clientId === null ? undefined : await deps.clients.find(clientId);
      if (!client || client.disabledAt !== null || !holds(bundle)) return { outcome: 'refused', reason: 'ended' };
      const claims: AccessTokenClaims = {
        iss: deps.issuer,
        aud: audience,
        sub: subject ?? client.id,
        client_id: client.id,
        exp: expiresAt,
        ...(typeof scope === 'string' && { scope }),
        ...(grantId !== null && { gid: grantId }),
      };
      return { outcome: 'valid', claims, client, account: subject === null ? undefined : bundle.account };
    },
  };
}

/** The engine's names for them: a person's, and a client's own. */
const opaqueKinds: ReadonlySet<string> = new Set(['AccessToken', 'ClientCredentials']);

/** The grant, the person and, where the token ends with it, the session that it names are there, and are each other's. */
function holds({ token, grant, account, session }: TokenBundle): boolean {
  const { clientId, subject, grantId, sessionUid } = token;
  const now = nowSeconds();
  if (grantId !== null) {
    if (!grant || grant.expiresAt <= now || grant.clientId !== clientId || grant.subject !== subject) return false;
  }
  if (subject !== null && (account?.subject !== subject || account.disabledAt !== null)) return false;
  if (sessionUid === null) return true;
  if (!session || session.subject !== subject || session.expiresAt <= now) return false;
  return clientId !== null && session.grants[clientId] === grantId;
}
