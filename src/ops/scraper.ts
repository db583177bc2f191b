/** Whether a request may read the metrics with a token of the monitoring (`METRICS_TOKEN`), sent as a Bearer token. */
import type { IncomingMessage } from 'node:http';
import { isOneOf } from '../core/clients/admin-keys.ts';
import { wordOf } from '../http/authorization.ts';

/** `digests`: SHA-256 of each token, base64url. */
export function mayScrape(req: IncomingMessage, digests: readonly string[]): boolean {
  const sent = wordOf(req, 'bearer');
  return sent.outcome === 'word' && isOneOf(digests, sent.word);
}
