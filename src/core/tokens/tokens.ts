/**
 * Whether an OAuth token is valid, for every entry point: introspection, revocation, userinfo, the gateway,
 * `/gateway/verify` and the user API. Opaque tokens are in opaque-tokens.ts, JWTs in jwt-access-tokens.ts; the checks
 * that both share are below. possession.ts checks the proof of a bound token.
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
import { createNonces } from './dpop-nonces.ts';
import { createEndedTokens } from './ended-tokens.ts';
import { clockToleranceSeconds } from './jwt.ts';
import { createJwtAccessTokens, verifyAccessJwt } from './jwt-access-tokens.ts';
import { type LiveToken, type Looked, refused } from './live-token.ts';
import { createOpaqueTokens, readOpaque } from './opaque-tokens.ts';
import { createPossession, type Possession } from './possession.ts';

export type VerifiedAccessToken = Looked;

/**
 * All methods throw `Unavailable` if storage cannot answer. `possession` is undefined for a token that was sent as a
 * Bearer token; a bound token costs one write more, which keeps its proof from being used again.
 */
export interface Tokens {
  /** A JWT for the API with this identifier. One database read for a user's token, none for a client's own. */
  verifyAccessToken(token: string, audience: string, possession?: Possession): Promise<VerifiedAccessToken>;
  /** As above, for an API with opaque tokens: one read. */
  verifyOpaqueToken(token: string, audience: string, possession?: Possession): Promise<VerifiedAccessToken>;
  /** A user's token with the scope openid: an opaque one for no API, or a JWT with the userinfo audience. One read. */
  verifyForUserinfo(token: string, possession?: Possession): Promise<VerifiedAccessToken>;
  /** For the `DPoP-Nonce` header of an answer to a proof. */
  nextNonce(): string;
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
  readonly secrets: { readonly secretKey: string };
  readonly config: {
    readonly issuer: string;
    readonly lifetimes: SessionLimits;
    readonly dpopNonce: 'offered' | 'required';
  };
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
  const nonces = createNonces(core.secrets.secretKey);
  const proven = createPossession({ ...deps, nonces, nonce: config.dpopNonce });
  const lookAtJwt = createJwtAccessTokens(deps);
  const lookAtOpaque = createOpaqueTokens(deps);

  return {
    verifyAccessToken: async (token, audience, possession) =>
      proven(await lookAtJwt(token, audience), token, possession),

    async verifyOpaqueToken(token, audience, possession) {
      const looked = await lookAtOpaque(token);
      if (looked.outcome === 'refused') return looked;
      if (looked.kind === 'refresh') return refused('ended');
      return isFor(looked, audience) ? proven(looked, token, possession) : refused('audience');
    },

    async verifyForUserinfo(token, possession) {
      const audience = userinfoAudience(deps.issuer);
      const looked = await (isJwt(token) ? lookAtJwt(token, audience) : lookAtOpaque(token));
      if (looked.outcome === 'refused') return looked;
      if (looked.kind !== 'person') return refused('ended');
      if (looked.form === 'opaque' && looked.claims.aud !== undefined)
        return refused(hasScope(looked, 'openid') ? 'audience' : 'scope');
      const held = await proven(looked, token, possession);
      // A token without its proof is not told what it lacks.
      return held.outcome === 'valid' && !hasScope(held, 'openid') ? refused('scope') : held;
    },

    nextNonce: nonces.next,

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

function isFor({ claims: { aud } }: LiveToken, audience: string): boolean {
  return aud === audience || (Array.isArray(aud) && aud.includes(audience));
}

export function hasScope({ claims: { scope } }: Pick<LiveToken, 'claims'>, name: string): boolean {
  return scope?.split(' ').includes(name) ?? false;
}
