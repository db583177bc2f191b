/**
 * Attempts to sign in. Each is counted when it opens, for the account and for its address, so no more parallel attempts
 * than the limit are verified. In a browser known for the account, or in a session of its user, an attempt counts for
 * that browser or session only, with the limit of an account. Failures of others cannot lock it (security.md B8).
 *
 * An attempt ends with `failed`, `refused`, `challenged`, `giveBack` or `forgive`. `Unavailable` gives it back. After
 * any other error it stays counted, so that a bug in this server does not allow guesses without a limit.
 */
import { nowSeconds } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { WrongCode } from '../factors/code-method.ts';
import type { WrongPasskey } from '../factors/passkeys.ts';
import type { ProvedElsewhere } from '../kernel/amr.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import {
  accountThrottleKey,
  addressThrottleKey,
  knownBrowserThrottleKey,
  sessionThrottleKey,
} from '../kernel/throttle-keys.ts';
import type { KnownBrowsers } from '../known-browsers/known-browsers.ts';
import type { Throttle, ThrottleKey } from '../stores/volatile/throttle.ts';

export interface SignInLimits {
  /** Failed attempts within the window: for one account, and from one address. */
  readonly accountLimit: number;
  readonly addressLimit: number;
  /** Seconds. */
  readonly window: number;
}

type RefusedReason = 'wrong' | 'disabled' | 'unknown' | 'passkey' | 'passkey-used';

/** `reason` is for the audit record. Responses must not reveal it. */
export interface Refused {
  readonly outcome: 'refused';
  readonly reason: RefusedReason;
}

export interface Throttled {
  readonly outcome: 'throttled';
  /** Seconds. */
  readonly retryAfter: number;
}

export interface Attempt {
  /** Set if the limit is reached: verify nothing. */
  readonly throttled: Throttled | undefined;
  /** The account and the origin, for the audit record. */
  readonly person: AuditFields;
  /** Sets the account once it is known. */
  isOf(subject: string | undefined): void;
  /** A failure, which stays counted. */
  failed(reason: RefusedReason | `${WrongCode}-code` | `passkey-${WrongPasskey}`): void;
  refused(reason: RefusedReason): Refused;
  /** Right so far, and a second factor follows: no failure, and earlier failures stay counted. */
  challenged(): Promise<void>;
  /** The code was not checked, because the limit of the account's codes is reached. */
  codesThrottled(retryAfter: number, keys: readonly ThrottleKey[]): Promise<Throttled>;
  /** No failure. Earlier failures stay counted. */
  giveBack(): Promise<void>;
  /** The password was right, so the user made the earlier failures: those of the account are cleared. */
  forgive(): Promise<void>;
  /** Ends the attempt after an error and throws that error. */
  breakOff(error: unknown): Promise<never>;
}

const throttleNotesMax = 10_000;

export function createSignInAttempts(parts: {
  knownBrowsers: Pick<KnownBrowsers, 'known'>;
  throttle: Throttle;
  audit: Audit;
  metrics: Metrics;
  config: { readonly throttle: SignInLimits };
}) {
  const { knownBrowsers, throttle, audit, metrics } = parts;
  const { accountLimit: limit, addressLimit, window } = parts.config.throttle;
  const throttleNotes = new Map<string, number>();

  const ofAddress = (address: string | undefined): ThrottleKey => ({
    key: addressThrottleKey(address),
    limit: addressLimit,
  });

  /** Unknown accounts take the same path, so response and timing reveal nothing. */
  async function ofAccount(
    subject: string | undefined,
    typed: string,
    { address, browser, session }: Caller,
  ): Promise<ThrottleKey[]> {
    if (session !== undefined) return [{ key: sessionThrottleKey(session), limit }];
    const knownBrowser = browser === undefined ? undefined : await knownBrowsers.known(browser, subject);
    if (knownBrowser !== undefined) return [{ key: knownBrowserThrottleKey(knownBrowser), limit }];
    return [{ key: accountThrottleKey(subject, typed), limit }, ofAddress(address)];
  }

  /** Under attack, writes one audit record per key and window; the metric counts each attempt. */
  function throttled(retryAfter: number, keys: readonly ThrottleKey[], person: AuditFields): Throttled {
    metrics.count('sign_ins_total', { outcome: 'throttled' });
    const now = nowSeconds();
    if (!keys.some(({ key }) => (throttleNotes.get(key) ?? 0) > now)) {
      if (throttleNotes.size > throttleNotesMax) throttleNotes.clear();
      for (const { key } of keys) throttleNotes.set(key, now + window);
      audit.note('sign_in.throttled', person);
    }
    return { outcome: 'throttled', retryAfter };
  }

  /** `keys` are already counted. */
  function opened(keys: readonly ThrottleKey[], origin: AuditFields, retryAfter?: number): Attempt {
    let person = origin;
    let counted = keys.length > 0 && retryAfter === undefined;
    const giveBack = async (which = keys): Promise<void> => {
      if (!counted) return;
      counted = false;
      await throttle.giveBack(which.map(({ key }) => key));
    };
    const failed: Attempt['failed'] = (reason) => {
      counted = false;
      metrics.count('sign_ins_total', { outcome: 'refused' });
      audit.note('sign_in.failed', { ...person, detail: { ...person.detail, reason } });
    };
    return {
      throttled: retryAfter === undefined ? undefined : throttled(retryAfter, keys, person),
      get person() {
        return person;
      },
      isOf(subject) {
        person = { ...person, subject };
      },
      failed,
      refused(reason) {
        failed(reason);
        return { outcome: 'refused', reason };
      },
      async challenged() {
        await giveBack();
        metrics.count('sign_ins_total', { outcome: 'second_factor' });
        audit.note('sign_in.challenged', person);
      },
      async codesThrottled(wait, codeKeys) {
        await giveBack();
        return throttled(wait, codeKeys, person);
      },
      giveBack: () => giveBack(),
      async forgive() {
        const [own, ...others] = keys;
        await Promise.all([own && throttle.clear(own.key), giveBack(others)]);
      },
      async breakOff(error) {
        if (error instanceof Unavailable) await giveBack();
        throw error;
      },
    };
  }

  async function open(keys: readonly ThrottleKey[], person: AuditFields): Promise<Attempt> {
    const counted = await throttle.attempt(keys, window);
    return opened(keys, person, counted.allowed ? undefined : counted.retryAfter);
  }

  return {
    /** `typed` stands in for an account that does not exist. */
    async forAccount(subject: string | undefined, typed: string, origin: Caller, person: AuditFields) {
      return open(await ofAccount(subject, typed, origin), person);
    },

    forAddress: (address: string | undefined, person: AuditFields) => open([ofAddress(address)], person),

    /** For credentials that cannot be guessed. */
    uncounted: (person: AuditFields) => opened([], person),

    /** Writes no audit record: this is no guess, and many such requests must not fill the audit trail. */
    tooLong(reason: RefusedReason): Refused {
      metrics.count('sign_ins_total', { outcome: 'refused' });
      return { outcome: 'refused', reason };
    },
  };
}

/** Leaves out what the user typed: the password, the code, and the name, into which users type passwords too. */
export function auditFields(caller: Caller, elsewhere?: ProvedElsewhere): AuditFields {
  const { via, address, userAgent, requestId } = caller;
  const detail: JsonObject = {
    via,
    ...(elsewhere !== undefined && { upstream: elsewhere.provider }),
    ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 256).toWellFormed() }),
  };
  return { caller: { via, address, userAgent, requestId }, detail };
}
