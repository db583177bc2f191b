/**
 * The only door: every page and surface that takes a password comes through `signIn`.
 *
 * In this order, and why:
 * 1. Too long to be anybody's name or password: refused. Nothing about accounts is asked, so the answer tells nothing.
 * 2. Look the account up, by username and then by verified e-mail address: all spellings and names of one account share
 *    one counter, so the look-up comes before the count.
 * 3. Count the attempt, before the password is looked at: of parallel attempts no more than the limit are verified, and
 *    a locked account is locked for the right password too (else the lock would only slow the unlucky). A browser that is
 *    known for this person, and a session of theirs, counts for itself, so that strangers cannot lock them out of it.
 * 4. Verify, in the same time whether or not there is such an account.
 * 5. Only now disabled: asked after the password, it costs the same and tells a stranger nothing.
 * 6. Only now the second factor, for the same reason. Where none was given the attempt is given back: it was no failure, and
 *    no success either, so it does not clear what was counted before. A wrong one is a failure like a wrong password.
 *    Whoever has none needs a password that is long enough alone: one that was set beside a second factor which has gone since is
 *    right, and signs nobody in before a longer one takes its place (NIST SP 800-63B-4, 3.1.1.2).
 * 7. Give the attempt back, write the audit record, and answer when it is durable.
 *
 * A browser gives the two on two pages. Between them it keeps a `PasswordProof`, on this side of the wire, and comes back with
 * it through `secondStep`, which asks everything but the password anew.
 *
 * What only needs the password once more (a change of it, the proof of an address) asks `provePassword`: steps 1 to 5, no code is
 * sent or used up for it, and nobody has signed in.
 *
 * `withPass` is for a person who has set a password a moment ago: it would only be asked for once more. It proves that password, and not
 * also the mail whose link may have led here.
 *
 * `withPasskey` is the way in without a password. Nobody guesses a passkey, so failures count for the address only: no stranger's
 * attempts lock the account, and a success says nothing about those who guess its password meanwhile.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Activity } from '../accounts/activity.ts';
import type { EmailCodes } from '../factors/email-codes.ts';
import type { Factors } from '../factors/factors.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Amr, ProvedElsewhere } from '../kernel/amr.ts';
import type { Audit, AuditFields, CarriedRecord } from '../kernel/audit.ts';
import { holds, type PasswordProof } from '../kernel/password-proof.ts';
import type { KnownBrowsers } from '../known-browsers/known-browsers.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { Throttle } from '../stores/throttle.ts';
import { auditFields, createFailedSignIns, type Origin, type Refused } from './failed-sign-ins.ts';
import type { Pass } from './passes.ts';
import { createPasswordCheck, type PasswordRequest } from './password-check.ts';
import { createSecondStep, type PasskeyAnswer, type SecondFactorAsked, type SecondGiven } from './second-step.ts';
import { type Attempt, createSignInAttempts, type SignInLimits, type Throttled } from './sign-in-attempts.ts';

export type SignInRequest = PasswordRequest & {
  readonly otp?: SecondGiven['otp'];
  /** Whoever has no second factor is not signed in either: an outcome `second-factor` without methods. */
  readonly twoFactors?: boolean | undefined;
  /** No session follows: it is asked for an act that has a record of its own, and none of a sign-in is written. */
  readonly noSession?: true;
  /** The caller stores the record of a success itself, in the very commit of the session that follows. */
  readonly carriesRecord?: true;
};

/** A code or a passkey, or neither. */
export type SecondStepRequest = Origin & SecondGiven & { readonly proof: PasswordProof };

export type PasskeyRequest = Origin & { readonly passkey: PasskeyAnswer };

/** Somebody whom another provider has proved, and for whom everything after the password is still to come. */
export type ProvedRequest = Origin & {
  readonly subject: string;
  readonly elsewhere: ProvedElsewhere;
  /** Whether it still is theirs: asked after the account has been read, so that either that or the password of then is out of date. */
  readonly stands: () => Promise<boolean>;
};

/** A person with a pass (core/sign-in/passes). */
export type PassRequest = Origin & Pass;

export interface SignedIn {
  readonly outcome: 'signed-in';
  readonly account: Account;
  readonly amr: readonly Amr[];
  /** Seconds since the epoch, the `auth_time`; 0: nobody knows. */
  readonly at: number;
  /** For whoever `carriesRecord`. */
  readonly record?: CarriedRecord;
}

export type SignInOutcome = SignedIn | Refused | Throttled | SecondFactorAsked;

/** `expired`: the proof is too old, or not of the account as it is now. The password is needed once more. */
export type SecondStepOutcome = SignInOutcome | { readonly outcome: 'expired' };

export interface SignIn {
  /** Throws `Unavailable` where storage cannot answer or too many passwords are being hashed; that attempt does not count. */
  signIn(request: SignInRequest): Promise<SignInOutcome>;
  /** Only the password, for whoever is signed in (`session`: guesses count for that) or needs no more. Throws as `signIn` does. */
  provePassword(
    request: PasswordRequest,
  ): Promise<{ readonly outcome: 'right'; readonly account: Account } | Refused | Throttled>;
  /** Only the second factor, after an outcome `second-factor`. Throws as `signIn` does. */
  secondStep(request: SecondStepRequest): Promise<SecondStepOutcome>;
  /** The whole way with a passkey that has verified its person. Throws `Unavailable` where storage cannot answer. */
  withPasskey(request: PasskeyRequest): Promise<SignInOutcome>;
  /**
   * Everything after the password, which is not asked for: the caller has it from a provider that this is the person. Nothing is
   * counted, for nothing can be guessed here; so wrong passwords of a stranger keep nobody out who comes this way.
   */
  withProvider(request: ProvedRequest): Promise<SignInOutcome>;
  /** Everything after the password, which has just been set or given. As with a provider nothing is counted. */
  withPass(request: PassRequest): Promise<SecondStepOutcome>;
}

export function createSignIn(parts: {
  accounts: AccountStore;
  hasher: PasswordHasher;
  factors: Pick<Factors, 'methods' | 'use'>;
  passkeys: Pick<Passkeys, 'prove'>;
  emailCodes: Pick<EmailCodes, 'send'>;
  knownBrowsers: Pick<KnownBrowsers, 'known'>;
  activity: Activity;
  throttle: Throttle;
  audit: Audit;
  log: Logger;
  metrics: Metrics;
  limits: SignInLimits;
}): SignIn {
  const { accounts, passkeys, activity, audit, metrics, limits } = parts;
  const failures = createFailedSignIns({ audit, metrics, windowSeconds: limits.windowSeconds });
  const attempts = createSignInAttempts({ ...parts, failures });
  const withPassword = createPasswordCheck({ ...parts, attempts, failures });
  const second = createSecondStep({ ...parts, attempts, failures });

  const signedIn = (account: Account, amr: readonly Amr[], at = nowSeconds()): SignedIn => {
    activity.seen(account.subject);
    metrics.count('sign_ins_total', { outcome: 'signed_in' });
    return { outcome: 'signed-in', account, amr, at };
  };
  const success = (person: AuditFields, amr: readonly Amr[]): AuditFields => ({
    ...person,
    detail: { ...person.detail, amr: [...amr] },
  });
  const welcome = async (
    account: Account,
    amr: readonly Amr[],
    person: AuditFields,
    at?: number,
  ): Promise<SignedIn> => {
    await audit.record('sign_in.succeeded', success(person, amr));
    return signedIn(account, amr, at);
  };

  /** The password was accepted beside a second factor, and that has gone. */
  const isShort = ({ passwordHash }: Account): boolean =>
    passwordHash !== null && !parts.hasher.standsAlone(passwordHash);

  return {
    signIn: (request) =>
      withPassword<SignInOutcome>(request, async (account, attempt) => {
        const proved = await second.prove(account, request, attempt);
        if (proved === 'none needed' && request.twoFactors) return second.noneYet(account, attempt, 'enrol');
        // Changing it is the way on, so that act goes through.
        if (proved === 'none needed' && isShort(account) && !request.noSession)
          return second.noneYet(account, attempt, 'short');
        if (proved !== 'none needed' && proved.outcome !== 'right') return proved;
        const amr: readonly Amr[] = proved === 'none needed' ? ['pwd'] : proved.amr;
        if (request.noSession) {
          await attempts.forgive(attempt.keys);
          return { outcome: 'signed-in', account, amr, at: nowSeconds() };
        }
        if (request.carriesRecord) {
          await attempts.forgive(attempt.keys);
          const record = audit.carried('sign_in.succeeded', success(attempt.person, amr));
          return { ...signedIn(account, amr), record };
        }
        const [, done] = await Promise.all([attempts.forgive(attempt.keys), welcome(account, amr, attempt.person)]);
        return done;
      }),

    provePassword: (request) =>
      withPassword(request, async (account, { keys }) => {
        // Half of a sign-in where there is a second factor: what was counted before is not forgotten for it.
        await attempts.giveBack(keys);
        return { outcome: 'right' as const, account };
      }),

    async secondStep(request) {
      const { proof } = request;
      const account = await accounts.bySubject(proof.subject);
      if (account === undefined || !holds(proof, account)) return { outcome: 'expired' };
      const { elsewhere, session } = proof;
      const person: AuditFields = { ...auditFields(request, elsewhere), subject: account.subject };
      const attempt: Attempt = { keys: await attempts.ofAccount(account.subject, '', request), person };

      return attempts.counted<SecondStepOutcome>(attempt, async () => {
        const proved = await second.prove(account, request, attempt, proof);
        if (proved === 'none needed') {
          // The second factor has been removed since. The proof alone signs nobody in: it was for half of the way.
          await attempts.giveBack(attempt.keys);
          return { outcome: 'expired' };
        }
        if (proved.outcome !== 'right') return proved;
        // After a password its own failures are forgiven; a session knows nothing of who guesses it meanwhile.
        const settled = session === undefined ? attempts.forgive : attempts.giveBack;
        // A session that is made surer keeps the time at which it began.
        const at = session?.at ?? elsewhere?.at;
        const [, done] = await Promise.all([settled(attempt.keys), welcome(account, proved.amr, person, at)]);
        return done;
      });
    },

    async withPasskey(request) {
      const fields = auditFields(request);
      const attempt: Attempt = { keys: [attempts.ofAddress(request.address)], person: fields };
      return attempts.counted<SignInOutcome>(attempt, async () => {
        const proved = await passkeys.prove(request.passkey);
        const person: AuditFields = { ...fields, subject: proved.subject };
        if (proved.outcome === 'wrong') {
          failures.failed(`passkey-${proved.why}`, person);
          return { outcome: 'refused', reason: proved.why === 'replayed' ? 'passkey-used' : 'passkey' };
        }
        const account = await accounts.bySubject(proved.subject);
        if (account === undefined) return failures.refused('unknown', person);
        if (account.disabledAt !== null) return failures.refused('disabled', person);
        const [, done] = await Promise.all([
          attempts.giveBack(attempt.keys),
          welcome(account, [...proved.amr, 'mfa'], person),
        ]);
        return done;
      });
    },

    async withProvider({ subject, elsewhere, stands, ...request }) {
      const person: AuditFields = { ...auditFields(request, elsewhere), subject };
      const account = await accounts.bySubject(subject);
      if (account === undefined) return failures.refused('unknown', person);
      if (account.disabledAt !== null) return failures.refused('disabled', person);
      if (!(await stands())) return failures.refused('unknown', person);
      const proved = elsewhere.enough
        ? 'none needed'
        : await second.prove(account, request, { keys: [], person }, { elsewhere });
      if (proved !== 'none needed' && proved.outcome !== 'right') return proved;
      return welcome(account, elsewhere.amr, person, elsewhere.at);
    },

    async withPass({ proof, after, ...request }) {
      const account = await accounts.bySubject(proof.subject);
      if (account === undefined || !holds(proof, account)) return { outcome: 'expired' };
      const { detail, ...from } = auditFields(request);
      const person: AuditFields = { ...from, subject: account.subject, detail: { ...detail, after } };
      const attempt: Attempt = { keys: [], person };
      const proved = await second.prove(account, request, attempt);
      if (proved === 'none needed' && isShort(account)) return second.noneYet(account, attempt, 'short');
      if (proved !== 'none needed' && proved.outcome !== 'right') return proved;
      return welcome(account, proved === 'none needed' ? ['pwd'] : proved.amr, person, proof.at);
    },
  };
}
