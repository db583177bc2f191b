/** Counts attempts in this process: without Redis, and in place of it while it is down. */
import { nowMs } from '../../base/clock.ts';
import type { Throttle } from '../../core/stores/throttle.ts';

/** A window opens with the first attempt and closes `windowSeconds` later; then the count starts over. */
interface Window {
  count: number;
  readonly opened: number;
  readonly lengthMs: number;
}

/** At most `maxKeys` keys are kept; beyond that the oldest window is forgotten, since whoever fills the memory must not stop the server. */
export function createLocalThrottle(maxKeys = 100_000): Throttle {
  // In order of opening, roughly: the first ones are the first to close.
  const windows = new Map<string, Window>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  // A window that opens in the future is one from before the clock was set back: it must not lock anybody for ever.
  const closed = (window: Window, now: number): boolean =>
    now < window.opened || now >= window.opened + window.lengthMs;

  function current(key: string, now: number): Window | undefined {
    const window = windows.get(key);
    if (window && closed(window, now)) {
      windows.delete(key);
      return undefined;
    }
    return window;
  }

  function makeRoom(now: number): void {
    let looked = 0;
    // Two keys leave for each that comes, as long as the oldest have closed.
    for (const [key, window] of windows) {
      if (++looked > 2 || !closed(window, now)) break;
      windows.delete(key);
    }
    if (windows.size < maxKeys) return;
    if (Math.abs(now - sweptAt) > 1000) {
      sweptAt = now;
      for (const [key, window] of windows) if (closed(window, now)) windows.delete(key);
    }
    for (const key of windows.keys()) {
      if (windows.size < maxKeys) break;
      windows.delete(key);
    }
  }

  return {
    // Nothing in here waits, so no two attempts can be counted at once.
    async attempt(keys, windowSeconds) {
      const now = nowMs();
      let retryMs = 0;
      for (const { key, limit } of keys) {
        const window = current(key, now);
        if ((window?.count ?? 0) >= limit) {
          retryMs = Math.max(retryMs, window ? window.opened + window.lengthMs - now : windowSeconds * 1000);
        }
      }
      if (retryMs > 0) return { allowed: false, retryAfter: Math.ceil(retryMs / 1000) };
      for (const { key } of keys) {
        const window = current(key, now);
        if (window) {
          window.count += 1;
        } else {
          makeRoom(now);
          windows.set(key, { count: 1, opened: now, lengthMs: windowSeconds * 1000 });
        }
      }
      return { allowed: true };
    },
    async giveBack(keys) {
      const now = nowMs();
      for (const key of keys) {
        const window = current(key, now);
        if (window && window.count > 0) window.count -= 1;
      }
    },
    async clear(key) {
      windows.delete(key);
    },
  };
}
