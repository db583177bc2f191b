/**
 * Programs without a user. A registered client opens a session with a client token from an admin
 * (core/clients/client-tokens) and gets a short access token and a long refresh token. Both are JWTs, valid only
 * together with the client token and until the session, the client token or the client ends.
 *
 * A program that opens a session at each start and ends none would fill the table. So each client token has a maximum
 * of sessions, and new ones end the oldest. A uid begins with the token's id and the time: the sessions of one token
 * lie side by side in the index, in order of age.
 */
import { randomBytes } from 'node:crypto';
import { nowMs, nowSeconds } from '../../base/clock.ts';
import type { Activity } from '../accounts/activity.ts';
import type { CachedClients } from '../clients/cached-clients.ts';
import { readClientToken } from '../clients/client-tokens.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import type { CredentialLimits } from '../kernel/credential-limits.ts';
import type { Keys } from '../keys/keys.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { ClientRecord, ClientToken } from '../stores/clients.ts';
import type { EngineStore } from '../stores/engine.ts';
import { type ApiSessionClaims, type IssuedToken, issueToken, verifyApiSession } from '../tokens/api-session-tokens.ts';

/** Per client token: enough for a program that runs in many copies. */
const clientSessionsMax = 100;

const seriesOf = ({ id }: ClientToken): string => `${id}-`;
const newUid = (token: ClientToken): string =>
  `${seriesOf(token)}${nowMs().toString(36).padStart(9, '0')}-${randomBytes(8).toString('hex')}`;

type Refused = { readonly outcome: 'refused' };
/** Too many wrong client tokens from this address; this one was not checked. `retryAfter`: seconds. */
type Throttled = { readonly outcome: 'throttled'; readonly retryAfter: number };
type NotTaken = Refused | Throttled;
const refused: Refused = { outcome: 'refused' };

/**
 * All methods throw `Unavailable` if storage cannot answer. The refusal does not tell which of the two tokens is wrong.
 */
export interface ClientSessions {
  begin(
    clientToken: string,
    caller: Caller,
  ): Promise<{ outcome: 'begun'; client: ClientRecord; access: IssuedToken; refresh: IssuedToken } | NotTaken>;
  refresh(
    clientToken: string,
    refreshToken: string,
    caller: Caller,
  ): Promise<{ outcome: 'refreshed'; access: IssuedToken } | NotTaken>;
  end(clientToken: string, refreshToken: string, caller: Caller): Promise<{ outcome: 'ended' } | NotTaken>;
  /**
   * No read while the client and its session are in memory. `from` undefined: a repeated check, which counts no
   * failure.
   */
  verify(
    clientToken: string,
    accessToken: string,
    from: Caller | undefined,
  ): Promise<{ outcome: 'valid'; client: ClientRecord; claims: ApiSessionClaims } | NotTaken>;
}

export function createClientSessions(deps: {
  cached: Pick<CachedClients, 'find'>;
  credentials: CredentialLimits;
  sessions: Sessions;
  stores: { readonly engine: Pick<EngineStore, 'sessionsBeyond'> };
  activity: Activity;
  keys: Keys;
  audit: Audit;
  config: {
    readonly issuer: string;
    /** Seconds. */
    readonly lifetimes: { readonly spaceGuardToken: number; readonly spaceGuardRefresh: number };
  };
}): ClientSessions {
  const { cached, credentials, sessions, activity, keys, audit } = deps;
  const { engine } = deps.stores;
  const { issuer, lifetimes } = deps.config;

  interface Holder {
    readonly outcome: 'holder';
    readonly client: ClientRecord;
    readonly token: ClientToken;
  }

  async function holderOf(value: string, from: Caller | undefined): Promise<Holder | NotTaken> {
    const named = readClientToken(value);
    const presented = from && ({ kind: 'client', clientId: named?.clientId ?? '', from } as const);
    const wait = presented ? credentials.wait(presented) : 0;
    if (wait > 0) return { outcome: 'throttled', retryAfter: wait };
    const client = named && (await cached.find(named.clientId));
    const now = nowSeconds();
    const token = client?.disabledAt === null ? client.tokens.find(({ hash }) => hash === named?.hash) : undefined;
    if (client && token && (token.expiresAt === null || now < token.expiresAt)) {
      if (presented) credentials.succeeded(presented);
      return { outcome: 'holder', client, token };
    }
    const retryAfter = presented ? await credentials.failed(presented, client !== undefined) : 0;
    return retryAfter > 0 ? { outcome: 'throttled', retryAfter } : refused;
  }

  /** Checks the client token first: a wrong one counts, whatever the other token is. */
  async function pair(
    kind: 'space-guard' | 'space-guard-refresh',
    clientToken: string,
    jwt: string,
    from: Caller | undefined,
  ) {
    const holder = await holderOf(clientToken, from);
    if (holder.outcome !== 'holder') return holder;
    const verified = await verifyApiSession(keys, issuer, kind, jwt);
    if (verified.outcome === 'refused') return refused;
    const { claims } = verified;
    const { client, token } = holder;
    // Issued for this client token: revoking one token leaves the programs with another token alone.
    if (claims.sub !== client.id || claims.ctid !== token.id) return refused;
    // Refreshes are rare, and must not succeed after another node has ended the session, so read storage.
    const session = await sessions.find(claims.sid, claims.sub, { stored: kind === 'space-guard-refresh' });
    if (session === undefined) return refused;
    activity.seen(null, session.uid);
    return { outcome: 'pair', client, token, claims, session } as const;
  }

  function issue(
    kind: 'space-guard' | 'space-guard-refresh',
    clientId: string,
    ctid: string,
    sid: string,
    exp: number,
  ) {
    return issueToken(keys, issuer, kind, { sub: clientId, sid, ctid, iat: nowSeconds(), exp });
  }
  const accessFor = (clientId: string, ctid: string, sid: string, until: number) =>
    issue('space-guard', clientId, ctid, sid, Math.min(nowSeconds() + lifetimes.spaceGuardToken, until));

  return {
    async begin(clientToken, caller) {
      const holder = await holderOf(clientToken, caller);
      if (holder.outcome !== 'holder') return holder;
      const { client, token } = holder;
      const lifetime = Math.min(
        lifetimes.spaceGuardRefresh,
        token.expiresAt === null ? Number.POSITIVE_INFINITY : token.expiresAt - nowSeconds(),
      );
      const { uid, expiresAt } = await sessions.begin({
        uid: newUid(token),
        door: 'space-guard',
        holder: { clientId: client.id },
        lifetime,
        caller,
      });
      const about = { clientId: client.id, caller, detail: { token: token.id } };
      audit.note('client.session_begun', about);
      for (const oldest of await engine.sessionsBeyond(seriesOf(token), clientSessionsMax)) {
        await sessions.end(oldest, { ...about, detail: { ...about.detail, why: 'too many' } });
      }
      return {
        outcome: 'begun',
        client,
        access: accessFor(client.id, token.id, uid, expiresAt),
        refresh: issue('space-guard-refresh', client.id, token.id, uid, expiresAt),
      };
    },

    async refresh(clientToken, refreshToken, caller) {
      const found = await pair('space-guard-refresh', clientToken, refreshToken, caller);
      if (found.outcome !== 'pair') return found;
      const { client, token, session } = found;
      return { outcome: 'refreshed', access: accessFor(client.id, token.id, session.uid, session.expiresAt) };
    },

    async end(clientToken, refreshToken, caller) {
      const found = await pair('space-guard-refresh', clientToken, refreshToken, caller);
      if (found.outcome !== 'pair') return found;
      await sessions.end(found.session.uid, { clientId: found.client.id, caller });
      return { outcome: 'ended' };
    },

    async verify(clientToken, accessToken, from) {
      const found = await pair('space-guard', clientToken, accessToken, from);
      return found.outcome === 'pair' ? { outcome: 'valid', client: found.client, claims: found.claims } : found;
    },
  };
}
