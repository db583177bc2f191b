/**
 * The client of this server's account pages. They sign users in with an ordinary authorization request, so there is one
 * path for all sign-ins. Its code is useless to a thief: the pages rely on the browser's session, and the PKCE verifier
 * is not kept.
 */
import { Unavailable } from '../../base/errors.ts';
import type { Clients } from './clients.ts';

export const accountClient = 'gatehouse-account';

export const accountCallback = '/account/callback';

/** Runs at each start, on every node. Concurrent runs are safe. */
export async function keepAccountClient(clients: Clients, issuer: string): Promise<void> {
  const redirect = `${issuer}${accountCallback}`;
  const metadata = {
    client_name: 'Account pages',
    redirect_uris: [redirect],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'none',
    scope: 'openid',
  };
  const isKept = async () => {
    const known = await clients.find(accountClient);
    const uris = known?.metadata.redirect_uris;
    return { known, kept: known?.disabledAt === null && Array.isArray(uris) && uris.includes(redirect) };
  };
  try {
    const { known, kept } = await isKept();
    // An older version may have made the client without a review.
    if (known && known.reviewedAt === null) await clients.review(accountClient);
    if (kept) return;
    if (known && known.disabledAt !== null) await clients.enable(accountClient);
    const made = known
      ? await clients.update(accountClient, metadata, 'built-in')
      : await clients.register(metadata, { origin: 'built-in', owner: null, id: accountClient });
    if (made.outcome !== 'invalid' || (await isKept()).kept) return;
    throw new Error(`the client of the account pages is refused: ${made.description}`);
  } catch (error) {
    // The database may be away at the start; then the next start makes the client.
    if (!(error instanceof Unavailable)) throw error;
  }
}
