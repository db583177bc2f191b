/**
 * Refresh tokens of first-party programs: 64 hexadecimal characters, stored as a hash under their session. Each use
 * rotates the token with the conditional commit that OAuth tokens use (core/stores `Unit`): of two concurrent refreshes
 * one is committed. Within the reuse window the old token returns the same successor; later, its use ends the session
 * (RFC 9700, section 4.14.2).
 *
 * A refresh does not raise the assurance of a session. If the current policy asks for more than the sign-in gave, the
 * refresh ends the session, so the user signs in again.
 */
import { hash, randomBytes } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import type { Activity } from '../accounts/activity.ts';
import { assuranceOf, leastOf, reaches, type SecondFactorRule } from '../factors/assurance.ts';
import type { Caller } from '../kernel/caller.ts';
import { sealSuccessor, successorOf } from '../kernel/reuse-window.ts';
import type { Keys } from '../keys/keys.ts';
import { originOf, type SessionEnd, type Sessions, sessionToken } from '../sessions/sessions.ts';
import type { Account } from '../stores/accounts.ts';
import type { EngineStore, StoredSession, StoredToken, TokenRow } from '../stores/engine.ts';
import { type IssuedToken, issueToken } from '../tokens/api-session-tokens.ts';
import type { PersonKind } from '../tokens/token-kinds.ts';

type RefreshOutcome =
  | {
      readonly outcome: 'refreshed';
      readonly account: Account;
      readonly token: IssuedToken;
      readonly refreshToken: string;
    }
  /** No live session has this token. */
  | { readonly outcome: 'unknown' };

interface RefreshSettings {
  readonly issuer: string;
  /** Seconds. Without refresh tokens, `session` is the lifetime of the token. */
  readonly lifetimes: Readonly<Record<PersonKind, { readonly token: number; readonly session: number }>>;
  /** Seconds; 0: no reuse. */
  readonly reuseWindow: number;
  /** `required`: a password alone neither begins nor continues a session. */
  readonly secondFactor: SecondFactorRule;
}

/** The settings that these sessions use. Lifetimes in seconds. */
export interface ApiSessionConfig {
  readonly issuer: string;
  readonly secondFactor: SecondFactorRule;
  readonly lifetimes: {
    readonly identityToken: number;
    readonly identitySession: number;
    readonly securityServiceToken: number;
    readonly tinyoauthToken: number;
    readonly refreshReuseWindow: number;
  };
}

export function refreshSettings({ issuer, lifetimes, secondFactor }: ApiSessionConfig): RefreshSettings {
  const { identityToken, identitySession, securityServiceToken, tinyoauthToken, refreshReuseWindow } = lifetimes;
  return {
    issuer,
    lifetimes: {
      identity: { token: identityToken, session: identitySession },
      'security-service': { token: securityServiceToken, session: securityServiceToken },
      tinyoauth: { token: tinyoauthToken, session: tinyoauthToken },
    },
    reuseWindow: refreshReuseWindow,
    secondFactor,
  };
}

interface Found {
  readonly token: StoredToken;
  readonly session: StoredSession;
  readonly account: Account;
}

export interface Refreshes {
  /** Issues a token of this session, which ends at `until` (seconds since the epoch). */
  issue(kind: PersonKind, account: Account, session: string, until: number, refreshToken?: string): IssuedToken;
  /** The live session of a refresh token, even if the token was replaced. */
  read(kind: PersonKind, refreshToken: string): Promise<Found | undefined>;
  refresh(kind: PersonKind, refreshToken: string, caller: Caller): Promise<RefreshOutcome>;
}

export function createRefreshes(deps: {
  sessions: Pick<Sessions, 'end'>;
  engine: Pick<EngineStore, 'commit' | 'readToken'>;
  activity: Activity;
  keys: Keys;
  settings: RefreshSettings;
}): Refreshes {
  const { sessions, engine, activity, keys, settings } = deps;

  function issue(
    kind: PersonKind,
    account: Account,
    session: string,
    until: number,
    refreshToken?: string,
  ): IssuedToken {
    const now = nowSeconds();
    const exp = Math.min(now + settings.lifetimes[kind].token, until);
    const sid = refreshToken === undefined ? session : sidOf(refreshToken);
    return issueToken(keys, settings.issuer, kind, {
      sub: account.subject,
      sid,
      ...(sid !== session && { session }),
      iat: now,
      exp,
      uid: account.username,
    });
  }

  async function read(kind: PersonKind, refreshToken: string): Promise<Found | undefined> {
    const bundle = await engine.readToken(digest(refreshToken));
    if (bundle?.token.kind !== rowKind(kind)) return undefined;
    const { token, session, account } = bundle;
    const live = session !== undefined && session.expiresAt > nowSeconds() && account?.disabledAt === null;
    return live && account ? { token, session, account } : undefined;
  }

  async function end(
    { session, account }: Found,
    caller: Caller,
    why: Pick<SessionEnd, 'event'> & { readonly reason?: string },
  ): Promise<RefreshOutcome> {
    const { reason, ...event } = why;
    const detail = { via: caller.via, ...(reason !== undefined && { reason }) };
    await sessions.end(session.uid, { ...event, caller, detail, subject: account.subject });
    return { outcome: 'unknown' };
  }

  return {
    issue,
    read,

    async refresh(kind, refreshToken, caller) {
      for (;;) {
        const found = await read(kind, refreshToken);
        if (found === undefined) return { outcome: 'unknown' };
        const { token, session, account } = found;
        const successor =
          token.consumedAt === null ? undefined : successorOf(token, refreshToken, settings.reuseWindow)?.value;
        if (token.consumedAt !== null && successor === undefined)
          return end(found, caller, { event: 'session.replayed' });
        const payload = JSON.parse(session.payload) as { readonly amr?: readonly string[] };
        if (!reaches(assuranceOf(payload.amr), leastOf(settings.secondFactor)))
          return end(found, caller, { reason: 'second-factor-required' });
        if (successor !== undefined) {
          const issued = issue(kind, account, session.uid, session.expiresAt, successor);
          return { outcome: 'refreshed', account, token: issued, refreshToken: successor };
        }
        const now = nowSeconds();
        const next = newRefreshToken();
        const expiresAt = now + settings.lifetimes[kind].session;
        const row = sessionToken(storedRefreshToken(kind, next), { ...session, expiresAt });
        const committed = await engine.commit({
          consume: [
            {
              key: token.key,
              at: now,
              successor: { key: row.key, sealed: sealSuccessor(refreshToken, next) },
            },
          ],
          tokens: [row],
          // Written only over the session that was read, so a refresh cannot restore a session that has ended since.
          sessions: [
            {
              key: session.key,
              uid: session.uid,
              subject: session.subject,
              grants: session.grants,
              sids: session.sids,
              payload: JSON.stringify({ ...payload, iat: now }),
              expiresAt,
              origin: originOf(kind, caller),
              before: session.payload,
            },
          ],
        });
        // A concurrent request was faster or ended the session: read again.
        if (committed.outcome === 'spent') continue;
        activity.seen(account.subject, session.uid);
        const issued = issue(kind, account, session.uid, expiresAt, next);
        return { outcome: 'refreshed', account, token: issued, refreshToken: next };
      }
    },
  };
}

/** Changes with each refresh token and reveals nothing about it. */
function sidOf(refreshToken: string): string {
  return hash('sha256', `sid:${refreshToken}`, 'hex').slice(0, 32);
}

export function newRefreshToken(): string {
  return randomBytes(32).toString('hex');
}

const rowKind = (kind: PersonKind): string => `refresh:${kind}`;

/** The stored form. */
export function storedRefreshToken(kind: PersonKind, value: string): Pick<TokenRow, 'key' | 'kind'> {
  return { key: digest(value), kind: rowKind(kind) };
}
