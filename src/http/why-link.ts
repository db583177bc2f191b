/** The page that explains a refused request. */
export function whyAddress(issuer: string, reference: string): string {
  return `${issuer}/why/${reference}`;
}

/** The value of a `Link` header, which works with every body format (RFC 8288; `help` is a registered relation). */
export function whyLink(issuer: string, reference: string): string {
  return `<${whyAddress(issuer, reference)}>; rel="help"`;
}
