export interface ThrottleKey {
  readonly key: string;
  /** Attempts allowed within the window. */
  readonly limit: number;
}

export interface Throttle {
  /**
   * Counts one attempt on every key, before it is made, and says whether all keys are still within their limits. Of any
   * number of concurrent calls no more than `limit` per key are allowed in a window. A refused attempt is not counted.
   */
  attempt(
    keys: readonly ThrottleKey[],
    windowSeconds: number,
  ): Promise<{ allowed: true } | { allowed: false; retryAfter: number }>;
  /** Gives one attempt back on each key: the attempt succeeded. */
  giveBack(keys: readonly string[]): Promise<void>;
  /** Forgets the key. */
  clear(key: string): Promise<void>;
}
