/**
 * The Authorization header (RFC 9110, section 11.6.2): Basic credentials, bearer tokens, and the challenge of a 401.
 */
import type { IncomingMessage } from 'node:http';

type Authorization =
  /** Missing or empty. */
  | { readonly outcome: 'none' }
  /** Two headers: a proxy in front may have checked the other one. */
  | { readonly outcome: 'repeated' }
  /** `scheme`: in lower case. `credentials`: the rest, trimmed. `value`: the whole header. */
  | { readonly outcome: 'sent'; readonly scheme: string; readonly credentials: string; readonly value: string };

/** The whole header, '' if it is missing. Returns undefined if it is repeated. */
function headerOf(req: IncomingMessage): string | undefined {
  const [header = '', ...more] = req.headersDistinct.authorization ?? [];
  return more.length > 0 ? undefined : header;
}

export function authorizationOf(req: IncomingMessage): Authorization {
  const value = headerOf(req);
  if (value === undefined) return { outcome: 'repeated' };
  if (value === '') return { outcome: 'none' };
  const [scheme = ''] = value.split(' ', 1);
  return { outcome: 'sent', scheme: scheme.toLowerCase(), credentials: value.slice(scheme.length).trim(), value };
}

type Word = { readonly outcome: 'word'; readonly word: string } | NoWord;
export type NoWord = { readonly outcome: 'none' | 'other-scheme' | 'malformed' };

/** The one word after `scheme`, in any form: some callers answer a malformed token themselves. */
export function wordOf(req: IncomingMessage, scheme: string): Word {
  const sent = authorizationOf(req);
  if (sent.outcome === 'none') return sent;
  if (sent.outcome === 'repeated') return { outcome: 'malformed' };
  if (sent.scheme !== scheme) return { outcome: 'other-scheme' };
  return /^\S+$/.test(sent.credentials) ? { outcome: 'word', word: sent.credentials } : { outcome: 'malformed' };
}

type Basic =
  | { readonly outcome: 'credentials'; readonly username: string; readonly password: string }
  /** `malformed`: not canonical base64 or UTF-8, a control character, no colon, an empty side, or two headers. */
  | NoWord;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A name and a password in UTF-8 (RFC 7617, section 2.1). Strict, because lenient decoders read different passwords.
 */
export function basicOf(req: IncomingMessage): Basic {
  const sent = wordOf(req, 'basic');
  if (sent.outcome !== 'word') return sent;
  const text = decoded(sent.word);
  // Split at the first colon: a name has none, a password may have several.
  const at = text.indexOf(':');
  const [username, password] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
  if (username === '' || password === '') return { outcome: 'malformed' };
  return { outcome: 'credentials', username, password };
}

/** Returns '' if `base64` is not text. */
function decoded(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) return '';
  try {
    const text = strictUtf8.decode(bytes);
    // RFC 7617, section 2: neither part may contain control characters.
    return /\p{Cc}/u.test(text) ? '' : text;
  } catch {
    return '';
  }
}

type Bearer =
  | { readonly outcome: 'token'; readonly token: string }
  /** No Authorization header, or one of another scheme. */
  | { readonly outcome: 'none' }
  | { readonly outcome: 'malformed' };

const tokenSchemes = {
  bearer: { named: /^bearer(\s|,|$)/i, token: /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i },
  dpop: { named: /^dpop(\s|,|$)/i, token: /^dpop +([A-Za-z0-9\-._~+/]+=*)$/i },
} as const;

/** A bearer token from the header (RFC 6750, section 2.1), never from a query or a form. */
export const bearerOf = (req: IncomingMessage): Bearer => tokenOf(req, 'bearer');

/** A token of one scheme (RFC 6750, section 2.1; RFC 9449, section 7.1). */
export function tokenOf(req: IncomingMessage, scheme: keyof typeof tokenSchemes): Bearer {
  const header = headerOf(req);
  if (header === undefined) return { outcome: 'malformed' };
  const { named, token: whole } = tokenSchemes[scheme];
  if (!named.test(header)) return { outcome: 'none' };
  const token = whole.exec(header)?.[1];
  return token === undefined ? { outcome: 'malformed' } : { outcome: 'token', token };
}

/**
 * A client token, alone or followed by a colon and a JWT, as space guard's programs send it: `Bearer: <token>:<jwt>`.
 * Their API documents the invalid colon after the scheme. Returns undefined for any other form; verifies neither part.
 */
export function clientPairOf(req: IncomingMessage): { clientToken: string; jwt: string | undefined } | undefined {
  const [, clientToken, jwt] = /^bearer:? +([A-Za-z0-9_-]+)(?::([A-Za-z0-9_.-]+))?$/i.exec(headerOf(req) ?? '') ?? [];
  return clientToken === undefined ? undefined : { clientToken, jwt };
}

/** The header of a 401 (RFC 6750, section 3). `about`: only if a token was sent; values without quotation marks. */
export function bearerChallenge(
  realm: string,
  about: Readonly<Record<string, string>> = {},
): { readonly 'WWW-Authenticate': string } {
  const parameters = Object.entries({ realm, ...about }).map(([name, value]) => `${name}="${value}"`);
  return { 'WWW-Authenticate': `Bearer ${parameters.join(', ')}` };
}
