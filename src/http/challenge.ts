/** The header of a 401, which says how to come again (RFC 9110, section 11.6.1). */

/** RFC 6750, section 3: parameters follow where a token was sent. Their values are this server's own words, without quotation marks. */
export function bearerChallenge(
  realm: string,
  about: Readonly<Record<string, string>> = {},
): { readonly 'WWW-Authenticate': string } {
  const parameters = Object.entries({ realm, ...about }).map(([name, value]) => `${name}="${value}"`);
  return { 'WWW-Authenticate': `Bearer ${parameters.join(', ')}` };
}
