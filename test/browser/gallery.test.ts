/**
 * The gallery, walked: every page in every state, as the server shows it, left to right and right to left, in light and dark, on the
 * narrowest phone and on a wide screen; with TEST_LOOKS=all in every combination of these, in German, and in forced colours.
 * `node test/browser/screenshots.ts DIR --all` takes a picture of each as well.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { galleryAddress } from '../../dev/gallery/gallery.ts';
import { mailNames } from '../../dev/gallery/mails.ts';
import type { ViewState } from '../../src/pages/kit/state.ts';
import { states } from '../../src/pages/states.ts';
import { buildVisitor, launchChromium, type Visitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { flaws, type Look, looks, looksWithForced, sticksOut, twoLooks, unfolded, weight, withAxe } from './looks.ts';
import { type SlowLine, slowDown } from './shifts.ts';

const suite = describeWith('Chromium');
const everyLook = process.env.TEST_LOOKS === 'all';
/** One of each page: the others differ in a sentence. */
const firsts = Object.values(Object.groupBy(states, ({ view }) => view)).flatMap(([first]) => first ?? []);
/** Tools for developers, made of what they are about. */
const heavy = ['playground', 'openapi', 'openapi-api', 'gallery'];

/** In the gallery, the playground writes that it is at another address than its own, and what it could not load. */
const movesByItself: readonly string[] = ['playground'];

/** One load of each language for all its looks. Left to right has those that right to left has not: together they are all four. */
function looksOf(state: ViewState): Readonly<Record<string, readonly Look[]>> {
  if (everyLook) return { en: looksWithForced, ar: looksWithForced, de: looksWithForced };
  // The other states of a page differ in a part: the narrow light one and the wide dark one, one in each direction.
  if (!firsts.includes(state)) return { en: twoLooks.slice(0, 1), ar: twoLooks.slice(1) };
  const others = looks.filter((look) => !twoLooks.includes(look));
  return { en: twoLooks, ar: others, de: twoLooks.slice(0, 1) };
}

suite('gallery', () => {
  let browser: Browser;
  let server: TestServer;
  // One tab for all of them: nothing here has a memory.
  let visitor: Visitor;
  let slowLine: SlowLine;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer()]);
    // Times are written anew in the time zone of the reader, not of this machine.
    visitor = await buildVisitor(browser, server, { timezoneId: 'Europe/Berlin' });
    await withAxe(visitor.context);
    slowLine = await slowDown(visitor);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  test('lists every state, in each language', async () => {
    const { page, problems } = visitor;
    await page.goto('/gallery');
    const links = await page.locator('main section a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    const mails = mailNames.map((name) => ({ view: 'mail', name }));
    expect(links.sort()).toEqual([...states, ...mails].map((state) => `${galleryAddress(state)}?locale=en`).sort());
    await page.getByRole('link', { name: 'العربية' }).click();
    expect(await page.locator('main section a').first().getAttribute('href')).toMatch(/\?locale=ar$/);
    expect(problems).toEqual([]);
  });

  test.each(states.map((state) => [state.name, state] as const))(
    '%s: nothing for axe-core, no sideways scroll, nothing moves by itself, and the page is small',
    async (_, state) => {
      const { page, problems } = visitor;
      const before = problems.length;
      for (const [locale, seen] of Object.entries(looksOf(state))) {
        const [first] = seen;
        if (first) await page.setViewportSize({ width: first.width, height: 800 });
        const slowStyles = locale === 'en' && firsts.includes(state) ? 50 : 0;
        const moved = await slowLine.goto(`${galleryAddress(state)}?locale=${locale}`, { slowStyles });
        if (!movesByItself.includes(state.view)) expect([locale, moved]).toEqual([locale, []]);
        expect(await page.evaluate('document.dir + document.documentElement.lang')).toBe(
          locale === 'ar' ? 'rtlar' : `ltr${locale}`,
        );
        expect([locale, await flaws(page, seen)]).toEqual([locale, []]);
        const folded = await unfolded(page, async (what) => [
          what,
          await flaws(page, everyLook ? seen : seen.slice(0, 1)),
        ]);
        expect(folded.filter(([, found]) => found?.length)).toEqual([]);
        if (locale !== 'en') continue;
        if (!heavy.includes(state.view)) expect(await weight(page)).toBeLessThan(30_000);
        // A browser's zoom of 200 % on a wide screen, 400 % on the same; then text alone twice as large.
        for (const width of [640, 320]) {
          await page.setViewportSize({ width, height: 400 });
          expect(await sticksOut(page)).toBe(false);
        }
        await page.setViewportSize({ width: 640, height: 400 });
        await page.evaluate(`document.documentElement.style.fontSize = '200%'`);
        expect(await sticksOut(page)).toBe(false);
      }
      // The playground's program asks a server that is not this one.
      if (state.view !== 'playground') expect(problems.slice(before)).toEqual([]);
    },
  );

  test('there is none in production', async () => {
    const production = await startServer({ env: { NODE_ENV: 'production', SECRET_KEY: 'x'.repeat(40) } });
    for (const address of ['/gallery', '/gallery/login/login-plain'])
      expect((await fetch(production.url + address)).status).toBe(404);
    await production.close();
  });
});
