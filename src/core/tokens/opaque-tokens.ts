/**
 * Opaque tokens: stored under a digest of their value, and read by one statement together with grant, account and (if
 * the token ends with it) session.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import { digest } from '../../base/secrets.ts';
import type { CachedClients } from '../clients/cached-clients.ts';
import type { EngineStore, StoredToken, TokenBundle } from '../stores/engine.ts';
import { type HeldSessionDeps, sessionHolds } from './held-session.ts';
import { type AccessTokenClaims, type LiveKind, type Looked, refused } from './live-token.ts';

/** By the engine's names. */
const kinds: ReadonlyMap<string, LiveKind> = new Map([
  ['AccessToken', 'person'],
  ['ClientCredentials', 'client'],
  ['RefreshToken', 'refresh'],
]);

/** Saves a read for texts that cannot be opaque tokens. */
function canBeOpaque(token: string): boolean {
  return /^[A-Za-z0-9_-]{20,128}$/.test(token);
}

/** The engine's format. */
interface Payload {
  readonly aud?: string | string[];
  readonly scope?: string;
  readonly iat?: number;
  readonly claims?: { readonly userinfo?: JsonObject };
  readonly extra?: JsonObject;
  readonly jkt?: string;
  readonly 'x5t#S256'?: string;
}

interface OpaqueTokenDeps extends HeldSessionDeps {
  readonly issuer: string;
  readonly clients: Pick<CachedClients, 'find'>;
  readonly engine: Pick<EngineStore, 'readToken'>;
}

/** The stored token of one of these kinds, even if expired. */
export async function readOpaque(
  engine: Pick<EngineStore, 'readToken'>,
  token: string,
): Promise<{ readonly bundle: TokenBundle; readonly kind: LiveKind } | undefined> {
  const bundle = canBeOpaque(token) ? await engine.readToken(digest(token)) : undefined;
  const kind = bundle && kinds.get(bundle.token.kind);
  return bundle && kind && { bundle, kind };
}

export function createOpaqueTokens(deps: OpaqueTokenDeps) {
  return async function look(token: string): Promise<Looked> {
    if (!canBeOpaque(token)) return refused('malformed');
    const read = await readOpaque(deps.engine, token);
    if (read === undefined) return refused('ended');
    const { bundle, kind } = read;
    const { clientId, expiresAt, consumedAt } = bundle.token;
    if (expiresAt === null || expiresAt <= nowSeconds()) return refused('expired');
    const client = clientId === null ? undefined : await deps.clients.find(clientId);
    if (!client || client.disabledAt !== null || consumedAt !== null || !holds(bundle, deps)) return refused('ended');
    const payload: Payload = JSON.parse(bundle.token.payload);
    return {
      outcome: 'valid',
      kind,
      form: 'opaque',
      claims: claimsOf(payload, bundle.token, client.id, expiresAt, deps.issuer),
      client,
      account: bundle.token.subject === null ? undefined : bundle.account,
      grant: bundle.grant,
      requested: payload.claims?.userinfo ?? {},
    };
  };
}

function claimsOf(
  { aud, scope, iat, extra, jkt, 'x5t#S256': x5t }: Payload,
  { subject, grantId }: StoredToken,
  clientId: string,
  exp: number,
  iss: string,
): AccessTokenClaims {
  const cnf = { ...(jkt !== undefined && { jkt }), ...(x5t !== undefined && { 'x5t#S256': x5t }) };
  return {
    ...extra,
    iss,
    ...(aud !== undefined && { aud }),
    sub: subject ?? clientId,
    client_id: clientId,
    ...(iat !== undefined && { iat }),
    exp,
    ...(scope !== undefined && scope !== '' && { scope }),
    ...(grantId !== null && { gid: grantId }),
    ...(Object.keys(cnf).length > 0 && { cnf }),
  };
}

/**
 * Returns true if the grant, the account and (if the token ends with it) the session are live and belong to each other.
 */
function holds({ token, grant, account, session }: TokenBundle, deps: OpaqueTokenDeps): boolean {
  const { clientId, subject, grantId, sessionUid } = token;
  if (grantId !== null) {
    if (!grant || grant.expiresAt <= nowSeconds() || grant.clientId !== clientId || grant.subject !== subject)
      return false;
  }
  if (subject !== null && (account?.subject !== subject || account.disabledAt !== null)) return false;
  return sessionUid === null || sessionHolds(session, token, deps);
}
