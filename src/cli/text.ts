/** The layout of results for people: names with values, and tables. */

/** Stored text must not control the terminal or change the reading direction. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\uFFFD');
}

/** Skips rows without a value; prints several values below each other. */
export function facts(rows: Readonly<Record<string, string | readonly string[] | null | undefined>>): string {
  const shown = Object.entries(rows).flatMap(([name, value]) => {
    const values = typeof value === 'string' ? [value] : (value ?? []);
    return values.filter((one) => one !== '').map((one, at) => [at === 0 ? name : '', plain(one)] as const);
  });
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}

/** Columns are as wide as their longest cell; prints `empty` if there are no rows. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return empty;
  const cells = [titles, ...rows.map((row) => row.map((cell) => plain(cell) || '-'))];
  const widths = titles.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `2026-11-20 12:30 UTC`; `seconds` since the epoch. */
export function day(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '';
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

export const shownOnce = '(shown this once: keep it now)';
