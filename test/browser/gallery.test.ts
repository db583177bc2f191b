/**
 * The gallery, walked: every page in every state, as the server shows it. Here each state is looked at on the narrowest phone in the
 * light and on a wide screen in the dark; `node test/browser/screenshots.ts DIR --all` looks at all of them in every look and
 * language, and takes a picture of each.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { galleryAddress } from '../../src/gallery/gallery.ts';
import { states } from '../../src/gallery/states.ts';
import { buildVisitor, chromiumIsTested, launchChromium, type Visitor } from '../support/chromium.ts';
import { sampling } from '../support/sample.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { flaws, sticksOut, twoLooks, weight, withAxe } from './looks.ts';

const suite = chromiumIsTested('gallery') ? describe : describe.skip;
/** One of each page: the others differ in a sentence. */
const firsts = Object.values(Object.groupBy(states, ({ view }) => view)).flatMap(([first]) => first ?? []);
/** Tools for developers, made of what they are about. */
const heavy = ['playground', 'openapi', 'openapi-api', 'gallery'];

suite('gallery', () => {
  let browser: Browser;
  let server: TestServer;
  // One tab for all of them: nothing here has a memory.
  let visitor: Visitor;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer()]);
    visitor = await buildVisitor(browser, server);
    await withAxe(visitor.context);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  test('lists every state, in each language', async () => {
    const { page, problems } = visitor;
    await page.goto('/gallery');
    const links = await page.locator('main section a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    expect(links.sort()).toEqual(states.map((state) => `${galleryAddress(state)}?locale=en`).sort());
    await page.getByRole('link', { name: 'العربية' }).click();
    expect(await page.locator('main section a').first().getAttribute('href')).toMatch(/\?locale=ar$/);
    expect(problems).toEqual([]);
  });

  test.each((sampling ? firsts : states).map((state, at) => [state.name, state, at] as const))(
    '%s: nothing for axe-core, nobody scrolls sideways, and the page is small',
    async (_, state, at) => {
      const { page, problems } = visitor;
      const before = problems.length;
      await page.goto(`${galleryAddress(state)}?locale=en`);
      if (!heavy.includes(state.view)) expect(await weight(page)).toBeLessThan(30_000);
      // Half of the states in the one look, half in the other; the first of each page in both, unless they are all there is.
      expect(
        await flaws(page, !sampling && firsts.includes(state) ? twoLooks : twoLooks.slice(at % 2, (at % 2) + 1)),
      ).toEqual([]);

      // A browser's zoom of 200 % on a wide screen, 400 % on the same; then text alone twice as large.
      for (const width of [640, 320]) {
        await page.setViewportSize({ width, height: 400 });
        expect(await sticksOut(page)).toBe(false);
      }
      await page.setViewportSize({ width: 640, height: 400 });
      await page.evaluate(`document.documentElement.style.fontSize = '200%'`);
      expect(await sticksOut(page)).toBe(false);
      // The playground's program asks a server that is not this one.
      if (state.view !== 'playground') expect(problems.slice(before)).toEqual([]);
    },
  );

  test.each(sampling ? ['ar'] : ['ar', 'de'])('every page once in the language %s', async (locale) => {
    const { page, problems } = visitor;
    const before = problems.length;
    for (const state of firsts.filter(({ view }) => view !== 'playground')) {
      await page.goto(`${galleryAddress(state)}?locale=${locale}`);
      expect(await page.evaluate('document.dir + document.documentElement.lang')).toBe(
        locale === 'ar' ? 'rtlar' : `ltr${locale}`,
      );
      expect([state.name, await flaws(page, twoLooks.slice(0, 1))]).toEqual([state.name, []]);
    }
    expect(problems.slice(before)).toEqual([]);
  });

  test('there is none in production', async () => {
    const production = await startServer({ env: { NODE_ENV: 'production', SECRET_KEY: 'x'.repeat(40) } });
    for (const address of ['/gallery', '/gallery/login/login-plain'])
      expect((await fetch(production.url + address)).status).toBe(404);
    await production.close();
  });
});
