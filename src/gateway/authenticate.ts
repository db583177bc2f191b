/**
 * Authenticates the sender of a request. The unverified `typ` of the token only selects the verifier, so each request
 * costs one verification. The verifier accepts that one kind.
 */
import type { IncomingMessage } from 'node:http';
import { toldUsername } from '../core/accounts/told-names.ts';
import type { ApiSessions } from '../core/api-sessions/api-sessions.ts';
import type { ClientSessions } from '../core/api-sessions/client-sessions.ts';
import type { Apis } from '../core/apis/apis.ts';
import type { Caller } from '../core/kernel/caller.ts';
import { typOf } from '../core/tokens/jwt.ts';
import { accessTokenTyps } from '../core/tokens/jwt-access-tokens.ts';
import type { Possession, ShownProof } from '../core/tokens/possession.ts';
import { apiSessionKinds } from '../core/tokens/token-kinds.ts';
import type { Tokens, VerifiedAccessToken } from '../core/tokens/tokens.ts';
import { clientPairOf } from '../http/authorization.ts';
import { type ProofAnswer, presentedToken, proofAnswer } from '../http/dpop.ts';
import type { Asked, Demand, TokenName } from './routes.ts';

/** What the upstream learns about the sender. */
export interface Identity {
  readonly kind: TokenName;
  /** The user's subject: never changes, never reused. */
  readonly subject: string | undefined;
  readonly username: string | undefined;
  readonly client: string | undefined;
  readonly scope: string | undefined;
  readonly session: string | undefined;
}

export type Authenticated =
  /** `nonce`: for the `DPoP-Nonce` header, if the request has a proof. */
  | { readonly outcome: 'identified'; readonly identity: Identity; readonly nonce?: string | undefined }
  /** No token was presented. */
  | { readonly outcome: 'anonymous' }
  | {
      readonly outcome: 'refused';
      readonly why: 'malformed' | 'expired' | 'invalid';
      /** The token is bound to a key, or the sender says so: what is wrong with its proof, if that is the reason. */
      readonly proof?: ProofAnswer | undefined;
      readonly nonce?: string | undefined;
    }
  /** Too many wrong client tokens came from this address. `retryAfter` is in seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number }
  | { readonly outcome: 'insufficient-scope'; readonly scopes: readonly string[]; readonly nonce?: string | undefined };

/** Who asks for what. */
interface Asking {
  /** Undefined: repeats an earlier check of a connection. It counts against no limit and needs no new proof. */
  readonly from: Caller | undefined;
  /** The request that a proof must be made for; undefined if a question to `/gateway/verify/token` does not name it. */
  readonly asked: Pick<Asked, 'method' | 'path'> | undefined;
}

/** Throws `Unavailable`. */
export type Authenticator = (req: IncomingMessage, demand: Demand, asking: Asking) => Promise<Authenticated>;

interface AuthenticatorDeps {
  readonly tokens: Tokens;
  readonly apis: Pick<Apis, 'find'>;
  readonly apiSessions: Pick<ApiSessions, 'verify'>;
  readonly clientSessions: Pick<ClientSessions, 'verify'>;
  /** The issuer, and where else the outside reaches APIs through a proxy that asks here. */
  readonly config: { readonly issuer: string; readonly gatewayOrigins: readonly string[] };
}

const kindOf = new Map<string, TokenName>(accessTokenTyps.map((typ) => [typ, 'oauth']));
for (const name of ['identity', 'security-service', 'tinyoauth', 'space-guard'] as const)
  kindOf.set(apiSessionKinds[name].typ, name);

const invalid = { outcome: 'refused', why: 'invalid' } as const;

const unnamed: Authenticated = {
  ...invalid,
  proof: {
    code: 'invalid_dpop_proof',
    words: 'the request in question is not named, so its DPoP proof cannot be checked',
    check: 'proof_address',
    facts: {
      expected: 'X-Original-Method and X-Original-URI, or X-Forwarded-Method and X-Forwarded-Uri',
      received: 'not both of a pair',
    },
  },
};

export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { tokens, apis, apiSessions, clientSessions } = deps;
  const origins = [deps.config.issuer, ...deps.config.gatewayOrigins];

  async function oauth(
    token: string,
    isJwt: boolean,
    { audience = '', scopes }: Demand,
    possession: Possession | undefined,
  ): Promise<Authenticated> {
    const nonce = possession === undefined || possession === 'proven' ? undefined : tokens.nextNonce();
    let verified: VerifiedAccessToken;
    // A route may spell the identifier differently; the token has it as registered.
    const api = apis.find(audience);
    const identifier = api?.identifier ?? audience;
    if (isJwt) verified = await tokens.verifyAccessToken(token, identifier, possession);
    // An opaque token costs a database read, so it is looked up only if the API has opaque tokens.
    else if (api?.tokenFormat === 'opaque') verified = await tokens.verifyOpaqueToken(token, identifier, possession);
    else return invalid;
    if (verified.outcome === 'refused') return { ...refusedFor(verified.reason), proof: proofAnswer(verified), nonce };
    const { claims, account } = verified;
    const granted = new Set((claims.scope ?? '').split(' '));
    if (!scopes.every((scope) => granted.has(scope))) return { outcome: 'insufficient-scope', scopes, nonce };
    const identity = identified('oauth', {
      subject: account?.subject,
      username: account && toldUsername(account),
      client: claims.client_id,
      scope: claims.scope,
    });
    return { ...identity, nonce };
  }

  /** How the sender shows that the token is its own. */
  function possessionOf(shown: ShownProof | undefined, asking: Asking): Possession | undefined {
    return shown !== undefined && asking.from === undefined ? 'proven' : shown;
  }

  async function pair(clientToken: string, token: string, from: Caller | undefined): Promise<Authenticated> {
    const verified = await clientSessions.verify(clientToken, token, from);
    if (verified.outcome === 'throttled') return verified;
    if (verified.outcome === 'refused') return invalid;
    return identified('space-guard', { client: verified.client.id, session: verified.claims.sid });
  }

  return async (req, demand, asking) => {
    const { from, asked } = asking;
    const { clientToken = '', jwt } = clientPairOf(req) ?? {};
    if (jwt !== undefined) return demand.tokens.includes('space-guard') ? pair(clientToken, jwt, from) : invalid;
    const addresses = origins.map((origin) => origin + (asked?.path ?? ''));
    const presented = presentedToken(req, addresses, asked?.method);
    if (presented.outcome === 'none') return { outcome: 'anonymous' };
    if (presented.outcome === 'malformed') return { outcome: 'refused', why: 'malformed' };
    const { token, possession: shown } = presented;
    const isJwt = token.includes('.');
    const kind = isJwt ? kindOf.get(typOf(token)) : 'oauth';
    if (kind === undefined || kind === 'space-guard' || !demand.tokens.includes(kind)) return invalid;
    if (kind === 'oauth') {
      const possession = possessionOf(shown, asking);
      const isUnnamed = typeof possession === 'object' && asked === undefined;
      return isUnnamed ? unnamed : oauth(token, isJwt, demand, possession);
    }
    // The other kinds of token are never bound.
    if (shown !== undefined) return invalid;
    const verified = await apiSessions.verify(kind, token);
    if (verified.outcome === 'refused') return refusedFor(verified.reason);
    const { account, session } = verified;
    return identified(kind, { subject: account.subject, username: toldUsername(account), session });
  };
}

function identified(kind: TokenName, known: Partial<Identity>) {
  const empty = { subject: undefined, username: undefined, client: undefined, scope: undefined, session: undefined };
  return { outcome: 'identified', identity: { ...empty, ...known, kind } } as const;
}

function refusedFor(reason: string) {
  return reason === 'expired' ? ({ outcome: 'refused', why: 'expired' } as const) : invalid;
}
