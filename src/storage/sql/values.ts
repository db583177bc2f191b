/** Small facts about what a caller may hand in. */

/** Postgres cannot hold U+0000 in text nor an id beyond its integers, so no row has either: no need to ask, nor to fail. */
export function findable(value: string | number): boolean {
  return typeof value === 'number' ? Number.isSafeInteger(value) : !value.includes('\0');
}

/** Rows of one page: between none and a thousand. */
export function page(limit: number): number {
  return Math.max(0, Math.min(1000, Math.trunc(limit)));
}

/** Text that came from outside and is only kept to be read by a person. */
export function keepable(value: string | null): string | null {
  return value === null ? null : value.replaceAll('\0', '\uFFFD');
}
