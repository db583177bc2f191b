/**
 * Rows under the days on which they happened. Days are in UTC, because the server does not know the reader's time zone;
 * page.js groups them again by the days of the browser.
 */
const DAY = 86_400;

export interface Day<T> {
  /** Its first second. */
  readonly at: number;
  /** Days since then: 0 today. */
  readonly ago: number;
  readonly rows: readonly T[];
}

/** `rows`: newest first. `now`: seconds since the epoch. */
export function byDay<T extends { readonly at: number }>(rows: readonly T[], now: number): Day<T>[] {
  const days = new Map<number, T[]>();
  for (const row of rows) {
    const day = Math.floor(row.at / DAY);
    const known = days.get(day);
    if (known) known.push(row);
    else days.set(day, [row]);
  }
  const today = Math.floor(now / DAY);
  return Array.from(days, ([day, of]) => ({ at: day * DAY, ago: today - day, rows: of }));
}
