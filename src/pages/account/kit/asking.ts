/**
 * The pages that ask before something ends, and where the person goes afterwards: back to the overview if they came
 * from there, or else to the page with the whole list.
 */

/** The address of the page that asks. */
export function asking(path: string, what: Readonly<Record<string, string>>, from?: 'overview'): string {
  return `${path}?${new URLSearchParams({ ...what, ...(from && { from }) })}`;
}

/** `from`: untrusted, of the query or the form. */
export const backTo = (page: string, from: unknown): string => (from === 'overview' ? '/account' : page);

/** For the form of the page that asks. */
export const fromField = (from: unknown): readonly { name: string; value: string }[] =>
  from === 'overview' ? [{ name: 'from', value: from }] : [];
