/**
 * Sessions of first-party programs, to which users give their password. The API surfaces share these calls: sign in and
 * begin a session, verify its token, refresh it, end it, change the password.
 *
 * A token is a JWT that names its session. It is valid only while the session lives, even before its `exp`.
 */
import type { Accounts } from '../accounts/accounts.ts';
import type { Activity } from '../accounts/activity.ts';
import type { Caller } from '../kernel/caller.ts';
import type { Keys } from '../keys/keys.ts';
import type { KnownBrowsers } from '../known-browsers/known-browsers.ts';
import type { PasswordProblem } from '../passwords/password-rules.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SignIn, SignInOutcome, SignInRequest } from '../sign-in/sign-in.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { EngineStore } from '../stores/engine.ts';
import { type ApiSessionClaims, type IssuedToken, verifyApiSession } from '../tokens/api-session-tokens.ts';
import type { JwtRefusal } from '../tokens/jwt.ts';
import type { PersonKind } from '../tokens/token-kinds.ts';
import {
  type ApiSessionConfig,
  createRefreshes,
  newRefreshToken,
  type Refreshes,
  refreshSettings,
  storedRefreshToken,
} from './api-session-refresh.ts';

type NotSignedIn = Exclude<SignInOutcome, { outcome: 'signed-in' }>;

export type LoginOutcome =
  | {
      readonly outcome: 'signed-in';
      readonly account: Account;
      readonly token: IssuedToken;
      /** Only for kinds with refresh tokens. */
      readonly refreshToken: string | undefined;
    }
  | NotSignedIn;

type VerifiedApiSession =
  | {
      readonly outcome: 'valid';
      readonly claims: ApiSessionClaims;
      readonly account: Account;
      readonly session: string;
    }
  | { readonly outcome: 'refused'; readonly reason: JwtRefusal | 'ended' };

type ChangePasswordOutcome =
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'weak-password'; readonly reason: PasswordProblem }
  | NotSignedIn;

/** All methods throw `Unavailable` if storage or the hasher cannot answer. */
export interface ApiSessions {
  login(kind: PersonKind, request: SignInRequest): Promise<LoginOutcome>;
  /** At most one read. Marks the session and its account as seen. */
  verify(kind: PersonKind, token: string): Promise<VerifiedApiSession>;
  /** Ends the session if the current policy asks for more than the sign-in gave. */
  refresh: Refreshes['refresh'];
  endByRefreshToken(
    kind: PersonKind,
    refreshToken: string,
    caller: Caller,
  ): Promise<{ outcome: 'ended'; account: Account } | { outcome: 'unknown' }>;
  /** Ends the session of the token, if the token is live and of this kind. */
  endByToken(kind: PersonKind, token: string, caller: Caller): Promise<void>;
  /** Requires the old password. `endSessions`: ends all sessions and tokens of the account. */
  changePassword(
    request: SignInRequest & { readonly newPassword: string; readonly endSessions: boolean },
  ): Promise<ChangePasswordOutcome>;
}

/** Kinds whose sessions have refresh tokens. */
const refreshing: readonly PersonKind[] = ['identity'];

export function createApiSessions(deps: {
  signIn: SignIn;
  sessions: Sessions;
  accounts: Pick<Accounts, 'setPassword'>;
  stores: {
    readonly accounts: Pick<AccountStore, 'bySubject'>;
    readonly engine: Pick<EngineStore, 'commit' | 'readToken'>;
  };
  activity: Activity;
  knownBrowsers: Pick<KnownBrowsers, 'programArrived'>;
  keys: Keys;
  config: ApiSessionConfig;
}): ApiSessions {
  const { signIn, sessions, activity, knownBrowsers, keys } = deps;
  const { accounts: accountStore, engine } = deps.stores;
  const { issuer, secondFactor } = deps.config;
  const settings = refreshSettings(deps.config);
  const refreshes = createRefreshes({ sessions, engine, activity, keys, settings });

  /** Asks for a second factor if the policy requires one, also to change a password. */
  const proved = (request: SignInRequest): Promise<SignInOutcome> =>
    signIn.signIn({ ...request, twoFactors: secondFactor === 'required' });

  const signOut = (uid: string, subject: string, caller: Caller): Promise<boolean> =>
    sessions.end(uid, { event: 'sign_out', caller, detail: { via: caller.via }, subject });

  return {
    async login(kind, request) {
      for (;;) {
        const outcome = await proved({ ...request, carriesRecord: true });
        if (outcome.outcome !== 'signed-in') return outcome;
        const { account, amr, record } = outcome;
        if (record === undefined) throw new Error('The sign-in has no audit record.');
        const refreshToken = refreshing.includes(kind) ? newRefreshToken() : undefined;
        const begun = await sessions.beginSignedIn({
          door: kind,
          holder: { account },
          lifetime: settings.lifetimes[kind].session,
          amr,
          caller: request,
          record,
          token: refreshToken === undefined ? undefined : storedRefreshToken(kind, refreshToken),
        });
        // The password was changed, or the account disabled, since the sign-in read it: start again.
        if (begun === undefined) continue;
        activity.seen(account.subject, begun.uid);
        knownBrowsers.programArrived(account.subject, request);
        return {
          outcome: 'signed-in',
          account,
          token: refreshes.issue(kind, account, begun.uid, begun.expiresAt, refreshToken),
          refreshToken,
        };
      }
    },

    async verify(kind, token) {
      const verified = await verifyApiSession(keys, issuer, kind, token);
      if (verified.outcome === 'refused') return verified;
      const { claims } = verified;
      const session = await sessions.find(claims.session ?? claims.sid, claims.sub);
      if (session?.account === undefined || session.origin.door !== kind)
        return { outcome: 'refused', reason: 'ended' };
      activity.seen(claims.sub, session.uid);
      return { outcome: 'valid', claims, account: session.account, session: session.uid };
    },

    refresh: refreshes.refresh,

    async endByRefreshToken(kind, refreshToken, caller) {
      const found = await refreshes.read(kind, refreshToken);
      if (found === undefined) return { outcome: 'unknown' };
      const { account, session } = found;
      const ended = await signOut(session.uid, account.subject, caller);
      return ended ? { outcome: 'ended', account } : { outcome: 'unknown' };
    },

    async endByToken(kind, token, caller) {
      const verified = await verifyApiSession(keys, issuer, kind, token);
      if (verified.outcome === 'refused') return;
      const { sub, sid, session } = verified.claims;
      await signOut(session ?? sid, sub, caller);
    },

    async changePassword({ newPassword, endSessions, ...request }) {
      const outcome = await proved({ ...request, noSession: true });
      if (outcome.outcome !== 'signed-in') return outcome;
      const { via, address, requestId } = request;
      const changed = await deps.accounts.setPassword(outcome.account.subject, newPassword, {
        endSessions,
        over: outcome.account.passwordHash,
        caller: { via, address, requestId },
      });
      if (changed.outcome !== 'not-found') return changed;
      // The account was deleted or its password changed since the sign-in: answer as if that had come first.
      const there = await accountStore.bySubject(outcome.account.subject);
      return { outcome: 'refused', reason: there === undefined ? 'unknown' : 'wrong' };
    },
  };
}
