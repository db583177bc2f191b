/** The clients that the protocol serves: their metadata is checked by the engine that will read it. */
import { type Clients, createClients } from '../core/clients/clients.ts';
import type { Core } from '../core/core.ts';
import type { Protocol } from '../oidc/provider.ts';

export function composeClients(core: Core, protocol: Protocol): Clients {
  return createClients({ ...core, checkWithEngine: protocol.checkMetadata });
}
