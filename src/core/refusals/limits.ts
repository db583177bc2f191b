/**
 * Limits the refusals that one process records: 20 a second in total, and 5 a minute of one client, address and check.
 * More raise the count of the last record of their kind; without one, only the metric counts them.
 */
import { createLru } from '../../base/lru.ts';

const perSecond = 20;
const perMinute = 5;
/** Kinds that are remembered; a forgotten kind starts again. */
const kindsMax = 2_000;

type Verdict =
  /** A new record. */
  | { readonly kind: 'record' }
  /** Raises the count of this earlier record. */
  | { readonly kind: 'repeat'; readonly reference: string }
  /** Over the limit of this second. */
  | { readonly kind: 'drop' };

interface Seen {
  /** Milliseconds; start of the one-minute window. */
  sinceMs: number;
  times: number;
  last: string;
}

/** `nowMs` is the time in milliseconds. */
export function createRefusalLimits() {
  const kinds = createLru<Seen>(kindsMax);
  let second = 0;
  let inSecond = 0;

  return {
    /**
     * `kind`: client, address and check of the refusal. A `record` verdict remembers `reference` as the last of its
     * kind.
     */
    judge(kind: string, reference: string, nowMs: number): Verdict {
      const seen = kinds.get(kind);
      const open = seen !== undefined && nowMs - seen.sinceMs < 60_000 && nowMs >= seen.sinceMs;
      if (open && seen.times >= perMinute) return { kind: 'repeat', reference: seen.last };
      const now = Math.floor(nowMs / 1000);
      if (now !== second) {
        second = now;
        inSecond = 0;
      }
      if (inSecond >= perSecond) return open ? { kind: 'repeat', reference: seen.last } : { kind: 'drop' };
      inSecond += 1;
      if (open) {
        seen.times += 1;
        seen.last = reference;
      } else kinds.set(kind, { sinceMs: nowMs, times: 1, last: reference });
      return { kind: 'record' };
    },
  };
}
