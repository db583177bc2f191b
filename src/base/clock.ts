/** The only place that reads the time, so a test that changes `Date` changes every comparison of times. */

/** Milliseconds since the epoch. */
export function nowMs(): number {
  return Date.now();
}

/** Whole seconds since the epoch, rounded down, as in JWT's NumericDate (RFC 7519, section 2). */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
