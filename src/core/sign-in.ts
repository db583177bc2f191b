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
 * 6. Give the attempt back, write the audit record, and answer when it is durable.
 */
import { nowSeconds } from '../base/clock.ts';
import { Unavailable } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Audit, AuditFields } from './audit.ts';
import { usernameKey } from './names.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { passwordLimit } from './password-rules.ts';
import type { Account, AccountStore, JsonObject, Throttle, ThrottleKey } from './stores.ts';
import { accountThrottleKey, addressThrottleKey } from './throttle-keys.ts';

export interface SignInRequest {
  /** As typed: a username or a verified e-mail address. */
  readonly username: string;
  readonly password: string;
  /** The caller's IP address. */
  readonly address: string;
  readonly userAgent?: string | undefined;
  /** `browser`, or the name of the surface. */
  readonly via: string;
  readonly requestId: string;
}

/** What proved the person, in RFC 8176's words. */
export type Amr = 'pwd';

/** The ways to give a second factor; none yet. */
export type SecondFactor = never;

export type SignInOutcome =
  /** `at`: seconds since the epoch, the `auth_time`. */
  | { readonly outcome: 'signed-in'; readonly account: Account; readonly amr: readonly Amr[]; readonly at: number }
  /** The reasons are for the audit record: outside they must not be told apart. */
  | { readonly outcome: 'refused'; readonly reason: RefusedReason }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number }
  | { readonly outcome: 'second-factor'; readonly methods: readonly SecondFactor[] };

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
  /** Marks the person as seen now. Written within a second or so. */
  seen(subject: string): void;
  /** Writes what is still to be written. */
  close(): Promise<void>;
}

const usernameMax = 1024;
const throttleNotesMax = 10_000;

export function createSignIn(parts: {
  accounts: AccountStore;
  hasher: PasswordHasher;
  throttle: Throttle;
  audit: Audit;
  log: Logger;
  metrics: Metrics;
  limits: SignInLimits;
}): SignIn {
  const { accounts, hasher, throttle, audit, log, metrics, limits } = parts;
  const lastSeen = createLastSeen(accounts, log);
  const throttleNotes = new Map<string, number>();
  const background = new Set<Promise<void>>();

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

  const refuse = (reason: RefusedReason, fields: AuditFields): SignInOutcome => {
    metrics.count('sign_ins_total', { outcome: 'refused' });
    audit.note('sign_in.failed', { ...fields, detail: { ...fields.detail, reason } });
    return { outcome: 'refused', reason };
  };

  const rehash = (account: Account, password: string): void => {
    const work = (async () => {
      const passwordHash = await hasher.hash(password);
      // The password may have been changed meanwhile: the old one must not come back.
      const now = await accounts.bySubject(account.subject);
      if (now?.passwordHash === account.passwordHash)
        await accounts.update(account.subject, { passwordHash }, nowSeconds());
    })().catch((err: unknown) =>
      log.warn({ err, subject: account.subject }, 'a password could not be rehashed; the next sign-in tries again'),
    );
    background.add(work);
    void work.finally(() => background.delete(work));
  };

  return {
    async signIn(request) {
      if (request.username.length > usernameMax || request.password.length > 4 * passwordLimit) {
        // Not counted and not on record: it is no guess, and a flood of them must not fill the audit trail.
        metrics.count('sign_ins_total', { outcome: 'refused' });
        return { outcome: 'refused', reason: 'unknown' };
      }

      const fields = auditFields(request);
      const typed = request.username.trim();
      const key = usernameKey(typed);
      const account = await find(key);
      const person: AuditFields = { ...fields, subject: account?.subject };

      const accountKey = accountThrottleKey(account?.subject, key ?? typed);
      const addressKey = addressThrottleKey(request.address);
      const keys = [
        { key: accountKey, limit: limits.account },
        { key: addressKey, limit: limits.address },
      ];
      const counted = await throttle.attempt(keys, limits.windowSeconds);
      if (!counted.allowed) {
        metrics.count('sign_ins_total', { outcome: 'throttled' });
        noteThrottled(keys, person);
        return { outcome: 'throttled', retryAfter: counted.retryAfter };
      }

      let right: boolean;
      try {
        right = await hasher.verify(account?.passwordHash ?? null, request.password);
      } catch (error) {
        if (error instanceof Unavailable) await throttle.giveBack([accountKey, addressKey]);
        throw error;
      }
      if (account === undefined) return refuse('unknown', person);
      if (!right) return refuse('wrong', person);
      if (account.disabledAt !== null) return refuse('disabled', person);

      const at = nowSeconds();
      await Promise.all([
        throttle.clear(accountKey),
        throttle.giveBack([addressKey]),
        audit.record('sign_in.succeeded', { ...person, detail: { ...person.detail, amr: ['pwd'] } }),
      ]);
      lastSeen.mark(account.subject, at);
      metrics.count('sign_ins_total', { outcome: 'signed_in' });
      if (account.passwordHash !== null && hasher.needsRehash(account.passwordHash)) rehash(account, request.password);
      return { outcome: 'signed-in', account, amr: ['pwd'], at };
    },

    seen: (subject) => lastSeen.mark(subject, nowSeconds()),

    async close() {
      await Promise.all([lastSeen.close(), ...background]);
    },
  };
}

/** The typed name is left out: people type their password into that field. */
function auditFields({ address, requestId, via, userAgent }: SignInRequest): AuditFields {
  const detail: JsonObject = {
    via,
    ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 256).toWellFormed() }),
  };
  return { address, requestId, detail };
}

const lastSeenEveryMs = 1000;
const lastSeenMax = 10_000;

/** Last-seen times are collected and written once a second: they are worth one write a person, not one a request. */
function createLastSeen(
  accounts: AccountStore,
  log: Logger,
): { mark(subject: string, at: number): void; close(): Promise<void> } {
  let marks = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    const batch = marks;
    marks = new Map();
    for (const [subject, at] of batch) {
      try {
        await accounts.update(subject, { lastSeenAt: at }, at);
      } catch (err) {
        // The storage is away: the rest of this batch would wait for nothing, and the next sign-in marks anew.
        log.warn({ err, lost: batch.size }, 'last-seen times could not be written');
        return;
      }
    }
  };
  const start = (): Promise<void> => {
    timer = undefined;
    writing = writing.then(flush);
    return writing;
  };

  return {
    mark(subject, at) {
      if (marks.size >= lastSeenMax) return;
      marks.set(subject, at);
      timer ??= setTimeout(start, lastSeenEveryMs).unref();
    },
    close() {
      clearTimeout(timer);
      return start();
    },
  };
}
