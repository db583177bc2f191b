/** A deadline that moves on as long as something does. */

/**
 * Calls `stuck` once when `progress()` has not changed for `ms`, at twice that at the latest. It is looked at when the time is
 * over and not with each chunk, so watching a stream costs nothing. Returns what ends it.
 */
export function watch(ms: number, progress: () => number, stuck: () => void): () => void {
  let seen = progress();
  const timer = setInterval(() => {
    const now = progress();
    if (now !== seen) {
      seen = now;
      return;
    }
    clearInterval(timer);
    stuck();
  }, ms);
  return () => clearInterval(timer);
}
