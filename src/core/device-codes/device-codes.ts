/**
 * The codes of the device flow (RFC 8628): who may try a code, which browser decides, and how often a device may ask.
 *
 * A user code has 34 bits, so guesses are limited (section 5.1): per browser session, per address, and in all. Only
 * wrong codes count. A person who is signed in counts for their session and account alone, so that strangers cannot
 * keep others from their devices. A stolen database reveals no code, because the digest needs the server's key.
 */
import { nowMs, nowSeconds } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import { deriveKey, keyedDigest } from '../../base/secrets.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import type { DeviceCodeStore, PollPace } from '../stores/device-codes.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';

/** As a multiple of the limit of an address: wrong codes in all, and codes that its public clients may begin. */
const inAllFactor = 30;
const begunFactor = 10;

/** Seconds by which an early poll raises the interval (RFC 8628, section 3.5). */
const slowStep = 5;
/** The network delays polls unevenly, so a fifth less than the interval passes. */
const leastOfInterval = 0.8;

/** The browser in which a code is typed. */
interface TypedIn {
  readonly caller: Caller;
  /** Uid of the browser's session. */
  readonly session: string;
  /** The person who is signed in. */
  readonly subject: string | undefined;
}

type Found =
  | { readonly outcome: 'found'; readonly tokenKey: string; readonly browser: string | null }
  | { readonly outcome: 'unknown' }
  /** `retryAfter`: in seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

export type DeviceCodes = ReturnType<typeof createDeviceCodes>;

export function createDeviceCodes(parts: {
  store: DeviceCodeStore;
  throttle: Throttle;
  audit: Pick<Audit, 'note'>;
  metrics: Metrics;
  secrets: { readonly secretKey: string };
  config: {
    readonly lifetimes: { readonly devicePollInterval: number };
    readonly throttle: { readonly accountLimit: number; readonly addressLimit: number; readonly window: number };
  };
}) {
  const { store, throttle, audit, metrics } = parts;
  const { devicePollInterval } = parts.config.lifetimes;
  const key = deriveKey(parts.secrets.secretKey, 'user-codes');
  const digestOf = (userCode: string): string => keyedDigest(key, userCode);
  const count = (outcome: string) => metrics.count('device_codes_total', { outcome });
  const { accountLimit, addressLimit, window } = parts.config.throttle;
  let noted = 0;

  function noteThrottled(caller: Caller, subject: string | undefined): void {
    count('throttled');
    const now = nowSeconds();
    if (Math.abs(now - noted) < window) return;
    noted = now;
    audit.note('device_code.throttled', { caller, subject });
  }

  return {
    /** Seconds between two polls, as a device is told at first. */
    interval: devicePollInterval,

    /** Returns the seconds to wait if an address begins too many codes, otherwise 0. */
    async mayBegin({ address }: Caller): Promise<number> {
      const begun = { key: `device-begun:${addressNetwork(address)}`, limit: addressLimit * begunFactor };
      const counted = await throttle.attempt([begun], window);
      return counted.allowed ? 0 : counted.retryAfter;
    },

    /** Returns false if a device shows this user code already: 1 of 25,600,000 with a thousand of them. */
    async begin(userCode: string, tokenKey: string, expiresAt: number): Promise<boolean> {
      const row = { userCode: digestOf(userCode), tokenKey, interval: devicePollInterval, expiresAt };
      const begun = await store.insert(row, nowSeconds());
      if (begun) count('begun');
      return begun;
    },

    /** Counts the attempt before the look-up, so that concurrent guesses cannot pass a limit. */
    async find(userCode: string, { caller, session, subject }: TypedIn): Promise<Found> {
      const keys = [
        { key: `user-code:${session}`, limit: accountLimit },
        ...(subject === undefined
          ? [
              { key: `user-code-address:${addressNetwork(caller.address)}`, limit: addressLimit },
              { key: 'user-codes', limit: addressLimit * inAllFactor },
            ]
          : [{ key: `user-code-of:${subject}`, limit: accountLimit }]),
      ];
      const counted = await throttle.attempt(keys, window);
      if (!counted.allowed) {
        noteThrottled(caller, subject);
        return { outcome: 'throttled', retryAfter: counted.retryAfter };
      }
      const row = await store.find(digestOf(userCode));
      count(row ? 'found' : 'unknown');
      if (!row) return { outcome: 'unknown' };
      await throttle.giveBack(keys.map(({ key }) => key));
      return { outcome: 'found', tokenKey: row.tokenKey, browser: row.browser };
    },

    /** One browser decides about a code. Returns false if another one does. */
    claim: (userCode: string, session: string): Promise<boolean> => store.claim(digestOf(userCode), session),

    /** Call it for a device whose person has not decided yet. */
    async poll(tokenKey: string): Promise<PollPace> {
      const pace = await store.poll(tokenKey, nowMs(), { least: leastOfInterval, step: slowStep });
      return pace ?? { early: false, interval: devicePollInterval };
    },

    /** Does not wait. */
    decided(outcome: 'approved' | 'denied', fields: AuditFields): void {
      count(outcome);
      audit.note(`device_code.${outcome}`, fields);
    },
  };
}
