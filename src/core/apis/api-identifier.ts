/** Spellings of an API's identifier. Pure. */

/**
 * The same for two spellings of one address (RFC 3986, section 6.2.2 and 6.2.3): `https://api.example` and `https://api.example/`.
 * A slash at the end of a longer path makes another address, as does anything in a URI that is not of the web.
 */
export function comparable(identifier: string): string {
  return /^https?:/i.test(identifier) ? (URL.parse(identifier)?.href ?? identifier) : identifier;
}
