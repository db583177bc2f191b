/** The one media type that a protocol endpoint answers with beside JSON (RFC 9701, section 4). */
export const introspectionJwt = 'application/token-introspection+jwt';

/**
 * The `Accept` of a machine endpoint: JSON, whatever the client library accepts by default, unless it names the JWT at
 * least as much as JSON.
 */
export function machineAccept(accept: string | undefined): string {
  if (!accept?.toLowerCase().includes(introspectionJwt)) return 'application/json';
  return weightOf(accept, introspectionJwt) > 0 &&
    weightOf(accept, introspectionJwt) >= weightOf(accept, 'application/json')
    ? introspectionJwt
    : 'application/json';
}

/** The `q` of a media type that the header names, 0 otherwise (RFC 9110, section 12.5.1). */
function weightOf(accept: string, type: string): number {
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (name !== type) continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
  }
  return 0;
}
