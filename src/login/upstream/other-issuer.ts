/** Explains an issuer that differs from the settings; the two must be identical, including a trailing slash. */
import { ProviderError } from './failure.ts';

/**
 * Replaces the library's error, which contains the whole document or token. `configured`: the issuer in the settings.
 */
export function otherIssuer(error: unknown, configured: string | undefined): unknown {
  for (let at = error, depth = 0; depth < 5 && at; at = property(at, 'cause'), depth += 1) {
    const named =
      property(at, 'attribute') === 'issuer'
        ? (['document', property(property(at, 'body'), 'issuer')] as const)
        : property(at, 'claim') === 'iss'
          ? (['ID token', property(property(at, 'claims'), 'iss')] as const)
          : undefined;
    if (named === undefined) continue;
    const [where, issuer] = named;
    if (!isAddress(issuer)) return error;
    return new ProviderError(
      `the issuer in UPSTREAMS is ${configured}, in the provider's ${where} ${issuer}: they must be the same`,
    );
  }
  return error;
}

/** The value goes into a log, so it must be an address. */
function isAddress(text: unknown): text is string {
  return typeof text === 'string' && /^https?:\/\/[\x21-\x7e]{1,200}$/.test(text);
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
