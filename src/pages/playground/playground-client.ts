/** The playground's client: public, only where the playground is, and removed by a start without it. */
import { Unavailable } from '../../base/errors.ts';
import type { Clients } from '../../core/clients/clients.ts';

export const playgroundClient = 'playground';

export async function keepPlaygroundClient(
  clients: Clients,
  config: { readonly developmentPages: boolean; readonly issuer: string },
): Promise<void> {
  try {
    if (!config.developmentPages) {
      await clients.remove(playgroundClient);
      return;
    }
    const redirect = `${config.issuer}/playground`;
    const metadata = {
      client_name: 'Playground',
      client_uri: redirect,
      redirect_uris: [redirect],
      post_logout_redirect_uris: [redirect],
      token_endpoint_auth_method: 'none',
    };
    const keeps = async () => {
      const known = await clients.find(playgroundClient);
      return { known, right: known?.metadata.client_uri === redirect };
    };
    const { known, right } = await keeps();
    // A program of the version before may have made it.
    if (known && known.reviewedAt === null) await clients.review(playgroundClient);
    if (right) return;
    const made = known
      ? await clients.update(playgroundClient, metadata, 'built-in')
      : await clients.register(metadata, { origin: 'built-in', owner: null, id: playgroundClient });
    // Another worker, starting in the same moment, may have been the first.
    if (made.outcome === 'invalid' && !(await keeps()).right)
      throw new Error(`the playground's client is refused: ${made.description}`);
  } catch (error) {
    // Starting while the database is away is fine; the playground comes with the next start.
    if (!(error instanceof Unavailable)) throw error;
  }
}
