/**
 * Whether an OAuth token is valid, for every entry point: introspection, revocation, userinfo, the gateway,
 * `/gateway/verify` and the user API. Opaque tokens are in opaque-tokens.ts, JWTs in jwt-access-tokens.ts; the checks
 * that both share are below. Proofs of possession will belong in `unbound`.
 */
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import { userinfoAudience } from '../apis/apis.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { CachedClients } from '../clients/cached-clients.ts';
import type { Keys } from '../keys/keys.ts';
import type { SessionLimits } from '../sessions/session-limits.ts';
import type { EndedTokenStore } from '../stores/ended-tokens.ts';
import type { EngineStore } from '../stores/engine.ts';
import { createEndedTokens } from './ended-tokens.ts';
import { clockToleranceSeconds } from './jwt.ts';
import { createJwtAccessTokens, verifyAccessJwt } from './jwt-access-tokens.ts';
import { type LiveToken, type Looked, refused } from './live-token.ts';
import { createOpaqueTokens, readOpaque } from './opaque-tokens.ts';

export type VerifiedAccessToken = Looked;

/** All methods throw `Unavailable` if storage cannot answer. */
export interface Tokens {
  /** A JWT for the API with this identifier. One database read for a user's token, none for a client's own. */
  verifyAccessToken(token: string, audience: string): Promise<VerifiedAccessToken>;
  /** As above, for an API with opaque tokens: one read. */
  verifyOpaqueToken(token: string, audience: string): Promise<VerifiedAccessToken>;
  /** A user's token with the scope openid: an opaque one for no API, or a JWT with the userinfo audience. One read. */
  verifyForUserinfo(token: string): Promise<VerifiedAccessToken>;
  /** Finds a live token of any form for any API, also refresh tokens. At most one read. */
  find(token: string): Promise<LiveToken | undefined>;
  /**
   * Ends the token; for a user's token, ends its whole grant (docs/decisions/023). Ignores tokens that are unknown,
   * expired or another client's. Effective here at once, on every node within a second. `full`: not revoked, because
   * the client has revoked too many of its own tokens lately.
   */
  revoke(token: string, clientId: string): Promise<'done' | 'full'>;
}

const isJwt = (token: string): boolean => token.includes('.');

export function createTokens(core: {
  readonly stores: { readonly engine: EngineStore; readonly endedTokens: EndedTokenStore };
  readonly keys: Keys;
  readonly cached: Pick<CachedClients, 'find'>;
  readonly changes: Pick<ChangeLog, 'follow' | 'changed'>;
  readonly activity: { seen(subject: string, sessionUid: string): void };
  readonly config: { readonly issuer: string; readonly lifetimes: SessionLimits };
}): Tokens {
  const { stores, changes, config } = core;
  const deps = {
    keys: core.keys,
    clients: core.cached,
    engine: stores.engine,
    ended: createEndedTokens({ store: stores.endedTokens, changes }),
    issuer: config.issuer,
    sessionLimits: config.lifetimes,
    seen: core.activity.seen,
  };
  const lookAtJwt = createJwtAccessTokens(deps);
  const lookAtOpaque = createOpaqueTokens(deps);

  return {
    verifyAccessToken: async (token, audience) => unbound(await lookAtJwt(token, audience)),

    async verifyOpaqueToken(token, audience) {
      const looked = unbound(await lookAtOpaque(token));
      if (looked.outcome === 'refused') return looked;
      if (looked.kind === 'refresh') return refused('ended');
      return isFor(looked, audience) ? looked : refused('audience');
    },

    async verifyForUserinfo(token) {
      const audience = userinfoAudience(deps.issuer);
      const looked = unbound(await (isJwt(token) ? lookAtJwt(token, audience) : lookAtOpaque(token)));
      if (looked.outcome === 'refused') return looked;
      if (looked.kind !== 'person') return refused('ended');
      if (!hasScope(looked, 'openid')) return refused('scope');
      return looked.form === 'opaque' && looked.claims.aud !== undefined ? refused('audience') : looked;
    },

    async find(token) {
      const looked = await (isJwt(token) ? lookAtJwt(token, undefined) : lookAtOpaque(token));
      // No clock tolerance: introspection must not call a token active that is expired for its caller.
      return looked.outcome === 'valid' && Number(looked.claims.exp) > nowSeconds() ? looked : undefined;
    },

    async revoke(token, clientId) {
      if (!isJwt(token)) {
        const { bundle } = (await readOpaque(deps.engine, token)) ?? {};
        if (bundle?.token.clientId !== clientId || Number(bundle.token.expiresAt) <= nowSeconds()) return 'done';
        if (bundle.token.grantId === null) await deps.engine.deleteToken(digest(token));
        else await deps.engine.revokeGrant(bundle.token.grantId);
        return 'done';
      }
      const verified = await verifyAccessJwt(deps, token, undefined);
      if (verified.outcome === 'refused' || verified.claims.client_id !== clientId) return 'done';
      const { gid, jti, exp } = verified.claims;
      if (gid !== undefined) {
        await deps.engine.revokeGrant(gid);
        return 'done';
      }
      const until = Math.ceil(Number(exp)) + clockToleranceSeconds;
      return (await deps.ended.end({ clientId, jti: String(jti), until })) === 'full' ? 'full' : 'done';
    },
  };
}

/** A bound token needs a proof from its holder, which this server does not check yet (RFC 9449, RFC 8705). */
function unbound(looked: Looked): Looked {
  return looked.outcome === 'valid' && looked.claims.cnf !== undefined ? refused('bound') : looked;
}

function isFor({ claims: { aud } }: LiveToken, audience: string): boolean {
  return aud === audience || (Array.isArray(aud) && aud.includes(audience));
}

export function hasScope({ claims: { scope } }: Pick<LiveToken, 'claims'>, name: string): boolean {
  return scope?.split(' ').includes(name) ?? false;
}
