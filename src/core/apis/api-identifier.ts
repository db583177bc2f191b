/**
 * Returns the same text for two spellings of one address (RFC 3986, sections 6.2.2 and 6.2.3): `https://api.example`
 * and `https://api.example/`. A final slash on a longer path makes another address. URIs that are not http(s) stay as
 * they are.
 */
export function comparable(identifier: string): string {
  return /^https?:/i.test(identifier) ? (URL.parse(identifier)?.href ?? identifier) : identifier;
}
