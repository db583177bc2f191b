/** What every page must be in every look: light and dark, on the narrowest phone and on a wide screen. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe-core finds in all of them, and what sticks out at the side. Nothing, as a rule. */
export async function flaws(page: Page): Promise<string[]> {
  const found: string[] = [];
  await page.evaluate(axe.source);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const look = `${colorScheme}, ${width} px`;
      const results = await page.evaluate<{ id: string; nodes: string[] }[]>(
        `axe.run(document, { runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] }).then(({ violations }) =>
           violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 120)) })))`,
      );
      found.push(...results.map(({ id, nodes }) => `${look}: ${id}: ${nodes.join(' | ')}`));
      if (await sticksOut(page)) found.push(`${look}: wider than the screen`);
    }
  }
  return found;
}

/** Whether a person would have to scroll sideways. */
export function sticksOut(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
}
