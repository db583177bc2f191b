/**
 * The paths that this server answers itself, derived from the route table (http/routes.ts). A gateway route at, above
 * or below such a path would hide part of this server.
 */

/** Reserved for later versions, so that a route table that is valid today stays valid. */
const kept: readonly string[] = ['/.well-known', '/admin', '/docs', '/mail'];

/** Prefixes of environments that share a host. Only the segment after the prefix belongs to this server. */
const shared: readonly string[] = ['dev', 'qa', 'staging'];

/** The first segment of each address, in lower case, because later versions may add addresses below it. */
export function ownPlaces(addresses: Iterable<string>): readonly string[] {
  const places = new Set(kept);
  for (const address of addresses) {
    const [, first = '', second = ''] = address.toLowerCase().split('/');
    if (first === '' || first.startsWith(':')) continue;
    const two = shared.includes(first) && second !== '' && !second.startsWith(':');
    places.add(two ? `/${first}/${second}` : `/${first}`);
  }
  return [...places].sort();
}

/** Returns the own path that `prefix` collides with. */
export function ownPlaceAt(prefix: string, places: readonly string[]): string | undefined {
  const folded = `${prefix.toLowerCase()}/`;
  return places.find((own) => folded.startsWith(`${own}/`) || `${own}/`.startsWith(folded));
}
