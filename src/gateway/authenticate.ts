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
import { apiSessionKinds } from '../core/tokens/token-kinds.ts';
import type { Tokens, VerifiedAccessToken } from '../core/tokens/tokens.ts';
import { bearerOf, clientPairOf } from '../http/authorization.ts';
import type { Demand, TokenName } from './routes.ts';

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
  | { readonly outcome: 'identified'; readonly identity: Identity }
  /** No token was presented. */
  | { readonly outcome: 'anonymous' }
  | { readonly outcome: 'refused'; readonly why: 'malformed' | 'expired' | 'invalid' }
  /** Too many wrong client tokens came from this address. `retryAfter` is in seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number }
  | { readonly outcome: 'insufficient-scope'; readonly scopes: readonly string[] };

/** If `from` is undefined, the call repeats an earlier check and counts against no limit. Throws `Unavailable`. */
export type Authenticator = (req: IncomingMessage, demand: Demand, from: Caller | undefined) => Promise<Authenticated>;

interface AuthenticatorDeps {
  readonly tokens: Tokens;
  readonly apis: Pick<Apis, 'find'>;
  readonly apiSessions: Pick<ApiSessions, 'verify'>;
  readonly clientSessions: Pick<ClientSessions, 'verify'>;
}

const kindOf = new Map<string, TokenName>(accessTokenTyps.map((typ) => [typ, 'oauth']));
for (const name of ['identity', 'security-service', 'tinyoauth', 'space-guard'] as const)
  kindOf.set(apiSessionKinds[name].typ, name);

const invalid: Authenticated = { outcome: 'refused', why: 'invalid' };

export function createAuthenticator({ tokens, apis, apiSessions, clientSessions }: AuthenticatorDeps): Authenticator {
  async function oauth(token: string, isJwt: boolean, { audience = '', scopes }: Demand): Promise<Authenticated> {
    let verified: VerifiedAccessToken;
    // A route may spell the identifier differently; the token has it as registered.
    const api = apis.find(audience);
    const identifier = api?.identifier ?? audience;
    if (isJwt) verified = await tokens.verifyAccessToken(token, identifier);
    // An opaque token costs a database read, so it is looked up only if the API has opaque tokens.
    else if (api?.tokenFormat === 'opaque') verified = await tokens.verifyOpaqueToken(token, identifier);
    else return invalid;
    if (verified.outcome === 'refused') return refusedFor(verified.reason);
    const { claims, account } = verified;
    const granted = new Set((claims.scope ?? '').split(' '));
    if (!scopes.every((scope) => granted.has(scope))) return { outcome: 'insufficient-scope', scopes };
    return identified('oauth', {
      subject: account?.subject,
      username: account && toldUsername(account),
      client: claims.client_id,
      scope: claims.scope,
    });
  }

  async function pair(clientToken: string, token: string, from: Caller | undefined): Promise<Authenticated> {
    const verified = await clientSessions.verify(clientToken, token, from);
    if (verified.outcome === 'throttled') return verified;
    if (verified.outcome === 'refused') return invalid;
    return identified('space-guard', { client: verified.client.id, session: verified.claims.sid });
  }

  return async (req, demand, from) => {
    const { clientToken = '', jwt } = clientPairOf(req) ?? {};
    if (jwt !== undefined) return demand.tokens.includes('space-guard') ? pair(clientToken, jwt, from) : invalid;
    const bearer = bearerOf(req);
    if (bearer.outcome === 'none') return { outcome: 'anonymous' };
    if (bearer.outcome === 'malformed') return { outcome: 'refused', why: 'malformed' };
    const { token } = bearer;
    const isJwt = token.includes('.');
    const kind = isJwt ? kindOf.get(typOf(token)) : 'oauth';
    if (kind === undefined || kind === 'space-guard' || !demand.tokens.includes(kind)) return invalid;
    if (kind === 'oauth') return oauth(token, isJwt, demand);
    const verified = await apiSessions.verify(kind, token);
    if (verified.outcome === 'refused') return refusedFor(verified.reason);
    const { account, session } = verified;
    return identified(kind, { subject: account.subject, username: toldUsername(account), session });
  };
}

function identified(kind: TokenName, known: Partial<Identity>): Authenticated {
  const empty = { subject: undefined, username: undefined, client: undefined, scope: undefined, session: undefined };
  return { outcome: 'identified', identity: { ...empty, ...known, kind } };
}

function refusedFor(reason: string): Authenticated {
  return reason === 'expired' ? { outcome: 'refused', why: 'expired' } : invalid;
}
