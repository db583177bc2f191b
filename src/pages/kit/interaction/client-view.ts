/** A client as the pages show it. The views escape, clip and check the values. */
import { isLoopbackHost } from '../../../base/loopback.ts';
import { digest } from '../../../base/secrets.ts';
import { accountClient } from '../../../core/clients/account-client.ts';
import type { ClientRecord } from '../../../core/stores/clients.ts';
import type { ClientView } from '../view-parts.ts';

export function clientView(client: ClientRecord | undefined): ClientView | undefined {
  // The account client stands for this server's own pages, so there is no application to name.
  if (!client || client.id === accountClient) return undefined;
  const { client_name: name, client_uri: uri, logo_uri: logo, brand_accent: accent } = client.metadata;
  const site = typeof uri === 'string' ? uri : undefined;
  const unreviewed = client.reviewedAt === null;
  return {
    name: typeof name === 'string' && name !== '' ? name : client.id,
    uri: site,
    host: (site && URL.parse(site)?.host) ?? undefined,
    // A logo looks trusted, and this one may be another application's: an unreviewed client has none.
    logo: typeof logo === 'string' && !unreviewed ? logoAddress(client.id, logo) : undefined,
    accent: typeof accent === 'string' ? accent : undefined,
    background: backgroundOf(client),
    unreviewed,
  };
}

/**
 * What the consent page shows as the destination. For a private-use scheme the scheme identifies the app; its host part
 * is arbitrary.
 */
export function destinationOf(redirectUri: string): string | undefined {
  const url = URL.parse(redirectUri);
  return /^https?:$/.test(url?.protocol ?? '') ? url?.host : url?.protocol;
}

export const logoPath = '/client-logo';

/** This server's own address for the logo. Another `logo_uri` gives another address, so no browser shows an old one. */
function logoAddress(id: string, uri: string): string {
  return `${logoPath}?${new URLSearchParams({ client_id: id, v: digest(uri).slice(0, 12) })}`;
}

/** What identifies a client that a document describes. Its name, its links and its logo are its own words. */
export function documentView({ id, origin, metadata }: ClientRecord) {
  if (origin !== 'metadata') return {};
  const { redirect_uris: uris } = metadata;
  const hosts = (Array.isArray(uris) ? uris : []).map((uri) => URL.parse(String(uri))?.hostname ?? '');
  return { documentHost: URL.parse(id)?.host, onLoopback: hosts.length > 0 && hosts.every(isLoopbackHost) };
}

function backgroundOf({ metadata }: ClientRecord): readonly string[] | undefined {
  const { brand_background: ends } = metadata;
  return typeof ends === 'string' ? ends.split(' ') : undefined;
}
