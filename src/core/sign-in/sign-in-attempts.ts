/**
 * Attempts at a sign-in. Each is counted when it is opened, for the account and for the address it comes from, so that
 * of parallel ones no more than the limit are looked at. In a browser that is known for the account, and in a session
 * of its person, it counts for that browser or session alone: neither what strangers do to the account nor what comes
 * from the same address reaches it (security.md B8), and it takes no more of them than the account does.
 *
 * An attempt ends in a verdict: `failed`, `refused`, `challenged`, `giveBack` or `forgive`. One that breaks off before
 * because this server could not look at it, as when the database is away, is given back. Any other error is a mistake
 * of this server's, and must not open a way to guess without a limit.
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
import type { Throttle, ThrottleKey } from '../stores/throttle.ts';

export interface SignInLimits {
  /** Failed attempts within the window: for one account, and from one address. */
  readonly accountLimit: number;
  readonly addressLimit: number;
  /** Seconds. */
  readonly window: number;
}

type RefusedReason = 'wrong' | 'disabled' | 'unknown' | 'passkey' | 'passkey-used';

/** The reasons are for the audit record: outside they must not be told apart. */
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
  /** Too many came before: nothing may be looked at. */
  readonly throttled: Throttled | undefined;
  /** The person and the origin on record. */
  readonly person: AuditFields;
  /** The account is known only now. */
  isOf(subject: string | undefined): void;
  /** A failure: it stays counted. */
  failed(reason: RefusedReason | `${WrongCode}-code` | `passkey-${WrongPasskey}`): void;
  refused(reason: RefusedReason): Refused;
  /** Right so far, and a second factor is asked for: no failure, and no success that clears earlier failures. */
  challenged(): Promise<void>;
  /** Not looked at, because too many codes of this account came before. */
  codesThrottled(retryAfter: number, keys: readonly ThrottleKey[]): Promise<Throttled>;
  /** No failure. Earlier ones stay counted. */
  giveBack(): Promise<void>;
  /** The right password shows whose the earlier failures were: those of the account are forgotten. */
  forgive(): Promise<void>;
  /** Passes the error on that broke it off. */
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

  /**
   * Under attack every further attempt is throttled: one record per key and window says so, the metric counts them all.
   */
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

  /** `keys` are counted already. */
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

    /** For what cannot be guessed. */
    uncounted: (person: AuditFields) => opened([], person),

    /** Not on record: it is no guess, and a flood of them must not fill the audit trail. */
    tooLong(reason: RefusedReason): Refused {
      metrics.count('sign_ins_total', { outcome: 'refused' });
      return { outcome: 'refused', reason };
    },
  };
}

/** The typed name is left out: people type their password into that field. */
export function auditFields(caller: Caller, elsewhere?: ProvedElsewhere): AuditFields {
  const { via, userAgent } = caller;
  const detail: JsonObject = {
    via,
    ...(elsewhere !== undefined && { upstream: elsewhere.provider }),
    ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 256).toWellFormed() }),
  };
  return { caller, detail };
}
