/**
 * What a person does at a page, by mouse or by keyboard alone, and how much of it. Controls are found by the names that
 * a screen reader says: whether one is a link, a button or the summary of some details makes no difference.
 */
import type { Locator, Page } from 'playwright-core';
import { applicationSite } from '../../support/chromium.ts';

export interface Effort {
  /** Buttons, links, boxes and summaries pressed, by mouse or key; a field that has to be clicked before it is typed in. */
  readonly presses: number;
  /** Fields typed in. */
  readonly fields: number;
  /** Pages of this server that were loaded. */
  readonly pages: number;
}

type Name = string | RegExp;

export interface Hands {
  readonly page: Page;
  press(name: Name): Promise<void>;
  /** In place of what stands in the field. */
  type(label: Name, text: string): Promise<void>;
  /** A box or a radio button. */
  set(label: Name, on: boolean): Promise<void>;
  effort(): Effort;
}

export type HandsOn = (page: Page) => Hands;

const reachOn = (page: Page): Locator => page.locator('dialog:modal *, body:not(:has(dialog:modal)) *');

/** A control that is in sight, and within reach: with an open dialog, only what is in it. */
export function controlNamed(page: Page, name: Name): Locator {
  const exact = { name, exact: typeof name === 'string' };
  const controls = page.getByRole('button', exact).or(page.getByRole('link', exact));
  // A summary has no role of its own in every browser.
  const named = controls.or(page.locator('summary').filter({ hasText: name }));
  return named.and(reachOn(page)).filter({ visible: true }).first();
}

const fieldNamed = (page: Page, label: Name): Locator =>
  page
    .getByLabel(label, { exact: typeof label === 'string' })
    .and(page.locator('input, textarea, select'))
    .and(reachOn(page))
    .filter({ visible: true })
    .first();

const hasFocus = async (page: Page, target: Locator) => (await target.and(page.locator(':focus')).count()) > 0;

export const byMouse: HandsOn = (page) => {
  const count = countOn(page);
  return {
    page,
    effort: count.effort,
    async press(name) {
      await controlNamed(page, name).click();
      count.presses += 1;
    },
    async type(label, text) {
      const field = fieldNamed(page, label);
      await field.waitFor();
      // A page that sets the focus well, or orders its fields well, saves the way to the mouse.
      if (!(await hasFocus(page, field))) await page.keyboard.press('Tab');
      if (!(await hasFocus(page, field))) {
        await field.click();
        count.presses += 1;
      }
      await typeOver(page, text);
      count.fields += 1;
    },
    async set(label, on) {
      const box = fieldNamed(page, label);
      if ((await box.isChecked()) === on) return;
      await box.setChecked(on);
      count.presses += 1;
    },
  };
};

/** Tab, Enter, Space and letters. What has the focus must be seen to have it. */
export const byKeyboard: HandsOn = (page) => {
  const count = countOn(page);
  return {
    page,
    effort: count.effort,
    async press(name) {
      await tabTo(page, controlNamed(page, name));
      await page.keyboard.press('Enter');
      count.presses += 1;
    },
    async type(label, text) {
      await tabTo(page, fieldNamed(page, label));
      await typeOver(page, text);
      count.fields += 1;
    },
    async set(label, on) {
      const box = fieldNamed(page, label);
      await tabTo(page, box);
      if ((await box.isChecked()) === on) return;
      await page.keyboard.press('Space');
      count.presses += 1;
    },
  };
};

/** More than any page has. */
const mostTabs = 200;

async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let tabs = 0; tabs < mostTabs; tabs += 1) {
    if (await hasFocus(page, target)) return expectSeen(page, target);
    await page.keyboard.press('Tab');
  }
  throw new Error(`no way by keyboard to ${target}`);
}

async function expectSeen(page: Page, target: Locator): Promise<void> {
  const ring = await page.evaluate<string>(`(() => {
    const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
    return outlineStyle === 'none' ? boxShadow : outlineStyle;
  })()`);
  if (ring === 'none') throw new Error(`the focus is not to be seen on ${target}`);
}

async function typeOver(page: Page, text: string): Promise<void> {
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

function countOn(page: Page) {
  let pages = 0;
  // Those of the application, which only says that it has been reached, are not counted.
  page.on('domcontentloaded', () => {
    if (!page.url().startsWith(applicationSite)) pages += 1;
  });
  const count = {
    presses: 0,
    fields: 0,
    effort: (): Effort => ({ presses: count.presses, fields: count.fields, pages }),
  };
  return count;
}
