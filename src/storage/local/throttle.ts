/** Counts attempts in this process: without Redis, and as a fallback while Redis is down. */
import { nowMs } from '../../base/clock.ts';
import type { Throttle } from '../../core/stores/volatile/throttle.ts';

/** A window opens with the first attempt and closes `windowSeconds` later; then the count starts over. */
interface Window {
  count: number;
  readonly opened: number;
  readonly lengthMs: number;
}

/** Keeps at most `maxKeys` keys and drops the oldest window beyond that, so an attacker cannot exhaust the memory. */
export function createLocalThrottle(maxKeys = 100_000): Throttle {
  // Roughly in the order of opening, so the first windows close first.
  const windows = new Map<string, Window>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  // A window that opens in the future predates a clock change. It counts as closed, or it would lock the key for ever.
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
    // Removes up to two closed windows per new key, so the map shrinks over time.
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
    // This function never awaits, so two attempts cannot interleave.
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
