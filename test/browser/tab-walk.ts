/** A page from its top to its end by Tab: nothing is left out, the order is that of reading, and the focus is seen. */
import type { Page } from 'playwright-core';

/** Stands in the page as `tabWalk`, and looks at what has the focus. */
const walk = `globalThis.tabWalk = (() => {
  const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex="-1"])';
  const isStop = (element) =>
    element.checkVisibility() && !element.disabled && !element.closest('[inert]') &&
    // One of a group of radio buttons is a stop, the arrows lead to the others.
    (element.type !== 'radio' || element.checked ||
      (element.form ?? document).querySelector('[type=radio][name="' + element.name + '"]:checked') === null &&
      (element.form ?? document).querySelector('[type=radio][name="' + element.name + '"]') === element);
  const all = [...document.querySelectorAll(kinds)].filter(isStop);
  const nameOf = (element) =>
    (element.labels?.[0]?.textContent || element.getAttribute('aria-label') || element.textContent || element.outerHTML)
      .trim().replace(/\\s+/g, ' ').slice(0, 60);
  const ringOf = (element) => {
    const { outlineStyle, boxShadow } = getComputedStyle(element);
    return outlineStyle !== 'none' || (!matchMedia('(forced-colors: active)').matches && boxShadow !== 'none');
  };
  const met = [];
  let above;
  // Undefined at the end, otherwise what is wrong with this stop.
  const look = () => {
    const element = document.activeElement;
    if (element === document.body || element === document.documentElement || met.includes(element)) return undefined;
    met.push(element);
    const found = [];
    const drawn = element.matches('[type=checkbox], [type=radio]') ? [element.nextElementSibling, element.parentElement] : [];
    if (![element, ...drawn].some((one) => one && ringOf(one))) found.push('its focus is not to be seen');
    const { top, bottom, left, right } = element.getBoundingClientRect();
    if (bottom <= 0 || top >= innerHeight || right <= 0 || left >= innerWidth) found.push('is out of sight');
    const place = { top: top + scrollY, bottom: bottom + scrollY };
    // A link beside a label may come after its field.
    if (above && place.bottom <= above.top - 48) found.push('stands above what comes before it');
    above = place;
    return found.map((flaw) => nameOf(element) + ': ' + flaw);
  };
  // With a tabindex above 0 it has its own place in the order, and is not met on the way down.
  const leftOut = () =>
    all.filter((element) => !met.includes(element)).map((element) => nameOf(element) + ': is not reached');
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute('tabindex');
  return { look, leftOut, most: all.length + 10 };
})()`;

/** What a person without a mouse would stumble over. Nothing, as a rule. */
export async function tabFlaws(page: Page): Promise<string[]> {
  await page.evaluate(walk);
  const found: string[] = [];
  const most = await page.evaluate<number>('tabWalk.most');
  for (let tabs = 0; tabs < most; tabs += 1) {
    await page.keyboard.press('Tab');
    const flaws = await page.evaluate<string[] | null>('tabWalk.look() ?? null');
    if (flaws === null) break;
    found.push(...flaws);
  }
  return [...found, ...(await page.evaluate<string[]>('tabWalk.leftOut()'))];
}
