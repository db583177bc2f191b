/**
 * The application that a person's own pages are. They sign people in by the same authorization request as any other, so that
 * there is one way in, with everything that belongs to it. Its code is worth nothing to anybody: the pages go by the browser's
 * session, and nobody has the verifier of the challenge that they send.
 */
import { Unavailable } from '../../base/errors.ts';
import type { Clients } from './clients.ts';

export const accountClient = 'gatehouse-account';

export const accountCallback = '/account/callback';

/** Called at each start, on every node: of those that come at once one is first. */
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
    // A program of the version before may have made it.
    if (known && known.reviewedAt === null) await clients.review(accountClient);
    if (kept) return;
    if (known && known.disabledAt !== null) await clients.enable(accountClient);
    const made = known
      ? await clients.update(accountClient, metadata, 'built-in')
      : await clients.register(metadata, { origin: 'built-in', owner: null, id: accountClient });
    if (made.outcome !== 'invalid' || (await isKept()).kept) return;
    throw new Error(`the client of the account pages is refused: ${made.description}`);
  } catch (error) {
    // Starting while the database is away is fine; the client comes with the next start.
    if (!(error instanceof Unavailable)) throw error;
  }
}
