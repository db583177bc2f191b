/**
 * Every sign-in: with a password, a passkey, another provider or a pass. The numbers beside the code give the order of
 * the checks and the reason for it.
 *
 * A browser sends the password and the second factor from two pages. Between them the server keeps a `PasswordProof`,
 * which `secondStep` takes.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Activity } from '../accounts/activity.ts';
import type { Factors } from '../factors/factors.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Amr, ProvedElsewhere } from '../kernel/amr.ts';
import type { Audit, AuditFields, CarriedRecord } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { usernameKey } from '../kernel/names.ts';
import { holds, type PasswordProof } from '../kernel/password-proof.ts';
import type { KnownBrowsers } from '../known-browsers/known-browsers.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { passwordLimit } from '../passwords/password-rules.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { IdentityStore } from '../stores/identities.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';
import type { Pass } from './passes.ts';
import { rehashed } from './rehash.ts';
import {
  createSecondStep,
  notEnough,
  type PasskeyAnswer,
  type SecondFactorAsked,
  type SecondGiven,
} from './second-step.ts';
import {
  type Attempt,
  auditFields,
  createSignInAttempts,
  type Refused,
  type SignInLimits,
  type Throttled,
} from './sign-in-attempts.ts';

type PasswordRequest = Caller & {
  /** As typed: a username or a verified e-mail address. */
  readonly username: string;
  readonly password: string;
};

export type SignInRequest = PasswordRequest & {
  readonly otp?: SecondGiven['otp'];
  /** An account without a second factor gets `second-factor` without methods. */
  readonly twoFactors?: boolean | undefined;
  /** Only confirms the user, for an action with an audit record of its own: no session, no sign-in record. */
  readonly noSession?: true;
  /** The caller stores the record of a success itself, in the commit of the session. */
  readonly carriesRecord?: true;
};

/** With a code, a passkey or neither. */
type SecondStepRequest = Caller & SecondGiven & { readonly proof: PasswordProof };

type PasskeyRequest = Caller & { readonly passkey: PasskeyAnswer };

/** Another provider has authenticated the user; the steps after the password remain. */
type ProvedRequest = Caller & {
  readonly identity: { readonly id: string; readonly subject: string };
  readonly elsewhere: ProvedElsewhere;
};

/** A person with a pass (core/sign-in/passes). */
type PassRequest = Caller & Pass;

interface SignedIn {
  readonly outcome: 'signed-in';
  readonly account: Account;
  readonly amr: readonly Amr[];
  /** Seconds since the epoch, the `auth_time`; 0: unknown. */
  readonly at: number;
  /** Only if the request `carriesRecord`. */
  readonly record?: CarriedRecord;
}

type PasswordRight = { readonly outcome: 'right'; readonly account: Account };

export type SignInOutcome = SignedIn | Refused | Throttled | SecondFactorAsked;

/** `expired`: the proof is too old or the account has changed, so the password is needed again. */
type SecondStepOutcome = SignInOutcome | { readonly outcome: 'expired' };

export interface SignIn {
  /**
   * Throws `Unavailable` if storage cannot answer or too many passwords are being hashed; the attempt does not count
   * then.
   */
  signIn(request: SignInRequest): Promise<SignInOutcome>;
  /**
   * Checks only the password, for an action that asks for it again (with `session`, guesses count for the session) or
   * needs no more. Sends and uses no code, and is no sign-in. Throws as `signIn` does.
   */
  provePassword(request: PasswordRequest): Promise<PasswordRight | Refused | Throttled>;
  /** Checks only the second factor, after the outcome `second-factor`. Throws as `signIn` does. */
  secondStep(request: SecondStepRequest): Promise<SecondStepOutcome>;
  /** A whole sign-in with a passkey that verified its user. Throws `Unavailable` if storage cannot answer. */
  withPasskey(request: PasskeyRequest): Promise<SignInOutcome>;
  /**
   * The steps after the password: a provider has authenticated the user. Nothing can be guessed here, so nothing is
   * counted, and other people's wrong passwords do not lock this sign-in.
   */
  withProvider(request: ProvedRequest): Promise<SignInOutcome>;
  /**
   * The steps after the password, which was just set. The pass proves that password only, not the mail whose link may
   * have led here. Nothing is counted, as with a provider.
   */
  withPass(request: PassRequest): Promise<SecondStepOutcome>;
}

const usernameMax = 1024;

export function createSignIn(parts: {
  stores: { readonly accounts: AccountStore; readonly identities: Pick<IdentityStore, 'use'> };
  hasher: PasswordHasher;
  factors: Pick<Factors, 'methods' | 'use' | 'challenge'>;
  passkeys: Pick<Passkeys, 'prove'>;
  knownBrowsers: Pick<KnownBrowsers, 'known'>;
  activity: Activity;
  throttle: Throttle;
  audit: Audit;
  log: Logger;
  metrics: Metrics;
  config: { readonly throttle: SignInLimits };
}): SignIn {
  const { hasher, passkeys, activity, audit, metrics } = parts;
  const { accounts, identities } = parts.stores;
  const attempts = createSignInAttempts(parts);
  const proveSecond = createSecondStep(parts);

  /** A username wins over an e-mail address. core/accounts ensures that the two never belong to two accounts. */
  const named = async (key: string) =>
    (await accounts.byUsernameKey(key)) ?? (key.includes('@') ? accounts.byVerifiedEmailKey(key) : undefined);

  const success = ({ person }: Attempt, amr: readonly Amr[]): AuditFields => ({
    ...person,
    detail: { ...person.detail, amr: [...amr] },
  });
  const recorded = (attempt: Attempt, amr: readonly Amr[]): Promise<void> =>
    audit.record('sign_in.succeeded', success(attempt, amr));

  const signedIn = (account: Account, amr: readonly Amr[], at = nowSeconds()): SignedIn => {
    activity.seen(account.subject);
    metrics.count('sign_ins_total', { outcome: 'signed_in' });
    return { outcome: 'signed-in', account, amr, at };
  };

  /** The password was accepted beside a second factor that was removed later (NIST SP 800-63B-4, 3.1.1.2). */
  const isShort = ({ passwordHash }: Account): boolean => passwordHash !== null && !hasher.standsAlone(passwordHash);

  /** The password was right, so a hash with outdated parameters can be replaced. */
  async function withCurrentHash(account: Account, password: string): Promise<Account> {
    const { passwordHash: from } = account;
    return from !== null && hasher.needsRehash(from)
      ? rehashed({ ...parts, accounts }, account, { from, password })
      : account;
  }

  async function accepted(
    { noSession, carriesRecord }: SignInRequest,
    account: Account,
    amr: readonly Amr[],
    attempt: Attempt,
  ): Promise<SignInOutcome> {
    if (noSession) {
      await attempt.forgive();
      return { outcome: 'signed-in', account, amr, at: nowSeconds() };
    }
    if (carriesRecord) {
      await attempt.forgive();
      const record = audit.carried('sign_in.succeeded', success(attempt, amr));
      return { ...signedIn(account, amr), record };
    }
    await Promise.all([attempt.forgive(), recorded(attempt, amr)]);
    return signedIn(account, amr);
  }

  /** What the account lacks to sign in with the password alone. */
  function lackOf(account: Account, { twoFactors, noSession }: SignInRequest): 'enrol' | 'short' | undefined {
    if (twoFactors) return 'enrol';
    // Without a session the password is only confirmed, so that the user can change it to a longer one.
    return isShort(account) && !noSession ? 'short' : undefined;
  }

  function withPassword(request: PasswordRequest, only: 'password'): Promise<PasswordRight | Refused | Throttled>;
  function withPassword(request: SignInRequest): Promise<SignInOutcome>;
  async function withPassword(request: SignInRequest, only?: 'password'): Promise<SignInOutcome | PasswordRight> {
    const { username, password } = request;

    // 1. Too long for a name or a password: refuse before the account is read, so the reason depends on the input only.
    if (username.length > usernameMax) return attempts.tooLong('unknown');
    if (password.length > 4 * passwordLimit) return attempts.tooLong('wrong');

    // 2. Find the account by username, then by verified e-mail address. This comes before the count, because all names
    //    of one account share one counter.
    const typed = username.trim();
    const key = usernameKey(typed);
    const found = key === undefined ? undefined : await named(key);
    const person = { ...auditFields(request), subject: found?.subject };

    // 3. Count the attempt before the password is verified, so no more parallel attempts than the limit are verified. A
    //    locked account refuses the right password too, or the lock would only slow guesses down.
    const attempt = await attempts.forAccount(found?.subject, key ?? typed, request, person);
    if (attempt.throttled) return attempt.throttled;
    try {
      // 4. Verify. Unknown accounts take the same path, so response and timing reveal nothing.
      const right = await hasher.verify(found?.passwordHash ?? null, password);
      if (found === undefined) return attempt.refused('unknown');
      if (!right) return attempt.refused('wrong');

      // 5. Disabled? After the password, so the check costs the same and reveals nothing.
      if (found.disabledAt !== null) return attempt.refused('disabled');
      const account = await withCurrentHash(found, password);
      if (only === 'password') {
        // With a second factor this is half of a sign-in, so earlier failures stay counted.
        await attempt.giveBack();
        return { outcome: 'right', account };
      }

      // 6. The second factor, after the password for the same reason. Without one, the password must be long enough.
      const second = await proveSecond(account, request, attempt);
      if (second.outcome !== 'none-needed' && second.outcome !== 'right') return second;
      const lacks = second.outcome === 'none-needed' ? lackOf(account, request) : undefined;
      if (lacks) {
        await attempt.challenged();
        return notEnough(account, lacks);
      }
      const amr: readonly Amr[] = second.outcome === 'right' ? second.amr : ['pwd'];

      // 7. Give the attempt back, write the audit record, and answer when it is durable.
      return await accepted(request, account, amr, attempt);
    } catch (error) {
      return attempt.breakOff(error);
    }
  }

  return {
    signIn: (request) => withPassword(request),

    provePassword: (request) => withPassword(request, 'password'),

    async secondStep(request) {
      const { proof } = request;
      const { elsewhere, session } = proof;

      // 1. The proof must hold for the account as it is now.
      const account = await accounts.bySubject(proof.subject);
      if (account === undefined || !holds(proof, account)) return { outcome: 'expired' };

      // 2. Count the attempt before the second factor is looked at.
      const person = { ...auditFields(request, elsewhere), subject: account.subject };
      const attempt = await attempts.forAccount(account.subject, '', request, person);
      if (attempt.throttled) return attempt.throttled;
      try {
        // 3. The second factor. If it was removed since, the proof is not enough: it covers half of a sign-in.
        const second = await proveSecond(account, request, attempt, proof);
        if (second.outcome === 'none-needed') {
          await attempt.giveBack();
          return { outcome: 'expired' };
        }
        if (second.outcome !== 'right') return second;

        // 4. A right password clears earlier failures; a session says nothing about attempts at the password.
        const settled = session === undefined ? attempt.forgive() : attempt.giveBack();
        await Promise.all([settled, recorded(attempt, second.amr)]);
        // After step-up, a session keeps the time at which it began.
        return signedIn(account, second.amr, session?.at ?? elsewhere?.at);
      } catch (error) {
        return attempt.breakOff(error);
      }
    },

    async withPasskey(request) {
      // 1. Count the attempt, for the address only: a passkey cannot be guessed, so failures lock no account.
      const attempt = await attempts.forAddress(request.address, auditFields(request));
      if (attempt.throttled) return attempt.throttled;
      try {
        // 2. The passkey identifies the account.
        const proved = await passkeys.prove(request.passkey);
        attempt.isOf(proved.subject);
        if (proved.outcome === 'wrong') {
          attempt.failed(`passkey-${proved.why}`);
          return { outcome: 'refused', reason: proved.why === 'replayed' ? 'passkey-used' : 'passkey' };
        }

        // 3. The account.
        const account = await accounts.bySubject(proved.subject);
        if (account === undefined) return attempt.refused('unknown');
        if (account.disabledAt !== null) return attempt.refused('disabled');

        // 4. Give the attempt back. Failures at the password stay counted: a passkey says nothing about them.
        const amr: readonly Amr[] = [...proved.amr, 'mfa'];
        await Promise.all([attempt.giveBack(), recorded(attempt, amr)]);
        return signedIn(account, amr);
      } catch (error) {
        return attempt.breakOff(error);
      }
    },

    async withProvider({ identity, elsewhere, ...request }) {
      const { subject } = identity;
      const attempt = attempts.uncounted({ ...auditFields(request, elsewhere), subject });

      // 1. Read the account before the identity, so that one of the two checks sees a change in between.
      const account = await accounts.bySubject(subject);
      if (account === undefined) return attempt.refused('unknown');
      if (account.disabledAt !== null) return attempt.refused('disabled');
      if (!(await identities.use(identity.id, nowSeconds()))) return attempt.refused('unknown');

      // 2. The second factor, unless the provider asked for two and is trusted for that.
      if (!elsewhere.enough) {
        const second = await proveSecond(account, request, attempt, { elsewhere });
        if (second.outcome !== 'none-needed' && second.outcome !== 'right') return second;
      }

      // 3. Write the audit record, and answer when it is durable.
      await recorded(attempt, elsewhere.amr);
      return signedIn(account, elsewhere.amr, elsewhere.at);
    },

    async withPass({ proof, after, ...request }) {
      // 1. The proof must hold for the account as it is now.
      const account = await accounts.bySubject(proof.subject);
      if (account === undefined || !holds(proof, account)) return { outcome: 'expired' };
      const { detail, ...from } = auditFields(request);
      const attempt = attempts.uncounted({ ...from, subject: account.subject, detail: { ...detail, after } });

      // 2. The second factor. Without one the password must be long enough alone.
      const second = await proveSecond(account, request, attempt);
      if (second.outcome !== 'none-needed' && second.outcome !== 'right') return second;
      if (second.outcome === 'none-needed' && isShort(account)) {
        await attempt.challenged();
        return notEnough(account, 'short');
      }
      const amr: readonly Amr[] = second.outcome === 'right' ? second.amr : ['pwd'];

      // 3. Write the audit record, and answer when it is durable.
      await recorded(attempt, amr);
      return signedIn(account, amr, proof.at);
    },
  };
}
