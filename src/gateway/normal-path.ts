/**
 * The one spelling of a path that the gateway accepts. Upstreams differ in how they read `//`, `..`, `%2e`, `%2f`, `;`
 * and backslashes, and each difference is a way around the rules of a route (security.md G2). Any other spelling is
 * 404.
 */

/** RFC 3986 unreserved characters and delimiters, except `;`: some upstreams read parameters after it. */
const segments = /^(?:\/(?!\.{1,2}(?:\/|$))(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-Fa-f]{2})+)+\/?$/;

/**
 * Escapes that some upstreams decode: unreserved characters (RFC 3986, section 6.2.2.2), `%2f`, `%3b`, `%5c`, control
 * characters, and `%25` before two hexadecimal digits, which a second decoding turns into another escape.
 */
const treacherous =
  /%(?:[01][0-9A-Fa-f]|2[DEFdef]|3[0-9Bb]|4[1-9A-Fa-f]|5[0-9AaCcFf]|6[1-9A-Fa-f]|7[0-9AaEeFf]|25[0-9A-Fa-f]{2})/;

export function isNormalPath(path: string): boolean {
  if (path.length > 8192 || !segments.test(path)) return false;
  return !path.includes('%') || (!treacherous.test(path) && isUtf8(path));
}

/** Some decoders accept overlong UTF-8 and read `%c0%af` as a slash. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** Printable ASCII without `#`: other characters are parsed differently by different upstreams. */
export function isNormalQuery(query: string): boolean {
  return /^[\x21\x22\x24-\x7e]*$/.test(query);
}
