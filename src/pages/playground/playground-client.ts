/** The playground's client: public, present only with the playground; a start without it removes the client. */
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
    // An earlier version may have created it.
    if (known && known.reviewedAt === null) await clients.review(playgroundClient);
    if (right) return;
    const made = known
      ? await clients.update(playgroundClient, metadata, 'built-in')
      : await clients.register(metadata, { origin: 'built-in', owner: null, id: playgroundClient });
    // Another worker that starts at the same time may have created it.
    if (made.outcome === 'invalid' && !(await keeps()).right)
      throw new Error(`the playground's client is refused: ${made.description}`);
  } catch (error) {
    // A start works without the database; the next start adds the playground.
    if (!(error instanceof Unavailable)) throw error;
  }
}
