/** Every page is usable by keyboard alone and with less motion. What axe-core says of each is in gallery.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { galleryAddress } from '../../dev/gallery/gallery.ts';
import { states } from '../../src/pages/states.ts';
import { buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { tabFlaws } from './tab-walk.ts';

const suite = describeWith('Chromium');
const everyLook = process.env.TEST_LOOKS === 'all';
/** Each page in its fullest state, or in every one. */
const walked = everyLook
  ? states
  : Object.values(Object.groupBy(states, ({ view }) => view)).flatMap((all = []) => {
      const size = (locals: object) => JSON.stringify(locals).length;
      return all.toSorted((a, b) => size(b.locals) - size(a.locals)).slice(0, 1);
    });

suite('accessibility', () => {
  let browser: Browser;
  let server: TestServer;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer()]);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  test('less motion where it is asked for', async () => {
    const { page } = await buildVisitor(browser, server, { reducedMotion: 'reduce' });
    await page.goto('/gallery/login/login-client');
    const moving = await page.evaluate(`(() => {
      document.querySelector('button[type=submit]').setAttribute('aria-busy', 'true');
      return document.getAnimations().map((animation) => animation.effect.getTiming().duration);
    })()`);
    expect(moving).toEqual([4000]);
  });

  describe('by keyboard alone', () => {
    const foot = ['About this service', 'Language: English'];

    /** Presses Tab from the top to the end: what gets the focus, in order. */
    async function tabOrder(page: Page): Promise<{ name: string; outline: string }[]> {
      await page.evaluate(
        'document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex")',
      );
      const order: { name: string; outline: string }[] = [];
      for (;;) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate<{ name: string; outline: string } | null>(`(() => {
          const element = document.activeElement;
          if (element === document.body) return null;
          const style = getComputedStyle(element);
          const name = element.labels?.[0]?.textContent || element.getAttribute('aria-label') || element.textContent;
          return { name: name.trim(), outline: style.outlineStyle + ' ' + style.outlineWidth };
        })()`);
        if (!focused || order.length > 40) return order;
        order.push(focused);
      }
    }

    test.each([
      [
        '/gallery/login/login-client',
        [
          'bookshelf.example',
          'Username or e-mail',
          'Password',
          'Show password',
          'Forgot password?',
          'Stay signed in Not on a shared device.',
          'Sign in',
          'Sign in with a passkey',
          'Create an account',
          'Cancel',
          ...foot,
        ],
      ],
      [
        '/gallery/second-factor/second-factor',
        ['Not you?', 'Code', 'Continue', 'Use a recovery code instead', 'Cancel', ...foot],
      ],
      ['/gallery/consent/consent', ['bookshelf.example', 'Not you?', 'Deny', 'Allow', ...foot]],
      ['/gallery/logout/logout', ['Stay signed in', 'Sign out', ...foot]],
      ['/gallery/stale/stale', ['Start again', ...foot]],
    ])('%s: in reading order, and always to be seen', async (address, expected) => {
      const { page } = await buildVisitor(browser, server);
      await page.goto(`${address}?locale=en`);
      const order = await tabOrder(page);
      expect(order.map(({ name }) => name)).toEqual(expected);
      // Fields have a border of their own, so their outline is thinner.
      expect(order.filter(({ outline }) => !/^solid [23]px$/.test(outline))).toEqual([]);
    });

    test.each(walked.map((state) => [state.name, state] as const))(
      '%s: Tab comes to everything, downwards, and the focus is to be seen, in forced colours too',
      async (_, state) => {
        const { page } = await buildVisitor(browser, server, { viewport: { width: 360, height: 740 } });
        for (const [locale, forcedColors] of [
          ['en', 'none'],
          ['ar', 'active'],
        ] as const) {
          await page.emulateMedia({ forcedColors });
          await page.goto(`${galleryAddress(state)}?locale=${locale}`);
          expect([locale, await tabFlaws(page)]).toEqual([locale, []]);
        }
        await closeVisitors(browser);
      },
    );
  });
});
