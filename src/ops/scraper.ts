/** Checks the Bearer token of a metrics scrape against `METRICS_TOKEN`. */
import type { IncomingMessage } from 'node:http';
import { isOneOf } from '../core/clients/admin-keys.ts';
import { wordOf } from '../http/authorization.ts';

/** `digests`: the SHA-256 of each token, base64url. */
export function mayScrape(req: IncomingMessage, digests: readonly string[]): boolean {
  const sent = wordOf(req, 'bearer');
  return sent.outcome === 'word' && isOneOf(digests, sent.word);
}
