/** Names of the members and values of a request that are not used, for answers and terminals. */

/** How many are named; the rest is only counted. */
const namedMax = 50;

/** For untrusted text, which terminals show. */
export const inAscii = (text: string): string => text.slice(0, 100).replaceAll(/[^\x21-\x7e]/g, '?');

/** Each once. */
export function shortened(names: readonly string[]): string[] {
  const named = [...new Set(names)];
  const more = named.length - namedMax;
  return more > 0 ? [...named.slice(0, namedMax), `and ${more} more`] : named;
}
