/** A deadline that moves on with each sign of progress. */

/**
 * Calls `stuck` once if `progress()` does not change for `ms`, and within `2 * ms` at the latest. A timer polls
 * `progress`, so a chunk of a stream costs nothing. Returns a function that stops the timer.
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
