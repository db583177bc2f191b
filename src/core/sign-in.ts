/**
 * The only door: every page and surface that takes a password comes through `signIn`.
 *
 * In this order, and why:
 * 1. Too long to be anybody's name or password: refused. Nothing about accounts is asked, so the answer tells nothing.
 * 2. Look the account up, by username and then by verified e-mail address: all spellings and names of one account share
 *    one counter, so the look-up comes before the count.
 * 3. Count the attempt, before the password is looked at: of parallel attempts no more than the limit are verified, and
 *    a locked account is locked for the right password too (else the lock would only slow the unlucky). A browser in which this
 *    person is remembered counts for itself, so that strangers cannot lock them out of it.
 * 4. Verify, in the same time whether or not there is such an account.
 * 5. Only now disabled: asked after the password, it costs the same and tells a stranger nothing.
 * 6. Only now the second factor, for the same reason. Where none was given the attempt is given back: it was no failure, and
 *    no success either, so it does not clear what was counted before. A wrong one is a failure like a wrong password.
 * 7. Give the attempt back, write the audit record, and answer when it is durable.
 *
 * A browser gives the two on two pages. Between them it keeps a `PasswordProof`, on this side of the wire, and comes back with
 * it through `secondStep`, which asks everything but the password anew.
 *
 * `withPasskey` is the way in without a password. Nobody guesses a passkey, so failures count for the address only: no stranger's
 * attempts lock the account, and a success says nothing about those who guess its password meanwhile.
 */
import { nowSeconds } from '../base/clock.ts';
import { Unavailable } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Activity } from './activity.ts';
import type { Amr, ProvedElsewhere } from './amr.ts';
import type { Audit, AuditFields } from './audit.ts';
import type { Devices } from './devices.ts';
import type { EmailCodes, SentCode } from './email-codes.ts';
import type { Factors, SecondFactor, WrongCode } from './factors.ts';
import { usernameKey } from './names.ts';
import type { Passkeys } from './passkeys.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { holds, type PasswordProof, proofOf } from './password-proof.ts';
import { passwordLimit } from './password-rules.ts';
import { auditFields, createSignInNotes, type RefusedReason } from './sign-in-notes.ts';
import type { Account, AccountStore, Throttle, ThrottleKey } from './stores.ts';
import { accountThrottleKey, addressThrottleKey, deviceThrottleKey } from './throttle-keys.ts';

export interface SignInRequest {
  /** As typed: a username or a verified e-mail address. */
  readonly username: string;
  readonly password: string;
  /**
   * What was typed for a second factor, whichever it is: a code of an app or of a mail, or a recovery code. Left out or empty: none.
   * `email-code`: none, and one is to be mailed.
   */
  readonly otp?: string | undefined;
  /** The caller's IP address. */
  readonly address: string;
  readonly userAgent?: string | undefined;
  /** What the browser is known by, where people can be remembered in it (core/devices). */
  readonly browser?: string | undefined;
  /** `browser`, or the name of the surface. */
  readonly via: string;
  readonly requestId: string;
  /** Whoever has no second factor is not signed in either: an outcome `second-factor` without methods. */
  readonly twoFactors?: boolean | undefined;
}

/** What a browser's authenticator signed, and what for (core/passkeys). */
export interface PasskeyAnswer {
  readonly purpose: string;
  readonly assertion: string;
}

type About = Omit<SignInRequest, 'username' | 'password' | 'otp' | 'twoFactors'>;

/** A code or a passkey, or neither. */
export type SecondStepRequest = About & {
  readonly proof: PasswordProof;
  readonly otp?: string | undefined;
  readonly passkey?: PasskeyAnswer | undefined;
};

export type PasskeyRequest = About & { readonly passkey: PasskeyAnswer };

/** Somebody whom another provider has proved, and for whom everything after the password is still to come. */
export type ProvedRequest = About & { readonly subject: string; readonly elsewhere: ProvedElsewhere };

/** `passkey-used`: its answer has been here before. */
export type WrongSecond = WrongCode | 'passkey' | 'passkey-used';
export type MailedCode = SentCode;

export type SignInOutcome =
  /** `at`: seconds since the epoch, the `auth_time`. */
  | { readonly outcome: 'signed-in'; readonly account: Account; readonly amr: readonly Amr[]; readonly at: number }
  /** The reasons are for the audit record: outside they must not be told apart. */
  | { readonly outcome: 'refused'; readonly reason: RefusedReason }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number }
  /**
   * `methods`: none where all are locked or used up. `wrong`: why what was given did not do; undefined: nothing was given.
   * `mailed`: a code was sent, or should have been.
   */
  | {
      readonly outcome: 'second-factor';
      readonly methods: readonly SecondFactor[];
      readonly wrong: WrongSecond | undefined;
      readonly proof: PasswordProof;
      readonly mailed?: MailedCode | undefined;
      /** They have none, and must add one before they can sign in here. */
      readonly enrol?: true | undefined;
    };

/** `expired`: the proof is too old, or not of the account as it is now. The password is needed once more. */
export type SecondStepOutcome = SignInOutcome | { readonly outcome: 'expired' };

export interface SignInLimits {
  /** Failed attempts within the window: for one account, and from one address. */
  readonly account: number;
  readonly address: number;
  readonly windowSeconds: number;
}

export interface SignIn {
  /** Throws `Unavailable` where storage cannot answer or too many passwords are being hashed; that attempt does not count. */
  signIn(request: SignInRequest): Promise<SignInOutcome>;
  /** Only the second factor, after an outcome `second-factor`. Throws as `signIn` does. */
  secondStep(request: SecondStepRequest): Promise<SecondStepOutcome>;
  /** The whole way with a passkey that has verified its person. Throws `Unavailable` where storage cannot answer. */
  withPasskey(request: PasskeyRequest): Promise<SignInOutcome>;
  /**
   * Everything after the password, which is not asked for: the caller has it from a provider that this is the person. Nothing is
   * counted, for nothing can be guessed here; so wrong passwords of a stranger keep nobody out who comes this way.
   */
  withProvider(request: ProvedRequest): Promise<SignInOutcome>;
}

const usernameMax = 1024;

export function createSignIn(parts: {
  accounts: AccountStore;
  hasher: PasswordHasher;
  factors: Pick<Factors, 'methods' | 'use'>;
  passkeys: Pick<Passkeys, 'prove'>;
  emailCodes: Pick<EmailCodes, 'send'>;
  devices: Pick<Devices, 'known'>;
  activity: Activity;
  throttle: Throttle;
  audit: Audit;
  log: Logger;
  metrics: Metrics;
  limits: SignInLimits;
}): SignIn {
  const { accounts, hasher, factors, passkeys, emailCodes, devices, activity, throttle, audit, log, metrics, limits } =
    parts;
  const notes = createSignInNotes({ audit, metrics, windowSeconds: limits.windowSeconds });

  const find = async (key: string | undefined): Promise<Account | undefined> => {
    if (key === undefined) return undefined;
    // A username wins over somebody's e-mail address; core/accounts sees to it that the two never belong to two people.
    return (await accounts.byUsernameKey(key)) ?? (key.includes('@') ? accounts.byVerifiedEmailKey(key) : undefined);
  };

  const refuse = (reason: RefusedReason, fields: AuditFields): SignInOutcome => {
    notes.failed(reason, fields);
    return { outcome: 'refused', reason };
  };

  /** The account with a hash of today's parameters. Where that cannot be had the next sign-in tries again. */
  const rehashed = async (account: Account, password: string): Promise<Account> => {
    if (account.passwordHash === null || !hasher.needsRehash(account.passwordHash)) return account;
    try {
      const hash = { from: account.passwordHash, to: await hasher.hash(password) };
      // The password may have been changed meanwhile: the old one must not come back.
      const changed = await accounts.replacePasswordHash(account.subject, hash, nowSeconds());
      if (changed !== undefined) return changed;
      // Or another sign-in has replaced the hash, by one of this same password.
      const now = await accounts.bySubject(account.subject);
      const same = now?.disabledAt === null && (await hasher.verify(now.passwordHash, password));
      return same ? now : account;
    } catch (err) {
      log.warn({ err, subject: account.subject }, 'a password could not be rehashed; the next sign-in tries again');
      return account;
    }
  };

  /** For an account that there is not, everything is asked as well: neither the answer nor its time may tell. */
  const keysOf = async (
    subject: string | undefined,
    typed: string,
    { address, browser }: Pick<SignInRequest, 'address' | 'browser'>,
  ): Promise<ThrottleKey[]> => {
    const device = browser === undefined ? undefined : await devices.known(browser, subject);
    const own = device === undefined ? accountThrottleKey(subject, typed) : deviceThrottleKey(device);
    return [
      { key: own, limit: limits.account },
      { key: addressThrottleKey(address), limit: limits.address },
    ];
  };

  const giveBack = (keys: readonly ThrottleKey[]): Promise<void> => throttle.giveBack(keys.map(({ key }) => key));

  const throttled = (retryAfter: number, keys: readonly ThrottleKey[], person: AuditFields): SignInOutcome => {
    notes.throttled(keys, person);
    return { outcome: 'throttled', retryAfter };
  };

  /** Counts, then works. What could not be looked at does not count. */
  const counted = async <T>(
    keys: readonly ThrottleKey[],
    person: AuditFields,
    work: () => Promise<T>,
  ): Promise<T | SignInOutcome> => {
    const attempt = await throttle.attempt(keys, limits.windowSeconds);
    if (!attempt.allowed) return throttled(attempt.retryAfter, keys, person);
    try {
      return await work();
    } catch (error) {
      if (error instanceof Unavailable) await giveBack(keys);
      throw error;
    }
  };

  /** What the account's second factor makes of an attempt that was right so far. */
  const second = async (
    account: Account,
    { otp = '', passkey, via }: Pick<SecondStepRequest, 'otp' | 'passkey' | 'via'>,
    keys: readonly ThrottleKey[],
    person: AuditFields,
    { elsewhere, session }: Pick<PasswordProof, 'elsewhere' | 'session'> = {},
  ): Promise<SignInOutcome | { readonly outcome: 'right'; readonly amr: readonly Amr[] } | 'none needed'> => {
    if (!account.twoFactor) return 'none needed';
    const { subject } = account;
    const { required, methods } = await factors.methods(subject);
    if (!required) return 'none needed';
    const asked = {
      outcome: 'second-factor',
      methods,
      wrong: undefined,
      proof: { ...proofOf(account, elsewhere), session },
    } as const;
    const first = session ?? elsewhere?.amr ?? ['pwd'];
    const typed = otp.trim();
    if (passkey !== undefined) {
      const proved = await passkeys.prove({ ...passkey, subject });
      if (proved.outcome === 'right') return { outcome: 'right', amr: together(first, proved.amr) };
      notes.failed(`passkey-${proved.why}`, person);
      return { ...asked, wrong: proved.why === 'replayed' ? 'passkey-used' : 'passkey' };
    }
    if (typed === '' || typed === mailPlease) {
      await giveBack(keys);
      metrics.count('sign_ins_total', { outcome: 'second_factor' });
      audit.note('sign_in.challenged', person);
      const mail = methods.includes('email-code') && (typed === mailPlease || wantsMail(methods, via));
      return mail ? { ...asked, mailed: await emailCodes.send(account, person) } : asked;
    }
    const used = await factors.use(subject, typed, person);
    switch (used.outcome) {
      case 'right':
        return { outcome: 'right', amr: together(first, ['otp']) };
      case 'throttled':
        // It was not looked at: a failure of nothing but the code's own limit.
        await giveBack(keys);
        return throttled(used.retryAfter, used.keys, person);
      case 'wrong':
        notes.failed(`${used.why}-code`, person);
        return { ...asked, methods: (await factors.methods(subject)).methods, wrong: used.why };
    }
  };

  /** The password was right and is not enough here. */
  const noneYet = async (
    account: Account,
    keys: readonly ThrottleKey[],
    person: AuditFields,
  ): Promise<SignInOutcome> => {
    await giveBack(keys);
    metrics.count('sign_ins_total', { outcome: 'second_factor' });
    audit.note('sign_in.challenged', person);
    return { outcome: 'second-factor', methods: [], wrong: undefined, proof: proofOf(account), enrol: true };
  };

  const welcome = async (
    account: Account,
    amr: readonly Amr[],
    keys: { readonly clear?: ThrottleKey | undefined; readonly giveBack: readonly ThrottleKey[] },
    person: AuditFields,
    at = nowSeconds(),
  ): Promise<SignInOutcome> => {
    await Promise.all([
      keys.clear && throttle.clear(keys.clear.key),
      giveBack(keys.giveBack),
      audit.record('sign_in.succeeded', { ...person, detail: { ...person.detail, amr: [...amr] } }),
    ]);
    activity.seen(account.subject);
    metrics.count('sign_ins_total', { outcome: 'signed_in' });
    return { outcome: 'signed-in', account, amr, at };
  };

  /** The right password says whose the failures before it were. */
  const welcomed = (
    account: Account,
    amr: readonly Amr[],
    [clear, ...others]: readonly ThrottleKey[],
    person: AuditFields,
    at?: number,
  ): Promise<SignInOutcome> => welcome(account, amr, { clear, giveBack: others }, person, at);

  return {
    async signIn(request) {
      if (request.username.length > usernameMax || request.password.length > 4 * passwordLimit) {
        // Not counted and not on record: it is no guess, and a flood of them must not fill the audit trail.
        metrics.count('sign_ins_total', { outcome: 'refused' });
        // Whether there is such an account is not asked, so nothing may be said of it beyond what the name itself tells.
        return { outcome: 'refused', reason: request.username.length > usernameMax ? 'unknown' : 'wrong' };
      }

      const typed = request.username.trim();
      const key = usernameKey(typed);
      const found = await find(key);
      const person: AuditFields = { ...auditFields(request), subject: found?.subject };
      const keys = await keysOf(found?.subject, key ?? typed, request);

      return counted(keys, person, async () => {
        const right = await hasher.verify(found?.passwordHash ?? null, request.password);
        if (found === undefined) return refuse('unknown', person);
        if (!right) return refuse('wrong', person);
        if (found.disabledAt !== null) return refuse('disabled', person);

        const account = await rehashed(found, request.password);
        const proved = await second(account, request, keys, person);
        if (proved === 'none needed' && request.twoFactors) return noneYet(account, keys, person);
        if (proved === 'none needed') return welcomed(account, ['pwd'], keys, person);
        return proved.outcome === 'right' ? welcomed(account, proved.amr, keys, person) : proved;
      });
    },

    async secondStep(request) {
      const { proof } = request;
      const account = await accounts.bySubject(proof.subject);
      if (account === undefined || !holds(proof, account)) return { outcome: 'expired' };
      const { elsewhere } = proof;
      const person: AuditFields = { ...auditFields(request, elsewhere), subject: account.subject };
      const keys = await keysOf(account.subject, '', request);

      return counted<SecondStepOutcome>(keys, person, async () => {
        const proved = await second(account, request, keys, person, proof);
        if (proved !== 'none needed') {
          if (proved.outcome !== 'right') return proved;
          // After a password its own failures are forgiven; a session knows nothing of who guesses it meanwhile.
          return proof.session === undefined
            ? welcomed(account, proved.amr, keys, person, elsewhere?.at)
            : welcome(account, proved.amr, { giveBack: keys }, person);
        }
        // The second factor has been removed since. The proof alone signs nobody in: it was for half of the way.
        await giveBack(keys);
        return { outcome: 'expired' };
      });
    },

    async withPasskey(request) {
      const fields = auditFields(request);
      const keys = [{ key: addressThrottleKey(request.address), limit: limits.address }];
      return counted<SignInOutcome>(keys, fields, async () => {
        const proved = await passkeys.prove(request.passkey);
        const person: AuditFields = { ...fields, subject: proved.subject };
        if (proved.outcome === 'wrong') {
          notes.failed(`passkey-${proved.why}`, person);
          return { outcome: 'refused', reason: proved.why === 'replayed' ? 'passkey-used' : 'passkey' };
        }
        const account = await accounts.bySubject(proved.subject);
        if (account === undefined) return refuse('unknown', person);
        if (account.disabledAt !== null) return refuse('disabled', person);
        return welcome(account, [...proved.amr, 'mfa'], { giveBack: keys }, person);
      });
    },

    async withProvider({ subject, elsewhere, ...request }) {
      const person: AuditFields = { ...auditFields(request, elsewhere), subject };
      const account = await accounts.bySubject(subject);
      if (account === undefined) return refuse('unknown', person);
      if (account.disabledAt !== null) return refuse('disabled', person);
      const proved = elsewhere.enough ? 'none needed' : await second(account, request, [], person, { elsewhere });
      if (proved !== 'none needed' && proved.outcome !== 'right') return proved;
      return welcome(account, elsewhere.amr, { giveBack: [] }, person, elsewhere.at);
    },
  };
}

/** Two different things proved: that is `mfa`. */
function together(first: readonly Amr[], second: readonly Amr[]): Amr[] {
  return [...new Set<Amr>([...first, ...second, 'mfa'])];
}

const mailPlease = 'email-code';

/** Whether the mail is the obvious way: an app has its code at hand, and where a page can ask for a passkey that comes first. */
function wantsMail(methods: readonly SecondFactor[], via: string): boolean {
  return !methods.includes('totp') && !(via === 'browser' && methods.includes('passkey'));
}
