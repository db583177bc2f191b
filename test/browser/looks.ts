/** What every page must be in every look: light and dark, on the narrowest phone and on a wide screen. */
import axe from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface Look {
  readonly colorScheme: 'light' | 'dark';
  /** CSS pixels. */
  readonly width: number;
  readonly forcedColors?: 'active';
}

export const looks: readonly Look[] = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [320, 1280].map((width) => ({ colorScheme, width })),
);

/** These, and the colours of the operating system in place of the page's own. */
export const looksWithForced: readonly Look[] = [
  ...looks,
  { colorScheme: 'dark', width: 320, forcedColors: 'active' },
  { colorScheme: 'light', width: 1280, forcedColors: 'active' },
];

/** The narrowest phone in the light and a wide screen in the dark. */
export const twoLooks = looks.filter(({ colorScheme, width }) => (colorScheme === 'light') === (width === 320));

/** Gives every page of this browser axe-core at once, which saves handing it to each. */
export async function withAxe(context: BrowserContext): Promise<void> {
  await context.addInitScript(axe.source);
}

/** What axe-core finds in all of them and what sticks out at the side. Nothing, as a rule. */
export async function flaws(page: Page, seen: readonly Look[] = looks): Promise<string[]> {
  const found: string[] = [];
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe.source);
  for (const { colorScheme, width, forcedColors = 'none' } of seen) {
    await page.emulateMedia({ colorScheme, forcedColors });
    await page.setViewportSize({ width, height: 800 });
    const look = `${colorScheme}, ${width} px${forcedColors === 'active' ? ', forced colours' : ''}`;
    // Forced colours are a person's own choice, and axe-core takes the page's for some of them.
    const without = forcedColors === 'active' ? { 'color-contrast': { enabled: false } } : {};
    const options = { runOnly: rules, rules: without, resultTypes: ['violations'] };
    const results = await page.evaluate<{ id: string; nodes: string[] }[]>(
      `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) =>
         violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 120)) })))`,
    );
    found.push(...results.map(({ id, nodes }) => `${look}: ${id}: ${nodes.join(' | ')}`));
    if (await sticksOut(page)) found.push(`${look}: wider than the screen`);
  }
  return found;
}

/**
 * Looks at what is folded away: at all details opened, then at each closed dialog. Folds all of it up again. Not at a
 * menu, which covers what is below it: account.test.ts looks at it.
 */
export async function unfolded<T>(page: Page, look: (what: string) => Promise<T>): Promise<T[]> {
  const [details, dialogs] = await page.evaluate<[number, number]>(`(() => {
    const closed = document.querySelectorAll('details:not([open], .menu)');
    for (const one of document.querySelectorAll('dialog[open]')) one.dataset.stands = '';
    for (const one of closed) Object.assign(one, { open: true }).dataset.unfolded = '';
    return [closed.length, document.querySelectorAll('dialog:not([data-stands])').length];
  })()`);
  const seen = details > 0 ? [await look('opened')] : [];
  await page.evaluate(`for (const one of document.querySelectorAll('[data-unfolded]')) one.open = false`);
  for (let index = 0; index < dialogs; index += 1) {
    const dialog = `document.querySelectorAll('dialog:not([data-stands])')[${index}]`;
    await page.evaluate(`${dialog}.showModal()`);
    seen.push(await look(`dialog ${index + 1}`));
    await page.evaluate(`${dialog}.close()`);
  }
  return seen;
}

/** Whether a person would have to scroll sideways. */
export function sticksOut(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
}

/** Bytes of the page and all its parts, as they are sent. */
export function weight(page: Page): Promise<number> {
  return page.evaluate(`['navigation', 'resource']
    .flatMap((type) => performance.getEntriesByType(type))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`);
}
