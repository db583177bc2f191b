/** Where a refused request is explained: in a header that every format can carry (RFC 8288; `help` is a registered relation). */
export function whyLink(issuer: string, reference: string): string {
  return `<${issuer}/why/${reference}>; rel="help"`;
}
