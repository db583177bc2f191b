/** Names of clients, by their ids; of a client that is gone, the id. */
import type { AccountDeps } from '../deps.ts';

export const clientNames =
  ({ cached }: Pick<AccountDeps, 'cached'>) =>
  async (id: string): Promise<string> => {
    const name = (await cached.find(id))?.metadata.client_name;
    return typeof name === 'string' ? name : id;
  };
