/** Somebody who does not read the language that they met: two clicks, no script, and the whole way goes on in theirs. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { arrived, buildVisitor, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { authorizeAddress } from './journey.ts';

const suite = describeWith('Chromium');

suite('languages', () => {
  let browser: Browser;
  let server: TestServer;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer()]);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  test.each([
    ['Deutsch', 'de', 'ltr', 'Anmelden', 'Erlauben'],
    ['العربية', 'ar', 'rtl', 'تسجيل الدخول', 'سماح'],
  ])('%s, chosen in the middle of a sign-in, holds to its end', async (name, lang, dir, signIn, allow) => {
    const [client, person] = [await buildClient(server), await buildPerson(server)];
    const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled: false, locale: 'en-GB' });
    await page.goto(authorizeAddress(server, client));
    const login = page.url();
    await page.getByRole('link', { name: 'Language: English' }).click();
    await page.getByRole('button', { name, exact: true }).click();
    expect(page.url()).toBe(login);
    expect(await page.locator('html').getAttribute('lang')).toBe(lang);
    expect(await page.locator('html').getAttribute('dir')).toBe(dir);
    await page.locator('#username').fill(person.username);
    await page.locator('#password').fill(password);
    await page.getByRole('button', { name: signIn, exact: true }).click();
    await page.getByRole('button', { name: allow, exact: true }).click();
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('in Arabic the mirror image of English, but for what is never mirrored', async () => {
    const { page } = await buildVisitor(browser, server, { viewport: { width: 600, height: 900 } });
    const places = async (locale: string) => {
      await page.goto(`/gallery/login/login-client?locale=${locale}`);
      return page.evaluate<Record<'brand' | 'reveal' | 'forgot', number>>(`Object.fromEntries(
        Object.entries({ brand: '.brand svg', reveal: '.reveal', forgot: '.field a' }).map(([name, selector]) => {
          const { left, right } = document.querySelector(selector).getBoundingClientRect();
          return [name, (left + right) / 2];
        }))`);
    };
    const [english, arabic] = [await places('en'), await places('ar')];
    expect(english.brand).toBeLessThan(300);
    expect(arabic.brand).toBeCloseTo(600 - english.brand, 0);
    expect(arabic.reveal).toBeCloseTo(600 - english.reveal, 0);
    expect(arabic.forgot).toBeLessThan(300);

    await page.goto('/gallery/second-factor/second-factor?locale=ar');
    expect(await page.evaluate(`getComputedStyle(document.querySelector('#code')).direction`)).toBe('ltr');
    await page.goto('/gallery/consent/consent?locale=ar');
    for (const text of ['Bookshelf', 'ada@example.org'])
      expect(await page.locator('bdi', { hasText: text }).first().count()).toBe(1);
  });
});
