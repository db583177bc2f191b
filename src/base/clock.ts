/** The one place that reads the time. Everything that compares times reads it here, so a test that moves `Date` moves all of it. */

/** Milliseconds since the epoch. */
export function nowMs(): number {
  return Date.now();
}

/** Whole seconds since the epoch, rounded down, as JWT's NumericDate and the engine count (RFC 7519, section 2). */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
