/**
 * First-party programs: those to which people give their password. One call each for the API surfaces, which differ in words
 * only: sign in and begin a session, verify its token, refresh it, end it.
 *
 * A token is a JWT that names its session; it holds only as long as the session does, however long its own `exp` is. A refresh
 * token is 64 hexadecimal characters, stored as a hash under its session, and replaced at each use by the same conditional
 * commit that serves OAuth's (core/stores `Unit`): of two refreshes at once one is committed; within the reuse window its
 * predecessor brings the same successor; anything older ends the session (RFC 9700, section 4.14.2).
 */
import { hash, randomBytes } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { nowSeconds } from '../base/clock.ts';
import { digest, randomToken } from '../base/secrets.ts';
import type { Accounts } from './accounts.ts';
import type { Activity } from './activity.ts';
import type { SecondFactorRule } from './assurance.ts';
import type { AuditFields } from './audit.ts';
import { type JwtRefusal, signJwt, type VerifiedJwt, verifyJwt } from './jwt.ts';
import type { Keys } from './keys.ts';
import type { PasswordProblem } from './password-rules.ts';
import { sealSuccessor, successorOf } from './reuse-window.ts';
import { type Caller, originOf, type Sessions } from './sessions.ts';
import type { SignIn, SignInOutcome, SignInRequest } from './sign-in.ts';
import type { Account, AccountStore, EngineStore, TokenBundle, TokenRow } from './stores.ts';
import { type FirstPartyKind, firstPartyKinds, type PersonKind } from './token-kinds.ts';

export interface FirstPartyClaims extends JWTPayload {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  /** The session, or this state of it: new with each refresh. */
  readonly sid: string;
  /** The session's own id, where `sid` is not it. */
  readonly session?: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly claims: FirstPartyClaims;
}

type NotSignedIn = Exclude<SignInOutcome, { outcome: 'signed-in' }>;

export type LoginOutcome =
  | {
      readonly outcome: 'signed-in';
      readonly account: Account;
      readonly token: IssuedToken;
      /** Of kinds that have them. */
      readonly refreshToken: string | undefined;
    }
  | NotSignedIn;

export type VerifiedFirstParty =
  | {
      readonly outcome: 'valid';
      readonly claims: FirstPartyClaims;
      readonly account: Account;
      readonly session: string;
    }
  | { readonly outcome: 'refused'; readonly reason: JwtRefusal | 'ended' };

export type RefreshOutcome =
  | {
      readonly outcome: 'refreshed';
      readonly account: Account;
      readonly token: IssuedToken;
      readonly refreshToken: string;
    }
  /** No live session has this token. */
  | { readonly outcome: 'unknown' };

export type ChangePasswordOutcome =
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'weak-password'; readonly reason: PasswordProblem }
  | NotSignedIn;

/** All throw `Unavailable` where storage, or the hasher, cannot answer. */
export interface FirstParty {
  login(kind: PersonKind, request: SignInRequest): Promise<LoginOutcome>;
  /** One read at most. Marks the session and its person as seen. */
  verify(kind: PersonKind, token: string): Promise<VerifiedFirstParty>;
  refresh(kind: PersonKind, refreshToken: string, caller: Caller): Promise<RefreshOutcome>;
  endByRefreshToken(
    kind: PersonKind,
    refreshToken: string,
    caller: Caller,
  ): Promise<{ outcome: 'ended'; account: Account } | { outcome: 'unknown' }>;
  /** Ends the token's session, if it is a live token of this kind. */
  endByToken(kind: PersonKind, token: string, caller: Caller): Promise<void>;
  /** For whoever proves the old password. `endSessions`: every session and token of the person. */
  changePassword(
    request: SignInRequest & { readonly newPassword: string; readonly endSessions: boolean },
  ): Promise<ChangePasswordOutcome>;
}

export interface FirstPartySettings {
  readonly issuer: string;
  /** Seconds. `session` without refresh tokens is the token's own lifetime. */
  readonly lifetimes: Readonly<Record<PersonKind, { readonly token: number; readonly session: number }>>;
  /** Kinds whose sessions have a refresh token. */
  readonly refreshing: readonly PersonKind[];
  /** Seconds; 0: never. */
  readonly reuseWindow: number;
  /** `required`: nobody signs in with a password alone. */
  readonly secondFactor: SecondFactorRule;
}

export function createFirstParty(deps: {
  signIn: SignIn;
  sessions: Sessions;
  accounts: Pick<Accounts, 'setPassword'>;
  accountStore: Pick<AccountStore, 'bySubject'>;
  engine: Pick<EngineStore, 'commit' | 'readToken'>;
  activity: Activity;
  keys: Keys;
  settings: FirstPartySettings;
}): FirstParty {
  const { signIn, sessions, accountStore, engine, activity, keys, settings } = deps;

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

  /** The live session behind a refresh token, and whether it is a replay. */
  async function read(kind: PersonKind, refreshToken: string) {
    const bundle = await engine.readToken(digest(refreshToken));
    if (bundle?.token.kind !== rowKind(kind)) return undefined;
    const { token, session, account } = bundle;
    const live = session !== undefined && session.expiresAt > nowSeconds() && account?.disabledAt === null;
    return live && account ? { token, session, account } : undefined;
  }

  async function endReplayed(kind: PersonKind, { token }: Pick<TokenBundle, 'token'>, caller: Caller): Promise<void> {
    const { subject, sessionUid } = token;
    if (sessionUid === null) return;
    await sessions.end(sessionUid, { event: 'session.replayed', ...by(caller, kind), subject });
  }

  return {
    async login(kind, request) {
      for (;;) {
        const outcome = await signIn.signIn({ ...request, twoFactors: settings.secondFactor === 'required' });
        if (outcome.outcome !== 'signed-in') return outcome;
        const { account, amr } = outcome;
        const refreshToken = settings.refreshing.includes(kind) ? newRefreshToken() : undefined;
        const begun = await sessions.begin({
          door: kind,
          holder: { account },
          lifetime: settings.lifetimes[kind].session,
          amr,
          caller: request,
          tokens: (uid, expiresAt) =>
            refreshToken === undefined ? [] : [refreshRow(kind, refreshToken, account.subject, uid, expiresAt)],
        });
        // The password may have been changed, or the account disabled, between the look at it and this session's beginning:
        // whoever did so has ended the sessions that there were. Seen only afterwards, neither order lets one slip through.
        const now = await accountStore.bySubject(account.subject);
        if (now?.passwordHash !== account.passwordHash || now?.disabledAt !== account.disabledAt) {
          await sessions.end(begun.uid, { ...by(request, kind), subject: account.subject });
          continue;
        }
        activity.seen(account.subject, begun.uid);
        return {
          outcome: 'signed-in',
          account,
          token: issue(kind, account, begun.uid, begun.expiresAt, refreshToken),
          refreshToken,
        };
      }
    },

    async verify(kind, token) {
      const verified = await verifyFirstParty(keys, settings.issuer, kind, token);
      if (verified.outcome === 'refused') return verified;
      const { claims } = verified;
      const session = await sessions.find(claims.session ?? claims.sid, claims.sub);
      if (session?.account === undefined || session.origin.door !== kind)
        return { outcome: 'refused', reason: 'ended' };
      activity.seen(claims.sub, session.uid);
      return { outcome: 'valid', claims, account: session.account, session: session.uid };
    },

    async refresh(kind, refreshToken, caller) {
      for (;;) {
        const found = await read(kind, refreshToken);
        if (found === undefined) return { outcome: 'unknown' };
        const { token, session, account } = found;
        if (token.consumedAt !== null) {
          const successor = successorOf(token, refreshToken, settings.reuseWindow);
          if (successor === undefined) {
            await endReplayed(kind, found, caller);
            return { outcome: 'unknown' };
          }
          return {
            outcome: 'refreshed',
            account,
            token: issue(kind, account, session.uid, session.expiresAt, successor),
            refreshToken: successor,
          };
        }
        const now = nowSeconds();
        const next = newRefreshToken();
        const expiresAt = now + settings.lifetimes[kind].session;
        const row = refreshRow(kind, next, account.subject, session.uid, expiresAt);
        const committed = await engine.commit({
          consume: {
            key: token.key,
            at: now,
            successor: { key: row.key, sealed: sealSuccessor(refreshToken, next) },
          },
          tokens: [row],
          // Written over the very session that was read, so that a refresh cannot bring back one that has been ended meanwhile.
          sessions: [
            {
              key: session.key,
              uid: session.uid,
              subject: session.subject,
              grants: session.grants,
              payload: JSON.stringify({ ...JSON.parse(session.payload), iat: now }),
              expiresAt,
              origin: originOf(kind, caller),
              before: session.payload,
            },
          ],
        });
        // Somebody else was faster, or has ended the session: look again.
        if (committed.outcome === 'spent') continue;
        activity.seen(account.subject, session.uid);
        return {
          outcome: 'refreshed',
          account,
          token: issue(kind, account, session.uid, expiresAt, next),
          refreshToken: next,
        };
      }
    },

    async endByRefreshToken(kind, refreshToken, caller) {
      const found = await read(kind, refreshToken);
      if (found === undefined) return { outcome: 'unknown' };
      const { account, session } = found;
      const ended = await sessions.end(session.uid, {
        event: 'sign_out',
        ...by(caller, kind),
        subject: account.subject,
      });
      return ended ? { outcome: 'ended', account } : { outcome: 'unknown' };
    },

    async endByToken(kind, token, caller) {
      const verified = await verifyFirstParty(keys, settings.issuer, kind, token);
      if (verified.outcome === 'refused') return;
      const { sub, sid, session } = verified.claims;
      await sessions.end(session ?? sid, { event: 'sign_out', ...by(caller, kind), subject: sub });
    },

    async changePassword({ newPassword, endSessions, ...request }) {
      const outcome = await signIn.signIn(request);
      if (outcome.outcome !== 'signed-in') return outcome;
      const { via, address, requestId } = request;
      const changed = await deps.accounts.setPassword(outcome.account.subject, newPassword, {
        endSessions,
        over: outcome.account.passwordHash,
        actor: { via, address, requestId },
      });
      if (changed.outcome !== 'not-found') return changed;
      // As if the other had come first altogether: the account was deleted, or its password is another one by now.
      const there = await accountStore.bySubject(outcome.account.subject);
      return { outcome: 'refused', reason: there === undefined ? 'unknown' : 'wrong' };
    },
  };
}

function by({ address, requestId }: Caller, via: string): AuditFields {
  return { address, requestId, detail: { via } };
}

/** Signs a token of this kind; `iss`, `aud` and `jti` are added. */
export function issueToken(
  keys: Keys,
  issuer: string,
  kind: FirstPartyKind,
  claims: { sub: string; sid: string; iat: number; exp: number; [more: string]: string | number },
): IssuedToken {
  const { typ, path } = firstPartyKinds[kind];
  const all: FirstPartyClaims = { iss: issuer, aud: `${issuer}${path}`, ...claims, jti: randomToken(16) };
  return { token: signJwt(keys, typ, all), claims: all };
}

/** The token alone; whether its session holds is another question. */
export async function verifyFirstParty(
  keys: Keys,
  issuer: string,
  kind: FirstPartyKind,
  token: string,
): Promise<VerifiedJwt<FirstPartyClaims>> {
  const { typ, path } = firstPartyKinds[kind];
  const verified = await verifyJwt<FirstPartyClaims>(keys, token, {
    issuer,
    audience: `${issuer}${path}`,
    typ,
    requiredClaims: ['sub', 'sid', 'iat', 'exp', 'jti'],
  });
  if (verified.outcome === 'refused') return verified;
  const { sub, sid, session = sid } = verified.claims;
  // What is looked up by them takes text.
  const text = [sub, sid, session].every((claim) => typeof claim === 'string');
  return text ? verified : { outcome: 'refused', reason: 'malformed' };
}

/** Changes with each refresh token and tells nothing about it. */
function sidOf(refreshToken: string): string {
  return hash('sha256', `sid:${refreshToken}`, 'hex').slice(0, 32);
}

function newRefreshToken(): string {
  return randomBytes(32).toString('hex');
}

const rowKind = (kind: PersonKind): string => `refresh:${kind}`;

function refreshRow(kind: PersonKind, value: string, subject: string, sessionUid: string, expiresAt: number): TokenRow {
  return {
    key: digest(value),
    kind: rowKind(kind),
    payload: '{}',
    grantId: null,
    clientId: null,
    subject,
    sessionUid,
    expiresAt,
  };
}
