/** When a delivery is tried again, and how long its client rests. */

const firstSeconds = 5;
const longestSeconds = 1_800;
const longestRest = 60;
/** A `Retry-After` beyond this is cut. */
const longestAsked = 3_600;

/** Milliseconds until the next attempt: doubled each time, and spread so that clients do not come in step. */
export function retryMs(attempts: number, random: () => number = Math.random): number {
  const seconds = Math.min(longestSeconds, firstSeconds * 2 ** Math.min(attempts, 20));
  return Math.round(seconds * 1000 * (0.9 + 0.2 * random()));
}

/** Milliseconds in which nothing is sent to a client after this many failures in a row. */
export function restMs(failures: number): number {
  return Math.min(longestRest, 2 ** Math.min(failures - 1, 20)) * 1000;
}

/** Milliseconds that a `Retry-After` asks for (RFC 9110, section 10.2.3); 0 if it says nothing. */
export function askedMs(retryAfter: string | undefined, nowMs: number): number {
  if (retryAfter === undefined) return 0;
  const asked = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - nowMs;
  return Number.isNaN(asked) ? 0 : Math.max(0, Math.min(longestAsked * 1000, asked));
}
