import type { Terminal } from './terminal.ts';

const limit = 1000;

/** Reads a whole list page by page. */
export function readAll<T>(
  terminal: Terminal,
  what: string,
  page: (limit: number, last: T | undefined) => Promise<readonly T[]>,
): Promise<T[]> {
  return terminal.progress(what, async (step) => {
    const read: T[] = [];
    for (let more = true; more; ) {
      const next = await page(limit, read.at(-1));
      read.push(...next);
      step(read.length);
      more = next.length === limit;
    }
    return read;
  });
}
