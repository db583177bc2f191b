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

  describe('axe-core finds nothing in any look', () => {
    // One tab for all of them: nothing here has a memory.
    let visitor: Visitor;
    beforeAll(async () => {
      visitor = await buildVisitor(browser, { url });
    });

    test.each(states.map(({ name }) => name))('%s', async (name) => {
      await visitor.page.goto(`/${name}`);
      expect(await flaws(visitor.page)).toEqual([]);
      expect(visitor.problems).toEqual([]);
    });
  });

  test('at 200 % and at 400 % nobody scrolls sideways', async () => {
    const { page } = await buildVisitor(browser, { url }, { deviceScaleFactor: 2 });
    const wide: string[] = [];
    for (const [width, height] of [
      [640, 400],
      [320, 256],
    ] as const) {
      await page.setViewportSize({ width, height });
      for (const { name } of states) {
        await page.goto(`/${name}`);
        if (await sticksOut(page)) wide.push(`${name} at ${width} px`);
      }
    }
    expect(wide).toEqual([]);
  });

  test('with text alone twice as large nobody scrolls sideways', async () => {
    const { page } = await buildVisitor(browser, { url }, { viewport: { width: 640, height: 800 } });
    const wide: string[] = [];
    for (const { name } of states) {
      await page.goto(`/${name}`);
      await page.evaluate(`document.documentElement.style.fontSize = '200%'`);
      if (await sticksOut(page)) wide.push(name);
    }
    expect(wide).toEqual([]);
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

  test('no state fetches anything from elsewhere, and a whole page stays under 30 KB', async () => {
    const { page, context, problems } = await buildVisitor(browser, { url });
    let size = 0;
    const measured: Promise<void>[] = [];
    context.on('response', (response) => {
      measured.push(
        response.body().then((body) => {
          size += body.length;
        }),
      );
    });
    const heavy: string[] = [];
    for (const { name } of states.filter(({ view }) => view !== 'playground')) {
      size = 0;
      await page.goto(`/${name}`);
      await Promise.all(measured.splice(0));
      if (size > 30_000) heavy.push(`${name}: ${size}`);
    }
    expect(heavy).toEqual([]);
    expect(problems).toEqual([]);
  });

  describe('by keyboard alone', () => {
    /** Presses Tab from the top to the end: what gets the focus, in order. */
    async function tabOrder(page: Page): Promise<{ name: string; outline: string }[]> {
      await page.evaluate('document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex")');
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
