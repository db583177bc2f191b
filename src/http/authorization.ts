/** The Authorization header (RFC 9110, section 11.6.2), of which a request has one. */
import type { IncomingMessage } from 'node:http';

export type Authorization =
  /** Missing or empty. */
  | { readonly outcome: 'none' }
  /** Which of them counts is for nobody to guess: who stands in front may have looked at the other one. */
  | { readonly outcome: 'repeated' }
  /** `scheme` in lower case, what follows it without the blanks around it, and the whole of it. */
  | { readonly outcome: 'sent'; readonly scheme: string; readonly credentials: string; readonly value: string };

export function authorizationOf(req: IncomingMessage): Authorization {
  const [value = '', ...more] = req.headersDistinct.authorization ?? [];
  if (more.length > 0) return { outcome: 'repeated' };
  if (value === '') return { outcome: 'none' };
  const [scheme = ''] = value.split(' ', 1);
  return { outcome: 'sent', scheme: scheme.toLowerCase(), credentials: value.slice(scheme.length).trim(), value };
}

export type Word = { readonly outcome: 'word'; readonly word: string } | NoWord;
export type NoWord = { readonly outcome: 'none' | 'other-scheme' | 'malformed' };

/** The one word after this scheme, whatever it is: for callers that have something to say of a token in another form than theirs. */
export function wordOf(req: IncomingMessage, scheme: string): Word {
  const sent = authorizationOf(req);
  if (sent.outcome === 'none') return sent;
  if (sent.outcome === 'repeated') return { outcome: 'malformed' };
  if (sent.scheme !== scheme) return { outcome: 'other-scheme' };
  return /^\S+$/.test(sent.credentials) ? { outcome: 'word', word: sent.credentials } : { outcome: 'malformed' };
}
