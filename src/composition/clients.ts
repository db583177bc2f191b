/** The clients that the protocol serves: their metadata is checked by the engine that will read it. */
import { type Clients, createClients } from '../core/clients/clients.ts';
import type { Core } from '../core/core.ts';
import type { Protocol } from '../oidc/provider.ts';

export function composeClients({ config, stores, changes }: Core, protocol: Protocol): Clients {
  return createClients({
    store: stores.clients,
    changes,
    checkWithEngine: protocol.checkMetadata,
    secretOverlapSeconds: config.lifetimes.clientSecretOverlap,
    ownNames: [config.brandName, ...hostNames(config.issuer)],
  });
}

/** Of an IPv6 address no one would read the digits as a name. */
function hostNames(issuer: string): string[] {
  const { hostname } = new URL(issuer);
  return hostname.startsWith('[') ? [] : [hostname];
}
