/** A client as the pages name it. The views escape, clip and check the links. */
import type { ClientRecord } from '../core/stores.ts';
import type { ClientView } from '../http/views.ts';

export function clientView(client: ClientRecord | undefined): ClientView | undefined {
  if (!client) return undefined;
  const { client_name: name, client_uri: uri, logo_uri: logo } = client.metadata;
  const site = typeof uri === 'string' ? uri : undefined;
  return {
    name: typeof name === 'string' && name !== '' ? name : client.id,
    uri: site,
    host: (site && URL.parse(site)?.host) ?? undefined,
    logo: typeof logo === 'string' ? logo : undefined,
  };
}
