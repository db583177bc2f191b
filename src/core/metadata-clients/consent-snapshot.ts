/**
 * What a person was shown of a client that is described by a document. A document can change without a word to this
 * server, so another name, destination or key asks for consent again.
 */
import { digest } from '../../base/secrets.ts';
import type { ClientRecord } from '../stores/clients.ts';

/** To store with a consent. Null: the client is registered here, and its changes are too. */
export const consentSnapshot = (client: ClientRecord): string | null =>
  client.origin === 'metadata' ? shownSnapshot(client) : null;

/** What a page shows of a client that can change itself while the page is open. Null for others. */
export function shownSnapshot({ origin, metadata }: ClientRecord): string | null {
  if (origin !== 'metadata' && origin !== 'dynamic') return null;
  const { client_name, redirect_uris, post_logout_redirect_uris, token_endpoint_auth_method, jwks, jwks_uri } =
    metadata;
  const sorted = (uris: unknown) => (Array.isArray(uris) ? uris.map(String).sort() : []);
  return digest(
    JSON.stringify([
      client_name ?? null,
      sorted(redirect_uris),
      sorted(post_logout_redirect_uris),
      token_endpoint_auth_method ?? null,
      jwks ?? null,
      jwks_uri ?? null,
    ]),
  );
}
