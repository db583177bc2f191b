/**
 * Every sign-in goes through here: with a password, with a passkey, through another provider or with a pass. Each
 * function reads from top to bottom; the numbers beside the code say what is asked in which order, and why.
 *
 * A browser gives the password and the second factor on two pages. Between them it keeps a `PasswordProof`, on this
 * side of the wire, and comes back with it through `secondStep`.
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
import type { Throttle } from '../stores/throttle.ts';
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
  /** An account without a second factor is not signed in either: an outcome `second-factor` without methods. */
  readonly twoFactors?: boolean | undefined;
  /** No session follows: it is asked for an act that has a record of its own, and none of a sign-in is written. */
  readonly noSession?: true;
  /** The caller stores the record of a success itself, in the very commit of the session that follows. */
  readonly carriesRecord?: true;
};

/** A code or a passkey, or neither. */
type SecondStepRequest = Caller & SecondGiven & { readonly proof: PasswordProof };

type PasskeyRequest = Caller & { readonly passkey: PasskeyAnswer };

/** Another provider has proved the person, and everything after the password is still to come. */
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
  /** Of a request that `carriesRecord`. */
  readonly record?: CarriedRecord;
}

type PasswordRight = { readonly outcome: 'right'; readonly account: Account };

export type SignInOutcome = SignedIn | Refused | Throttled | SecondFactorAsked;

/** `expired`: the proof is too old, or not of the account as it is now. The password is needed once more. */
type SecondStepOutcome = SignInOutcome | { readonly outcome: 'expired' };

export interface SignIn {
  /** Throws `Unavailable` where storage cannot answer or too many passwords are being hashed; that attempt does not count. */
  signIn(request: SignInRequest): Promise<SignInOutcome>;
  /**
   * Only the password, for an act that asks for it once more (`session`: guesses count for that) or needs no more. No
   * code is sent or used up, and it is no sign-in. Throws as `signIn` does.
   */
  provePassword(request: PasswordRequest): Promise<PasswordRight | Refused | Throttled>;
  /** Only the second factor, after an outcome `second-factor`. Throws as `signIn` does. */
  secondStep(request: SecondStepRequest): Promise<SecondStepOutcome>;
  /** The whole way with a passkey that has verified its person. Throws `Unavailable` where storage cannot answer. */
  withPasskey(request: PasskeyRequest): Promise<SignInOutcome>;
  /**
   * Everything after the password, which is not asked for: the caller has it from a provider that this is the person.
   * Nothing can be guessed here, so nothing is counted, and a stranger's wrong passwords do not lock this way.
   */
  withProvider(request: ProvedRequest): Promise<SignInOutcome>;
  /**
   * Everything after the password, which has just been set or given. It proves that password, and not also the mail
   * whose link may have led here. As with a provider nothing is counted.
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

  /** A username wins over an e-mail address; core/accounts sees to it that the two never belong to two people. */
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

  /** The password was accepted beside a second factor that has gone since (NIST SP 800-63B-4, 3.1.1.2). */
  const isShort = ({ passwordHash }: Account): boolean => passwordHash !== null && !hasher.standsAlone(passwordHash);

  /** The password was right, so its hash can be made again where its parameters are old. */
  async function withCurrentHash(account: Account, password: string): Promise<Account> {
    const { passwordHash: from } = account;
    return from !== null && hasher.needsRehash(from)
      ? rehashed({ ...parts, accounts }, account, { from, password })
      : account;
  }

  /** What the account lacks for a sign-in by password alone. */
  function lackOf(account: Account, { twoFactors, noSession }: SignInRequest): 'enrol' | 'short' | undefined {
    if (twoFactors) return 'enrol';
    // Without a session the password is only confirmed, so that its change to a longer one goes through.
    return isShort(account) && !noSession ? 'short' : undefined;
  }

  function withPassword(request: PasswordRequest, only: 'password'): Promise<PasswordRight | Refused | Throttled>;
  function withPassword(request: SignInRequest): Promise<SignInOutcome>;
  async function withPassword(request: SignInRequest, only?: 'password'): Promise<SignInOutcome | PasswordRight> {
    const { username, password } = request;

    // 1. Too long for a name or a password: refused before accounts are asked, so the reason tells only of the name.
    if (username.length > usernameMax) return attempts.tooLong('unknown');
    if (password.length > 4 * passwordLimit) return attempts.tooLong('wrong');

    // 2. Look the account up, by username, then by verified e-mail address. This comes before the count, because all
    //    spellings and names of one account share one counter.
    const typed = username.trim();
    const key = usernameKey(typed);
    const found = key === undefined ? undefined : await named(key);
    const person = { ...auditFields(request), subject: found?.subject };

    // 3. Count the attempt before the password is looked at. Of parallel attempts no more than the limit are verified,
    //    and a locked account is locked for the right password too, else the lock would only slow guessing down.
    const attempt = await attempts.forAccount(found?.subject, key ?? typed, request, person);
    if (attempt.throttled) return attempt.throttled;
    try {
      // 4. Verify. Unknown accounts take the same path, so response and timing reveal nothing.
      const right = await hasher.verify(found?.passwordHash ?? null, password);
      if (found === undefined) return attempt.refused('unknown');
      if (!right) return attempt.refused('wrong');

      // 5. Disabled? Asked after the password, it costs the same and tells a stranger nothing.
      if (found.disabledAt !== null) return attempt.refused('disabled');
      const account = await withCurrentHash(found, password);
      if (only === 'password') {
        // Half of a sign-in where there is a second factor, so earlier failures stay counted.
        await attempt.giveBack();
        return { outcome: 'right', account };
      }

      // 6. The second factor, after the password for the same reason. Without one the password must be long enough
      //    alone.
      const second = await proveSecond(account, request, attempt);
      if (second.outcome !== 'none-needed' && second.outcome !== 'right') return second;
      const lacks = second.outcome === 'none-needed' ? lackOf(account, request) : undefined;
      if (lacks) {
        await attempt.challenged();
        return notEnough(account, lacks);
      }
      const amr: readonly Amr[] = second.outcome === 'right' ? second.amr : ['pwd'];

      // 7. Give the attempt back, write the audit record, and answer when it is durable.
      if (request.noSession) {
        await attempt.forgive();
        return { outcome: 'signed-in', account, amr, at: nowSeconds() };
      }
      if (request.carriesRecord) {
        await attempt.forgive();
        const record = audit.carried('sign_in.succeeded', success(attempt, amr));
        return { ...signedIn(account, amr), record };
      }
      await Promise.all([attempt.forgive(), recorded(attempt, amr)]);
      return signedIn(account, amr);
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
        // 3. The second factor. Where it has been removed since, the proof is not enough: it is for half of the way.
        const second = await proveSecond(account, request, attempt, proof);
        if (second.outcome === 'none-needed') {
          await attempt.giveBack();
          return { outcome: 'expired' };
        }
        if (second.outcome !== 'right') return second;

        // 4. After a password earlier failures are forgiven; a session says nothing about attempts at the password.
        const settled = session === undefined ? attempt.forgive() : attempt.giveBack();
        await Promise.all([settled, recorded(attempt, second.amr)]);
        // A session that is made surer keeps the time at which it began.
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
        // 2. The passkey says whose it is.
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

      // 1. The account, and only then whether the identity is still its own: so one of the two tells of any change
      //    between.
      const account = await accounts.bySubject(subject);
      if (account === undefined) return attempt.refused('unknown');
      if (account.disabledAt !== null) return attempt.refused('disabled');
      if (!(await identities.use(identity.id, nowSeconds()))) return attempt.refused('unknown');

      // 2. The second factor, unless the provider has asked for two and is trusted in that.
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
