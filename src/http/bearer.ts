/** Bearer tokens as requests carry them (RFC 6750, section 2.1): in the Authorization header, never in a query or a form. */
import type { IncomingMessage } from 'node:http';

export type Bearer =
  | { readonly outcome: 'token'; readonly token: string }
  /** No Authorization header, or one of another scheme. */
  | { readonly outcome: 'none' }
  | { readonly outcome: 'malformed' };

export function bearerOf(req: IncomingMessage): Bearer {
  const [header = '', ...more] = req.headersDistinct.authorization ?? [];
  if (more.length > 0) return { outcome: 'malformed' };
  if (!/^bearer(\s|,|$)/i.test(header)) return { outcome: 'none' };
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header)?.[1];
  return token === undefined ? { outcome: 'malformed' } : { outcome: 'token', token };
}

/**
 * A client token alone, or with a JWT behind a colon, as space guard's programs send them: `Bearer: <token>:<jwt>`. The colon
 * behind the scheme is no HTTP, but written in their API. Undefined for anything else; what the halves are worth is not asked.
 */
export function clientPairOf(req: IncomingMessage): { clientToken: string; jwt: string | undefined } | undefined {
  const [header = '', ...more] = req.headersDistinct.authorization ?? [];
  const [, clientToken, jwt] = /^bearer:? +([A-Za-z0-9_-]+)(?::([A-Za-z0-9_.-]+))?$/i.exec(header) ?? [];
  return clientToken === undefined || more.length > 0 ? undefined : { clientToken, jwt };
}
