/** How the pages of a sign-in look while they load and when they are there: no jump, one main button, no scrolling. */
import { describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { galleryAddress } from '../../dev/gallery/gallery.ts';
import { states } from '../../src/pages/states.ts';
import { buildVisitor, type Visitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import type { TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';

const suite = describeWith('Chromium');

const views = [
  ...['login', 'chooser', 'second-factor', 'longer-password', 'upstream-new', 'upstream-connect'],
  ...['logout', 'signed-out', 'onward'],
];
const signInStates = states.filter(({ view }) => views.includes(view));
const addressOf = (name: string, locale = 'en'): string => {
  const state = states.find((one) => one.name === name);
  if (state === undefined) throw new Error(`no state ${name}`);
  return `${galleryAddress(state)}?locale=${locale}`;
};

suite('the pages of a sign-in', () => {
  let browser: Browser;
  let server: TestServer;
  onStage((stage) => {
    ({ browser, server } = stage);
  });

  const phone = (options: Parameters<typeof buildVisitor>[2] = {}): Promise<Visitor> =>
    buildVisitor(browser, server, { viewport: { width: 360, height: 740 }, ...options });

  test.each(['en', 'de', 'ar'])(
    'with an application, a passkey, three providers, Cancel and sign-up it fits 360 x 740: %s',
    async (locale) => {
      const { page, problems } = await phone();
      await page.goto(addressOf('login-three-providers', locale));
      await page.locator('form[data-passkey] button').waitFor();
      expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThanOrEqual(740);
      const marks = await page.locator('.providers .mark').evaluateAll((all) => all.map((mark) => mark.tagName));
      expect(marks).toEqual(['svg', 'svg', 'svg']);
      expect(problems).toEqual([]);
    },
  );

  test('each page has one main button; a page of choices and one that goes on by itself have none', async () => {
    const { page } = await phone();
    const found: [string, number][] = [];
    for (const state of signInStates) {
      await page.goto(addressOf(state.name));
      const count = await page.evaluate<number>(`(() => {
        const probe = document.body.appendChild(document.createElement('button'));
        const main = getComputedStyle(probe).backgroundColor;
        probe.remove();
        return [...document.querySelectorAll('button, a.button')]
          .filter((one) => one.checkVisibility() && getComputedStyle(one).backgroundColor === main).length;
      })()`);
      found.push([state.name, count]);
    }
    const wanted = signInStates.map(({ name, view }) => [name, ['chooser', 'onward'].includes(view) ? 0 : 1]);
    expect(found).toEqual(wanted);
  });

  /** Everything that is not the page or its style comes late, after the page has been painted. */
  async function slowly(page: Page): Promise<void> {
    await page.route(/\/(public|brand)\/.*\.(js|svg)/, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await route.continue();
    });
  }
  const shift = (page: Page): Promise<number> =>
    page.evaluate(`new Promise((resolve) => {
      let sum = 0;
      new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) sum += value;
      }).observe({ type: 'layout-shift', buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(sum))));
    })`);

  describe('nothing moves', () => {
    test.each(
      signInStates
        .filter(({ name }) =>
          [
            ...['login-client', 'login-three-providers', 'login-providers', 'login-wrong', 'chooser', 'second-factor'],
            ...[
              'second-factor-mailed',
              'second-factor-passkey',
              'upstream-new',
              'logout',
              'signed-out',
              'longer-password',
            ],
          ].includes(name),
        )
        .map(({ name }) => name),
    )('%s: when scripts and icons arrive late', async (name) => {
      const { page, problems } = await phone();
      await slowly(page);
      await page.goto(addressOf(name), { waitUntil: 'load' });
      if (['login-client', 'second-factor-passkey'].includes(name))
        await page.locator('form[data-passkey] button').waitFor();
      expect(await shift(page)).toBe(0);
      expect(problems).toEqual([]);
    });

    test('the place of the passkey button is kept until its script is there', async () => {
      const { page } = await phone();
      await slowly(page);
      await page.goto(addressOf('login-three-providers'), { waitUntil: 'commit' });
      const list = page.locator('.providers');
      await list.waitFor();
      const before = await list.boundingBox();
      await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
      expect(await list.boundingBox()).toEqual(before);
    });
  });

  describe('no place is kept', () => {
    const height = (page: Page) => page.locator('form[data-passkey]').evaluate((form) => form.getClientRects().length);

    test('with JavaScript off', async () => {
      const { page } = await phone({ javaScriptEnabled: false });
      await page.goto(addressOf('login-three-providers'));
      expect(await height(page)).toBe(0);
    });

    test('in a browser without passkeys', async () => {
      const { page, problems } = await phone();
      await page.addInitScript('delete window.PublicKeyCredential');
      await page.goto(addressOf('login-three-providers'));
      expect(await height(page)).toBe(0);
      expect(problems).toEqual([]);
    });
  });

  test('the marks of providers are loaded only where providers are shown', async () => {
    const { page } = await phone();
    const loaded = () =>
      page.evaluate(`performance.getEntriesByType('resource').some(({ name }) => name.includes('providers.svg'))`);
    await page.goto(addressOf('login-client'));
    expect(await loaded()).toBe(false);
    await page.goto(addressOf('login-three-providers'));
    expect(await loaded()).toBe(true);
  });
});
