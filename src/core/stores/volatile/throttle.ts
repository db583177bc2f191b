export interface ThrottleKey {
  readonly key: string;
  /** Attempts allowed per window. */
  readonly limit: number;
}

export interface Throttle {
  /**
   * Counts one attempt on every key before it is made, and refuses it if any key is at its limit. Concurrent calls
   * never exceed `limit` per key and window. A refused attempt is not counted. `retryAfter` is in seconds.
   */
  attempt(
    keys: readonly ThrottleKey[],
    windowSeconds: number,
  ): Promise<{ allowed: true } | { allowed: false; retryAfter: number }>;
  /** Uncounts one attempt on each key, after the attempt succeeded. */
  giveBack(keys: readonly string[]): Promise<void>;
  /** Resets the key. */
  clear(key: string): Promise<void>;
}
