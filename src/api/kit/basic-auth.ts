/**
 * Names and passwords as RFC 7617 carries them, in UTF-8 (section 2.1). Only what a strict reader understands is taken: what
 * one decoder passes over and another does not would be two different passwords.
 */
import type { IncomingMessage } from 'node:http';
import { type NoWord, wordOf } from '../../http/authorization.ts';

export type Basic =
  | { readonly outcome: 'credentials'; readonly username: string; readonly password: string }
  /** `malformed`: no canonical base64, no UTF-8, control characters, no colon, nothing on one side of it, or two headers. */
  | NoWord;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function basicOf(req: IncomingMessage): Basic {
  const sent = wordOf(req, 'basic');
  if (sent.outcome !== 'word') return sent;
  const text = decoded(sent.word);
  // The first colon: a name has none, a password may have any number.
  const at = text.indexOf(':');
  const [username, password] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
  if (username === '' || password === '') return { outcome: 'malformed' };
  return { outcome: 'credentials', username, password };
}

/** Empty where it is not text in base64. */
function decoded(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) return '';
  try {
    const text = strictUtf8.decode(bytes);
    // RFC 7617, section 2: neither part has control characters.
    return /\p{Cc}/u.test(text) ? '' : text;
  } catch {
    return '';
  }
}
