/**
 * What this server answers itself: a route over one of these would hide it, one beneath it would hide a part of it. The
 * list is made of the route table (http/routes.ts).
 */

/** Kept although nothing is there yet: a table that is right today stays right when it comes. */
const kept: readonly string[] = ['/.well-known', '/admin', '/docs', '/mail'];

/** Several environments share a host so; only what follows belongs to this server. */
const shared: readonly string[] = ['dev', 'qa', 'staging'];

/**
 * The places that the addresses take, in lower case: the first segment of each, as the next version may have more below
 * it. Parameters are written `:name`.
 */
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

/** The place of this server that a prefix would get in the way of. */
export function ownPlaceAt(prefix: string, places: readonly string[]): string | undefined {
  const folded = `${prefix.toLowerCase()}/`;
  return places.find((own) => folded.startsWith(`${own}/`) || `${own}/`.startsWith(folded));
}
