/**
 * Programs without a person: a registered client opens a session with a token that an admin gave it (core/client-tokens), and
 * gets a short access token and a long refresh token for it. Both are JWTs that hold only together with the client token, as
 * long as the session does; the end of the session, of the client token or of the client ends them.
 *
 * A program that opens one at each start, and never ends any, would fill the table with sessions of thirty days. One client token has
 * so many at a time, and the oldest end for new ones. Their uids begin with the token's id and the time, so that those of one
 * token lie side by side in the order of their age, and finding the oldest costs one short look into an index.
 */
import { randomBytes } from 'node:crypto';
import { nowMs, nowSeconds } from '../base/clock.ts';
import type { Activity } from './activity.ts';
import type { Audit } from './audit.ts';
import type { CachedClients } from './cached-clients.ts';
import { readClientToken } from './client-tokens.ts';
import { type FirstPartyClaims, type IssuedToken, issueToken, verifyFirstParty } from './first-party-tokens.ts';
import type { Keys } from './keys.ts';
import type { Caller, Sessions } from './sessions.ts';
import type { ClientRecord, ClientToken } from './stores/clients.ts';
import type { EngineStore } from './stores/engine.ts';

/** Of one client token: enough for every copy of a program that runs many times. */
export const clientSessionsMax = 100;

const seriesOf = ({ id }: ClientToken): string => `${id}-`;
const newUid = (token: ClientToken): string =>
  `${seriesOf(token)}${nowMs().toString(36).padStart(9, '0')}-${randomBytes(8).toString('hex')}`;

type Refused = { readonly outcome: 'refused' };
const refused: Refused = { outcome: 'refused' };

/** All throw `Unavailable` where storage cannot answer. A bad half of the pair is refused like the other. */
export interface ClientSessions {
  begin(
    clientToken: string,
    caller: Caller,
  ): Promise<{ outcome: 'begun'; client: ClientRecord; access: IssuedToken; refresh: IssuedToken } | Refused>;
  refresh(clientToken: string, refreshToken: string): Promise<{ outcome: 'refreshed'; access: IssuedToken } | Refused>;
  end(clientToken: string, refreshToken: string, caller: Caller): Promise<{ outcome: 'ended' } | Refused>;
  /** No read while the client and its session are in memory. */
  verify(
    clientToken: string,
    accessToken: string,
  ): Promise<{ outcome: 'valid'; client: ClientRecord; claims: FirstPartyClaims } | Refused>;
}

export function createClientSessions(deps: {
  clients: Pick<CachedClients, 'find'>;
  sessions: Sessions;
  engine: Pick<EngineStore, 'sessionsBeyond'>;
  activity: Activity;
  keys: Keys;
  audit: Audit;
  settings: { readonly issuer: string; readonly accessToken: number; readonly refreshToken: number };
}): ClientSessions {
  const { clients, sessions, engine, activity, keys, audit, settings } = deps;

  async function holderOf(value: string): Promise<{ client: ClientRecord; token: ClientToken } | undefined> {
    const named = readClientToken(value);
    const client = named && (await clients.find(named.clientId));
    if (!client || client.disabledAt !== null) return undefined;
    const now = nowSeconds();
    const token = client.tokens.find(({ hash }) => hash === named.hash);
    return token && (token.expiresAt === null || now < token.expiresAt) ? { client, token } : undefined;
  }

  async function pair(kind: 'space-guard' | 'space-guard-refresh', clientToken: string, jwt: string) {
    const verified = await verifyFirstParty(keys, settings.issuer, kind, jwt);
    if (verified.outcome === 'refused') return undefined;
    const holder = await holderOf(clientToken);
    const { claims } = verified;
    // Made with this very client token: revoking one leaves the programs that hold another alone.
    if (holder === undefined || claims.sub !== holder.client.id || claims.ctid !== holder.token.id) return undefined;
    // What a refresh token is good for is rare, and must not be done for a session that another node has just ended.
    const session = await sessions.find(claims.sid, claims.sub, { stored: kind === 'space-guard-refresh' });
    if (session === undefined) return undefined;
    activity.seen(null, session.uid);
    return { ...holder, claims, session };
  }

  function issue(
    kind: 'space-guard' | 'space-guard-refresh',
    clientId: string,
    ctid: string,
    sid: string,
    exp: number,
  ) {
    return issueToken(keys, settings.issuer, kind, { sub: clientId, sid, ctid, iat: nowSeconds(), exp });
  }
  const accessFor = (clientId: string, ctid: string, sid: string, until: number) =>
    issue('space-guard', clientId, ctid, sid, Math.min(nowSeconds() + settings.accessToken, until));

  return {
    async begin(clientToken, caller) {
      const holder = await holderOf(clientToken);
      if (holder === undefined) return refused;
      const { client, token } = holder;
      const lifetime = Math.min(
        settings.refreshToken,
        token.expiresAt === null ? Number.POSITIVE_INFINITY : token.expiresAt - nowSeconds(),
      );
      const { uid, expiresAt } = await sessions.begin({
        uid: newUid(token),
        door: 'space-guard',
        holder: { clientId: client.id },
        lifetime,
        caller,
      });
      const { address, requestId } = caller;
      const about = { clientId: client.id, address, requestId, detail: { token: token.id } };
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

    async refresh(clientToken, refreshToken) {
      const found = await pair('space-guard-refresh', clientToken, refreshToken);
      if (found === undefined) return refused;
      const { client, token, session } = found;
      return { outcome: 'refreshed', access: accessFor(client.id, token.id, session.uid, session.expiresAt) };
    },

    async end(clientToken, refreshToken, caller) {
      const found = await pair('space-guard-refresh', clientToken, refreshToken);
      if (found === undefined) return refused;
      const { address, requestId } = caller;
      await sessions.end(found.session.uid, { clientId: found.client.id, address, requestId });
      return { outcome: 'ended' };
    },

    async verify(clientToken, accessToken) {
      const found = await pair('space-guard', clientToken, accessToken);
      return found === undefined ? refused : { outcome: 'valid', client: found.client, claims: found.claims };
    },
  };
}
