/** The dark, and paper: what a browser makes of the style sheets there. That it can be read is in gallery.test.ts. */
import { expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import type { TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';

const suite = describeWith('Chromium');

suite('the style sheets', () => {
  let browser: Browser;
  let server: TestServer;
  onStage((stage) => {
    ({ browser, server } = stage);
  });

  async function at(state: string): Promise<Page> {
    const { page } = await buildVisitor(browser, server);
    await page.goto(`/gallery/${state}?locale=en`);
    return page;
  }

  /** From 0, black, to 1, white: whatever notation the style sheet has used, as it is painted. */
  const lightness = (page: Page, selector: string, property: 'color' | 'backgroundColor') =>
    page.evaluate<number>(`(() => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
      const paint = canvas.getContext('2d');
      paint.fillStyle = getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property};
      paint.fillRect(0, 0, 1, 1);
      const [red, green, blue, opaque] = paint.getImageData(0, 0, 1, 1).data;
      return opaque === 255 ? (red + green + blue) / 765 : NaN;
    })()`);
  const surfaces = ['body', '.card', '.card input:not([type=hidden], [readonly])'];

  test.each(['login/login-client', 'login/login-branded', 'account-profile/account-profile'])(
    'the dark is dark, with light text: %s',
    async (state) => {
      const page = await at(state);
      for (const [colorScheme, ground, text] of [
        ['light', [0.9, 1], [0, 0.35]],
        ['dark', [0, 0.25], [0.75, 1]],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        const within = async ([least, most]: readonly [number, number], property: 'color' | 'backgroundColor') => {
          // A branded background is as light as its text allows, and no application's own page is looked at here.
          const looked = state.includes('branded') ? surfaces.slice(1) : surfaces;
          for (const selector of looked) {
            const found = await lightness(page, selector, property);
            expect([colorScheme, selector, property, found >= least && found <= most]).toEqual([
              colorScheme,
              selector,
              property,
              true,
            ]);
          }
        };
        await within(ground, 'backgroundColor');
        await within(text, 'color');
      }
    },
  );

  test.each(['account-codes/account-codes', 'enrol-codes/enrol-codes'])(
    'recovery codes are printed alone, black on white, also from the dark: %s',
    async (state) => {
      const page = await at(state);
      // All that there is on the page itself, before it is printed.
      const before = await page.locator('main :is(button, a)').count();
      expect(await page.locator('main :is(button:visible, a:visible)').count()).toBe(before);
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      // Nothing to press, nowhere to go.
      expect(await page.locator('button:visible, a:visible, input:visible, nav:visible, footer:visible').count()).toBe(
        0,
      );
      const codes = await page.locator('.codes code').allInnerTexts();
      expect(codes).toHaveLength(10);
      expect(await page.locator('.codes code:visible').allInnerTexts()).toEqual(codes);
      const [paper, ink] = [
        await lightness(page, 'body', 'backgroundColor'),
        await lightness(page, '.codes code', 'color'),
      ];
      expect([paper, ink]).toEqual([1, 0]);
    },
  );

  test('an application’s background stays off the paper', async () => {
    const page = await at('login/login-branded');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundImage')).toBe('none');
    expect(await lightness(page, 'body', 'backgroundColor')).toBe(1);
    expect(await lightness(page, '.card', 'color')).toBe(0);
  });
});
