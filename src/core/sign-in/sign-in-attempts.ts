/**
 * Attempts at a sign-in. Each is counted before it is made, for the account and for the address it comes from, so that of parallel
 * ones no more than the limit get through; what turns out to be no failure is given back. In a browser that is known for the account,
 * and in a session of its person, they count for that browser or session alone: neither what strangers do to the account nor what
 * comes from the same address reaches it (security.md B8), and it takes no more of them than the account does.
 */
import { Unavailable } from '../../base/errors.ts';
import type { AuditFields } from '../kernel/audit.ts';
import {
  accountThrottleKey,
  addressThrottleKey,
  knownBrowserThrottleKey,
  sessionThrottleKey,
} from '../kernel/throttle-keys.ts';
import type { KnownBrowsers } from '../known-browsers/known-browsers.ts';
import type { Throttle, ThrottleKey } from '../stores/throttle.ts';
import type { FailedSignIns, Origin } from './failed-sign-ins.ts';

export interface SignInLimits {
  /** Failed attempts within the window: for one account, and from one address. */
  readonly account: number;
  readonly address: number;
  readonly windowSeconds: number;
}

/** One that is under way: what it counts for, and whose it is on record. */
export interface Attempt {
  readonly keys: readonly ThrottleKey[];
  readonly person: AuditFields;
}

export interface Throttled {
  readonly outcome: 'throttled';
  /** Seconds. */
  readonly retryAfter: number;
}

export type SignInAttempts = ReturnType<typeof createSignInAttempts>;

export function createSignInAttempts(parts: {
  knownBrowsers: Pick<KnownBrowsers, 'known'>;
  throttle: Throttle;
  failures: Pick<FailedSignIns, 'throttled'>;
  limits: SignInLimits;
}) {
  const { knownBrowsers, throttle, failures, limits } = parts;

  const throttled = (retryAfter: number, keys: readonly ThrottleKey[], person: AuditFields): Throttled => {
    failures.throttled(keys, person);
    return { outcome: 'throttled', retryAfter };
  };
  const giveBack = (keys: readonly ThrottleKey[]): Promise<void> => throttle.giveBack(keys.map(({ key }) => key));
  const ofAddress = (address: string): ThrottleKey => ({ key: addressThrottleKey(address), limit: limits.address });

  return {
    giveBack,
    throttled,
    ofAddress,

    /** For an account that there is not, everything is asked as well: neither the answer nor its time may tell. */
    async ofAccount(
      subject: string | undefined,
      typed: string,
      { address, browser, session }: Pick<Origin, 'address' | 'browser' | 'session'>,
    ): Promise<ThrottleKey[]> {
      const { account: limit } = limits;
      if (session !== undefined) return [{ key: sessionThrottleKey(session), limit }];
      const knownBrowser = browser === undefined ? undefined : await knownBrowsers.known(browser, subject);
      if (knownBrowser !== undefined) return [{ key: knownBrowserThrottleKey(knownBrowser), limit }];
      return [{ key: accountThrottleKey(subject, typed), limit }, ofAddress(address)];
    },

    /** Counts, then works. What could not be looked at does not count. */
    async counted<T>({ keys, person }: Attempt, work: () => Promise<T>): Promise<T | Throttled> {
      const counted = await throttle.attempt(keys, limits.windowSeconds);
      if (!counted.allowed) return throttled(counted.retryAfter, keys, person);
      try {
        return await work();
      } catch (error) {
        if (error instanceof Unavailable) await giveBack(keys);
        throw error;
      }
    },

    /** The right password says whose the failures before it were: those of the account are forgotten. */
    async forgive([own, ...others]: readonly ThrottleKey[]): Promise<void> {
      await Promise.all([own && throttle.clear(own.key), giveBack(others)]);
    },
  };
}
