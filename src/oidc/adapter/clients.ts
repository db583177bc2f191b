/** Applications as the engine finds them: from memory, and never a disabled one. */
import type { Adapter } from 'oidc-provider';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { noteUnknownClient } from '../clients/client-limits.ts';
import { engineClient } from '../clients/clients.ts';
import { adapterOf } from './model.ts';

export interface ClientDeps {
  readonly clients: CachedClients;
}

export function clientAdapter(deps: ClientDeps): Adapter {
  return adapterOf('Client', {
    async find(id) {
      const record = await deps.clients.find(id);
      if (record?.disabledAt === null) return engineClient(record);
      noteUnknownClient(id);
      return undefined;
    },
  });
}
