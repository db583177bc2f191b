/** Every page in every state: axe-core, light and dark, narrow and wide, enlarged, by keyboard, with less motion. */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { hardenPage } from '../../src/http/hardening.ts';
import { createRenderer } from '../../src/http/render.ts';
import { serveStatic } from '../../src/http/static.ts';
import { loadTexts } from '../../src/http/texts.ts';
import { states } from '../http/view-states.ts';
import { buildVisitor, chromiumIsTested, launchChromium, type Visitor } from '../support/chromium.ts';
import { freePort } from '../support/server.ts';
import { flaws, sticksOut } from './looks.ts';

const suite = chromiumIsTested('accessibility') ? describe : describe.skip;
const root = join(import.meta.dirname, '../..');

suite('accessibility', () => {
  let browser: Browser;
  let gallery: Server;
  let url: string;

  beforeAll(async () => {
    browser = await launchChromium();
    const texts = loadTexts(join(root, 'views/texts'));
    const statics = serveStatic(join(root, 'public'));
    const { render } = createRenderer({ viewsDir: join(root, 'views'), brandName: 'Gatehouse', texts, statics });
    // Each state at an address of its own, with the headers it has on the server.
    gallery = createServer((request, response) => {
      const path = request.url?.split('?')[0] ?? '';
      const file = statics(path);
      const state = states.find(({ name }) => path === `/${name}`);
      hardenPage(response, false);
      response.statusCode = file || state ? 200 : 404;
      response.setHeader('Content-Type', file?.type ?? 'text/html; charset=utf-8');
      response.end(file?.body ?? (state && render(state.view, state.locals, { locale: 'en' })));
    });
    const port = await freePort();
    url = `http://localhost:${port}`;
    await new Promise<void>((resolve) => gallery.listen(port, 'localhost', resolve));
  });
  afterAll(async () => {
    await browser.close();
    gallery.closeAllConnections();
    gallery.close();
  });

  describe('every state: axe-core finds nothing, nobody scrolls sideways, and the page is small', () => {
    // One tab for all of them: nothing here has a memory.
    let visitor: Visitor;
    beforeAll(async () => {
      visitor = await buildVisitor(browser, { url });
    });

    test.each(states.map(({ name, view }) => [name, view]))('%s', async (name, view) => {
      const { page, problems } = visitor;
      await page.goto(`/${name}`);
      if (view !== 'playground') expect(await weight(page)).toBeLessThan(30_000);
      expect(await flaws(page)).toEqual([]);

      // A browser's zoom of 200 % on a wide screen; 400 % is among the looks above. Then text alone twice as large.
      await page.setViewportSize({ width: 640, height: 400 });
      expect(await sticksOut(page)).toBe(false);
      await page.evaluate(`document.documentElement.style.fontSize = '200%'`);
      expect(await sticksOut(page)).toBe(false);
      expect(problems).toEqual([]);
    });
  });

  test('less motion where it is asked for', async () => {
    const { page } = await buildVisitor(browser, { url }, { reducedMotion: 'reduce' });
    await page.goto('/login-client');
    const moving = await page.evaluate(`(() => {
      document.querySelector('button[type=submit]').setAttribute('aria-busy', 'true');
      return document.getAnimations().map((animation) => animation.effect.getTiming().duration);
    })()`);
    expect(moving).toEqual([4000]);
  });

  describe('by keyboard alone', () => {
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
        'login-client',
        [
          'bookshelf.example',
          'Username or e-mail',
          'Forgotten?',
          'Password',
          'Show password',
          'Sign in',
          'Cancel',
          'Create an account',
          'About this sign-in service',
        ],
      ],
      [
        'second-factor',
        ['Not you?', 'Code', 'Continue', 'Cancel', 'Use a recovery code instead', 'About this sign-in service'],
      ],
      ['consent', ['bookshelf.example', 'Not you?', 'Deny', 'Allow', 'About this sign-in service']],
      ['logout', ['Stay signed in', 'Sign out', 'About this sign-in service']],
      ['stale', ['Start again', 'About this sign-in service']],
    ])('%s: in reading order, and always to be seen', async (name, expected) => {
      const { page } = await buildVisitor(browser, { url });
      await page.goto(`/${name}`);
      const order = await tabOrder(page);
      expect(order.map(({ name }) => name)).toEqual(expected);
      expect(new Set(order.map(({ outline }) => outline))).toEqual(new Set(['solid 3px']));
    });
  });
});

/** Bytes of the page and all its parts, unpacked. */
function weight(page: Page): Promise<number> {
  return page.evaluate(`['navigation', 'resource']
    .flatMap((type) => performance.getEntriesByType(type))
    .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0)`);
}
