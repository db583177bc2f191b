/** Where a refused request is explained. */
export function whyAddress(issuer: string, reference: string): string {
  return `${issuer}/why/${reference}`;
}

/** In a header that every format can carry (RFC 8288; `help` is a registered relation). */
export function whyLink(issuer: string, reference: string): string {
  return `<${whyAddress(issuer, reference)}>; rel="help"`;
}
