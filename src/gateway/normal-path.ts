/**
 * Which spellings of a path the gateway takes at all. What an upstream makes of `//`, `..`, `%2e`, `%2f`, `;` or a backslash
 * differs from upstream to upstream, and every difference between its reading and ours is a way around a route's rules
 * (security.md G2). So only one spelling of each path is taken, and the rest is not there.
 */

/** RFC 3986's unreserved characters and delimiters, without `;`, after which some upstreams see parameters of a segment. */
const segments = /^(?:\/(?!\.{1,2}(?:\/|$))(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-Fa-f]{2})+)+\/?$/;

/**
 * Escapes that some upstreams take for the character itself: unreserved ones (RFC 3986, section 6.2.2.2), `%2f`, `%3b`, `%5c`,
 * control characters, and `%25` before two hexadecimal digits, which an upstream that decodes twice would decode again.
 */
const treacherous =
  /%(?:[01][0-9A-Fa-f]|2[DEFdef]|3[0-9Bb]|4[1-9A-Fa-f]|5[0-9AaCcFf]|6[1-9A-Fa-f]|7[0-9AaEeFf]|25[0-9A-Fa-f]{2})/;

export function isNormalPath(path: string): boolean {
  if (path.length > 8192 || !segments.test(path)) return false;
  return !path.includes('%') || (!treacherous.test(path) && isUtf8(path));
}

/** `%c0%af` is a slash to decoders that do not mind its being too long. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** Printable ASCII without `#`: what is passed on must mean the same to the next parser. */
export function isNormalQuery(query: string): boolean {
  return /^[\x21\x22\x24-\x7e]*$/.test(query);
}
