/**
 * The only door: every page and surface that takes a password comes through `signIn`.
 *
 * In this order, and why:
 * 1. Too long to be anybody's name or password: refused. Nothing about accounts is asked, so the answer tells nothing.
 * 2. Look the account up, by username and then by verified e-mail address: all spellings and names of one account share
 *    one counter, so the look-up comes before the count.
 * 3. Count the attempt, before the password is looked at: of parallel attempts no more than the limit are verified, and
 *    a locked account is locked for the right password too (else the lock would only slow the unlucky).
 * 4. Verify, in the same time whether or not there is such an account.
 * 5. Only now disabled: asked after the password, it costs the same and tells a stranger nothing.
 * 6. Only now the second factor, for the same reason. Where none was given the attempt is given back: it was no failure, and
 *    no success either, so it does not clear what was counted before. A wrong one is a failure like a wrong password.
 * 7. Give the attempt back, write the audit record, and answer when it is durable.
 *
 * A browser gives the two on two pages. Between them it keeps a `PasswordProof`, on this side of the wire, and comes back with
 * it through `secondStep`, which asks everything but the password anew.
 */
import { nowSeconds } from '../base/clock.ts';
import { Unavailable } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { digest, sameSecret } from '../base/secrets.ts';
import type { Activity } from './activity.ts';
import type { Audit, AuditFields } from './audit.ts';
import type { Factors, SecondFactor, WrongCode } from './factors.ts';
import { usernameKey } from './names.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { passwordLimit } from './password-rules.ts';
import type { Account, AccountStore, JsonObject, Throttle, ThrottleKey } from './stores.ts';
import { accountThrottleKey, addressThrottleKey } from './throttle-keys.ts';

export interface SignInRequest {
  /** As typed: a username or a verified e-mail address. */
  readonly username: string;
  readonly password: string;
  /** What was typed for a second factor, whichever it is: a code of an app or a recovery code. Left out or empty: none. */
  readonly otp?: string | undefined;
  /** The caller's IP address. */
  readonly address: string;
  readonly userAgent?: string | undefined;
  /** `browser`, or the name of the surface. */
  readonly via: string;
  readonly requestId: string;
}

export type SecondStepRequest = Omit<SignInRequest, 'username' | 'password'> & { readonly proof: PasswordProof };

/** What proved the person, in RFC 8176's words. */
export type Amr = 'pwd' | 'otp' | 'mfa';

/**
 * That the password was right a moment ago. Good for one account, for five minutes, and only as long as that password is the
 * account's. Whoever holds it needs the second factor only, so it never leaves the server.
 */
export interface PasswordProof {
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly at: number;
  /** SHA-256 of the stored hash, which is salted: another password, another value. */
  readonly password: string;
}

export type SignInOutcome =
  /** `at`: seconds since the epoch, the `auth_time`. */
  | { readonly outcome: 'signed-in'; readonly account: Account; readonly amr: readonly Amr[]; readonly at: number }
  /** The reasons are for the audit record: outside they must not be told apart. */
  | { readonly outcome: 'refused'; readonly reason: RefusedReason }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number }
  /** `methods`: none where all are locked or used up. `wrong`: why what was given did not do; undefined: nothing was given. */
  | {
      readonly outcome: 'second-factor';
      readonly methods: readonly SecondFactor[];
      readonly wrong: WrongCode | undefined;
      readonly proof: PasswordProof;
    };

/** `expired`: the proof is too old, or not of the account as it is now. The password is needed once more. */
export type SecondStepOutcome = SignInOutcome | { readonly outcome: 'expired' };

export type RefusedReason = 'wrong' | 'disabled' | 'unknown';

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
}

/** How long a password proof is good, in seconds. */
export const proofSeconds = 300;

const usernameMax = 1024;
const throttleNotesMax = 10_000;

export function createSignIn(parts: {
  accounts: AccountStore;
  hasher: PasswordHasher;
  factors: Pick<Factors, 'methods' | 'use'>;
  activity: Activity;
  throttle: Throttle;
  audit: Audit;
  log: Logger;
  metrics: Metrics;
  limits: SignInLimits;
}): SignIn {
  const { accounts, hasher, factors, activity, throttle, audit, log, metrics, limits } = parts;
  const throttleNotes = new Map<string, number>();

  const find = async (key: string | undefined): Promise<Account | undefined> => {
    if (key === undefined) return undefined;
    // A username wins over somebody's e-mail address; core/accounts sees to it that the two never belong to two people.
    return (await accounts.byUsernameKey(key)) ?? (key.includes('@') ? accounts.byVerifiedEmailKey(key) : undefined);
  };

  /** Under attack every further attempt is throttled: one record per account or address and window says so, the metric counts them all. */
  const noteThrottled = (keys: readonly ThrottleKey[], fields: AuditFields): void => {
    const now = nowSeconds();
    if (keys.some(({ key }) => (throttleNotes.get(key) ?? 0) > now)) return;
    if (throttleNotes.size > throttleNotesMax) throttleNotes.clear();
    for (const { key } of keys) throttleNotes.set(key, now + limits.windowSeconds);
    audit.note('sign_in.throttled', fields);
  };

  const noteFailed = (reason: RefusedReason | `${WrongCode}-code`, fields: AuditFields): void => {
    metrics.count('sign_ins_total', { outcome: 'refused' });
    audit.note('sign_in.failed', { ...fields, detail: { ...fields.detail, reason } });
  };

  const refuse = (reason: RefusedReason, fields: AuditFields): SignInOutcome => {
    noteFailed(reason, fields);
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

  const keysOf = (subject: string | undefined, typed: string, address: string): ThrottleKey[] => [
    { key: accountThrottleKey(subject, typed), limit: limits.account },
    { key: addressThrottleKey(address), limit: limits.address },
  ];

  const giveBack = (keys: readonly ThrottleKey[]): Promise<void> => throttle.giveBack(keys.map(({ key }) => key));

  const throttled = (retryAfter: number, keys: readonly ThrottleKey[], person: AuditFields): SignInOutcome => {
    metrics.count('sign_ins_total', { outcome: 'throttled' });
    noteThrottled(keys, person);
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
    otp: string,
    keys: readonly ThrottleKey[],
    person: AuditFields,
  ): Promise<SignInOutcome | 'right' | 'none needed'> => {
    if (!account.twoFactor) return 'none needed';
    const { required, methods } = await factors.methods(account.subject);
    if (!required) return 'none needed';
    const asked = { outcome: 'second-factor', methods, wrong: undefined, proof: proofOf(account) } as const;
    if (otp === '') {
      await giveBack(keys);
      metrics.count('sign_ins_total', { outcome: 'second_factor' });
      audit.note('sign_in.challenged', person);
      return asked;
    }
    const used = await factors.use(account.subject, otp, person);
    switch (used.outcome) {
      case 'right':
        return 'right';
      case 'throttled':
        // It was not looked at: a failure of nothing but the code's own limit.
        await giveBack(keys);
        return throttled(used.retryAfter, used.keys, person);
      case 'wrong':
        noteFailed(`${used.why}-code`, person);
        return { ...asked, methods: (await factors.methods(account.subject)).methods, wrong: used.why };
    }
  };

  const welcome = async (
    account: Account,
    amr: readonly Amr[],
    keys: readonly ThrottleKey[],
    person: AuditFields,
  ): Promise<SignInOutcome> => {
    const at = nowSeconds();
    const [ofAccount, ...others] = keys;
    await Promise.all([
      ofAccount && throttle.clear(ofAccount.key),
      giveBack(others),
      audit.record('sign_in.succeeded', { ...person, detail: { ...person.detail, amr: [...amr] } }),
    ]);
    activity.seen(account.subject);
    metrics.count('sign_ins_total', { outcome: 'signed_in' });
    return { outcome: 'signed-in', account, amr, at };
  };

  return {
    async signIn(request) {
      if (request.username.length > usernameMax || request.password.length > 4 * passwordLimit) {
        // Not counted and not on record: it is no guess, and a flood of them must not fill the audit trail.
        metrics.count('sign_ins_total', { outcome: 'refused' });
        return { outcome: 'refused', reason: 'unknown' };
      }

      const typed = request.username.trim();
      const key = usernameKey(typed);
      const found = await find(key);
      const person: AuditFields = { ...auditFields(request), subject: found?.subject };
      const keys = keysOf(found?.subject, key ?? typed, request.address);

      return counted(keys, person, async () => {
        const right = await hasher.verify(found?.passwordHash ?? null, request.password);
        if (found === undefined) return refuse('unknown', person);
        if (!right) return refuse('wrong', person);
        if (found.disabledAt !== null) return refuse('disabled', person);

        const account = await rehashed(found, request.password);
        const proved = await second(account, request.otp?.trim() ?? '', keys, person);
        if (proved === 'none needed') return welcome(account, ['pwd'], keys, person);
        return proved === 'right' ? welcome(account, ['pwd', 'otp', 'mfa'], keys, person) : proved;
      });
    },

    async secondStep(request) {
      const { proof } = request;
      const account = await accounts.bySubject(proof.subject);
      if (account === undefined || !holds(proof, account)) return { outcome: 'expired' };
      const person: AuditFields = { ...auditFields(request), subject: account.subject };
      const keys = keysOf(account.subject, '', request.address);

      return counted<SecondStepOutcome>(keys, person, async () => {
        const proved = await second(account, request.otp?.trim() ?? '', keys, person);
        if (proved === 'right') return welcome(account, ['pwd', 'otp', 'mfa'], keys, person);
        if (proved !== 'none needed') return proved;
        // The second factor has been removed since. The proof alone signs nobody in: it was for half of the way.
        await giveBack(keys);
        return { outcome: 'expired' };
      });
    },
  };
}

function proofOf({ subject, passwordHash }: Account): PasswordProof {
  return { subject, at: nowSeconds(), password: digest(passwordHash ?? '') };
}

function holds({ at, password }: PasswordProof, { passwordHash, disabledAt }: Account): boolean {
  const now = nowSeconds();
  const current = passwordHash !== null && sameSecret(digest(passwordHash), password);
  return current && disabledAt === null && at <= now && now < at + proofSeconds;
}

/** The typed name is left out: people type their password into that field. */
function auditFields({
  address,
  requestId,
  via,
  userAgent,
}: Pick<SignInRequest, 'address' | 'requestId' | 'via' | 'userAgent'>): AuditFields {
  const detail: JsonObject = {
    via,
    ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 256).toWellFormed() }),
  };
  return { address, requestId, detail };
}
