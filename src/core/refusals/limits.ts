/**
 * How many refusals one process records: 20 a second in all, and 5 a minute of one client, address and check. What comes beyond
 * that raises the count of the last record of its kind; where there is none, only the metric counts it.
 */
import { createLru } from '../../base/lru.ts';

const perSecond = 20;
const perMinute = 5;
/** Kinds that are remembered; an older one that is forgotten begins again. */
const kindsMax = 2_000;

export type Verdict =
  /** A record of its own. */
  | { readonly kind: 'record' }
  /** Counts for this earlier record. */
  | { readonly kind: 'repeat'; readonly reference: string }
  /** Too many at this moment. */
  | { readonly kind: 'drop' };

interface Seen {
  /** Milliseconds; the window of a minute begins here. */
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
    /** `kind`: client, address and check of the refusal. A `record` verdict remembers `reference` as the last of its kind. */
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
