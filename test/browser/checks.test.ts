/** What the checks of the pages are there for, they notice: made-up pages with one mistake each. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { slowDown } from './shifts.ts';
import { tabFlaws } from './tab-walk.ts';
import { byMouse } from './walks/hands.ts';

const suite = describeWith('Chromium');
const url = 'http://localhost:1';
const styles = 'a { display: block; padding: 20px; } :focus { outline: 2px solid; }';

suite('the checks notice', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterEach(() => closeVisitors(browser));
  afterAll(() => browser.close());

  test.each([
    ['nothing on a good page', '<a href="#">one</a><a href="#">two</a>', []],
    ['another order', '<a href="#">one</a><a href="#" tabindex="1">two</a>', ['two: is not reached']],
    ['a focus that is not seen', '<a href="#" style="outline: none">one</a>', ['one: its focus is not to be seen']],
    ['a focus out of sight', '<a href="#" style="position: fixed; top: -999px">one</a>', ['one: is out of sight']],
    [
      'a way upwards',
      '<main style="display: flex; flex-direction: column-reverse"><a href="#">one</a><p>text</p><a href="#">two</a></main>',
      ['two: stands above what comes before it'],
    ],
    [
      'a trap',
      '<a href="#">one</a><a href="#" onblur="this.focus()">two</a><a href="#">three</a>',
      ['three: is not reached'],
    ],
  ])('by Tab: %s', async (_, body, flaws) => {
    const { page } = await buildVisitor(browser, { url });
    await page.setContent(`<!doctype html><style>${styles}</style>${body}`);
    expect(await tabFlaws(page)).toEqual(flaws);
  });

  test('that a page behind a dialog is out of reach', async () => {
    const { page } = await buildVisitor(browser, { url });
    await page.setContent('<button>End</button><dialog><button onclick="this.textContent = 1">End</button></dialog>');
    await page.evaluate('document.querySelector("dialog").showModal()');
    await byMouse(page).press('End');
    expect(await page.getByRole('button').allTextContents()).toEqual(['End', '1']);
    await page.evaluate('document.querySelector("dialog").close()');
    await byMouse(page).press('End');
  });

  const below = '<p>What stands below.</p>';
  test.each([
    ['nothing on a good page', `${below}<script src="/late.js" defer></script>`, '', 0],
    [
      'a form that a script shows',
      `<form hidden><button>Go</button></form>${below}<script src="/late.js" defer></script>`,
      'document.querySelector("form").hidden = false',
      1,
    ],
    [
      'room that a script takes a frame later',
      `${below}<script src="/late.js" defer></script>`,
      'requestAnimationFrame(() => document.body.prepend("late"))',
      1,
    ],
    ['a picture without a size', `<img src="/late.svg" alt="">${below}`, '', 1],
    [
      'a style sheet that the first paint does not wait for',
      `${below}<script>
      const link = document.createElement('link'); link.rel = 'stylesheet'; link.href = '/late.css';
      setTimeout(() => document.head.append(link));
    </script>`,
      '',
      1,
    ],
  ])('on a slow line: %s', async (_, body, script, moves) => {
    const visitor = await buildVisitor(browser, { url });
    const files: Record<string, readonly [string, string]> = {
      '/': ['text/html', `<!doctype html>${body}`],
      '/late.js': ['text/javascript', script],
      '/late.css': ['text/css', 'p { margin-top: 90px }'],
      '/late.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'],
    };
    await visitor.page.route('**/*', (route) => {
      const [contentType, content] = files[new URL(route.request().url()).pathname] ?? ['text/plain', ''];
      return route.fulfill({ contentType, body: content });
    });
    const slowLine = await slowDown(visitor);
    expect((await slowLine.goto('/', { slowStyles: 30_000 })).length).toBe(moves);
  });
});
