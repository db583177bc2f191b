/** A person's own pages, as a person meets them. What they let through and what not is in test/pages/account. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { codeOf } from '../support/authenticator.ts';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { comeBack, refresh, tokensFor, travel } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { authorizeAddress, keepCodes, signIn } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('the account pages', () => {
  let browser: Browser;
  let server: TestServer;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer()]);
  });
  afterEach(async () => {
    comeBack();
    await closeVisitors(browser);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
  const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true, level: 1 }).waitFor();
  const said = async (page: Page) => (await page.getByRole('status').first().textContent()) ?? '';

  async function home(options: { javaScriptEnabled?: boolean; userAgent?: string } = {}, path = '/account') {
    const person = await buildPerson(server);
    const visitor = await buildVisitor(browser, server, options);
    await visitor.page.goto(path);
    await signIn(visitor.page, person);
    await visitor.page.waitForURL((url) => url.pathname === path);
    return { ...visitor, person };
  }

  async function elsewhere(person: { username: string }, options: { userAgent?: string } = {}) {
    const visitor = await buildVisitor(browser, server, options);
    await visitor.page.goto('/account');
    await signIn(visitor.page, person);
    return visitor;
  }

  for (const javaScriptEnabled of [true, false]) {
    describe(`JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, () => {
      test('an authenticator app: set up from what the page shows, and needed at the next sign-in', async () => {
        const { page, person, problems } = await home({ javaScriptEnabled });
        await page.goto('/account/security');
        await press(page, 'Set up an app');
        await heading(page, 'Set up an authenticator app');
        await page.getByRole('img', { name: /QR code/ }).waitFor();
        if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
        // For an app on the same device: only where there may be one.
        const opens = page.getByRole('link', { name: 'Open authenticator app' });
        expect(await opens.isVisible()).toBe(false);
        await page.setViewportSize({ width: 360, height: 740 });
        expect(await opens.getAttribute('href')).toMatch(/^otpauth:\/\/totp\//);
        await page.setViewportSize({ width: 1280, height: 800 });
        expect(await page.getByRole('button', { name: 'Copy' }).isVisible()).toBe(javaScriptEnabled);
        const secret = ((await page.locator('.secret-key').textContent()) ?? '').replaceAll(' ', '');
        await page.getByLabel('Code from the app').fill(codeOf(secret));
        await press(page, 'Confirm');
        await heading(page, 'Save your recovery codes');
        expect(await page.locator('.codes li').count()).toBe(10);
        if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
        const download = page.waitForEvent('download');
        await press(page, 'Download');
        expect((await download).suggestedFilename()).toBe('recovery-codes.txt');
        await keepCodes(page);
        await page.getByText('Your recovery codes are saved').waitFor();
        // The name comes last, and can be left as it is.
        const name = page.getByLabel('Name', { exact: true });
        expect(await name.inputValue()).toBe('Authenticator app');
        await name.fill('phone');
        await press(page, 'Save');
        await page.getByRole('heading', { name: 'phone' }).waitFor();
        if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);

        travel(30);
        const other = await elsewhere(person);
        await other.page.getByLabel('Code', { exact: true }).fill(codeOf(secret));
        await press(other.page, 'Continue');
        await heading(other.page, 'Your account');
        expect([...problems, ...other.problems]).toEqual([]);
      });

      test('another session is ended, and is dead', async () => {
        const { page, person, problems } = await home({ javaScriptEnabled }, '/account/sessions');
        const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
        const other = await elsewhere(person, { userAgent: firefox });
        await heading(other.page, 'Your account');
        await page.reload();
        await page.getByRole('link', { name: 'End Firefox on Windows' }).click();
        await press(page, 'End the session');
        await page.getByText('That session has ended').waitFor();
        await other.page.goto('/account/profile');
        await heading(other.page, 'Sign in');
        expect(problems).toEqual([]);
      });

      test('an application is disconnected: it cannot refresh, and asks again', async () => {
        const client = await buildClient(server, { client_name: 'Bookshelf' });
        const { page, person, problems } = await home({ javaScriptEnabled });
        const scope = { scope: 'openid offline_access', extra: { prompt: 'consent' } };
        const { body } = await tokensFor(server, client, { ...scope, person });
        // From the overview, in two clicks, and back there.
        await page.reload();
        await page.getByRole('link', { name: 'Disconnect Bookshelf' }).click();
        await press(page, 'Disconnect');
        await page.getByText('no longer has access').waitFor();
        expect(new URL(page.url()).pathname).toBe('/account');
        expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
        await page.goto(authorizeAddress(server, client));
        await heading(page, 'Allow Bookshelf to use your account?');
        expect(problems).toEqual([]);
      });

      test('a new password: refused with its reason, then set, here and elsewhere', async () => {
        const { page, person, problems } = await home({ javaScriptEnabled }, '/account/password');
        const other = await elsewhere(person);
        await page.getByLabel('Current password', { exact: true }).fill(password);
        await page.getByLabel('New password', { exact: true }).fill('password password');
        await press(page, 'Set the new password');
        await page.getByText('Too common').waitFor();
        expect(await page.locator(':focus').getAttribute('name')).toBe('password');
        expect(await page.getByLabel('Current password', { exact: true }).inputValue()).toBe('');
        if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
        await page.getByLabel('Current password', { exact: true }).fill(password);
        await page.getByLabel('New password', { exact: true }).fill('nine owls in the attic');
        await press(page, 'Set the new password');
        await page.getByText('Your password is set').waitFor();
        await other.page.goto('/account/profile');
        await signIn(other.page, person, 'nine owls in the attic');
        await heading(other.page, 'Profile');
        expect([...problems, ...other.problems]).toEqual([]);
      });

      test('the account is deleted when its name has been typed', async () => {
        const { page, person, problems } = await home({ javaScriptEnabled }, '/account/data');
        const file = page.waitForEvent('download');
        await page.getByRole('link', { name: 'Download your data' }).click();
        expect((await file).suggestedFilename()).toBe('account.json');
        await page.getByRole('link', { name: /Delete the account/ }).click();
        await page.getByLabel(/type your username/).fill('somebody');
        await press(page, 'Delete permanently');
        await page.getByText(/That is not your username/).waitFor();
        expect(await page.locator(':focus').getAttribute('aria-invalid')).toBe('true');
        await page.getByLabel(/type your username/).fill(person.username);
        await press(page, 'Delete permanently');
        await heading(page, 'Your account is deleted');
        await page.goto('/account');
        await signIn(page, person);
        expect(await page.locator('#problem').textContent()).toMatch(/Incorrect username or password/);
        expect(problems).toEqual([]);
      });

      test('pressing twice is harmless', async () => {
        const { page, problems } = await home({ javaScriptEnabled }, '/account/profile');
        await page.getByLabel('First name').fill('Ada');
        await page.getByRole('button', { name: 'Save' }).dblclick();
        await page.getByText('Your profile is saved').waitFor();
        expect(await page.getByLabel('First name').inputValue()).toBe('Ada');
        expect(problems).toEqual([]);
      });
    });
  }

  test('every page, with what there is on it: no flaw in any look', async () => {
    const { page, problems } = await home();
    const lists = ['', '/sessions', '/connections', '/applications', '/activity'];
    for (const section of [...lists, '/profile', '/email', '/security', '/data', '/delete']) {
      await page.goto(`/account${section}`);
      expect([section, await flaws(page)]).toEqual([section, []]);
    }
    expect(problems).toEqual([]);
  });

  test('the first field has the focus, or the one that is wrong, and the heading is still in sight', async () => {
    const { page, problems } = await home();
    await page.setViewportSize({ width: 320, height: 640 });
    for (const [path, name] of [
      ['/account/profile', 'first_name'],
      ['/account/email', 'email'],
      ['/account/delete', 'username'],
    ] as const) {
      await page.goto(path);
      await page.locator(`[name=${name}]:focus`).waitFor();
      const top = await page.evaluate<number>('document.querySelector("h1").getBoundingClientRect().top');
      expect([path, top >= 0]).toEqual([path, true]);
    }
    await page.goto('/account/profile');
    await page.getByLabel('Last name').fill('x'.repeat(300));
    await press(page, 'Save');
    await page.locator('[name=last_name][aria-invalid]:focus').waitFor();
    expect(problems).toEqual([]);
  });

  test('by keyboard alone: from the overview to a saved name', async () => {
    const { page, problems } = await home();
    const tabTo = async (name: string) => {
      for (let tabs = 0; tabs < 40; tabs += 1) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate<string>(
          'document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent',
        );
        if (focused.trim() === name) return;
      }
      throw new Error(`no way to ${name}`);
    };
    await tabTo('Profile');
    await page.keyboard.press('Enter');
    await heading(page, 'Profile');
    await tabTo('First name');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Grace');
    await page.keyboard.press('Enter');
    expect(await said(page)).toContain('Your profile is saved');
    expect(problems).toEqual([]);
  });

  test('times are the reader’s own; without JavaScript they are UTC, and say so', async () => {
    const person = await buildPerson(server);
    for (const [javaScriptEnabled, utc] of [
      [true, false],
      [false, true],
    ] as const) {
      const { page } = await buildVisitor(browser, server, { javaScriptEnabled, timezoneId: 'Asia/Kolkata' });
      await page.goto('/account');
      await signIn(page, person);
      const time = page.locator('time:not([data-ago])').first();
      expect((await time.textContent())?.endsWith('UTC')).toBe(utc);
      expect(await time.getAttribute('datetime')).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    }
  });

  test('activity is under the days of the reader; without JavaScript under those in UTC, and the page says so', async () => {
    const person = await buildPerson(server);
    const event = {
      event: 'sign_out',
      subject: person.subject,
      clientId: null,
      address: null,
      requestId: null,
      detail: {},
    };
    const times = ['2026-01-09T10:00:00Z', '2026-01-10T12:00:00Z', '2026-01-10T23:30:00Z'];
    await server.core.stores.audit.append(times.map((time) => ({ ...event, atMs: Date.parse(time) })));
    for (const [javaScriptEnabled, days] of [
      [true, ['Sunday, January 11, 2026', 'Saturday, January 10, 2026', 'Friday, January 9, 2026']],
      [false, ['Saturday, January 10, 2026', 'Friday, January 9, 2026']],
    ] as const) {
      const { page } = await buildVisitor(browser, server, { javaScriptEnabled, timezoneId: 'Asia/Kolkata' });
      await page.goto('/account/activity');
      await signIn(page, person);
      await heading(page, 'Activity');
      const shown = await page.locator('.days > h2').allTextContents();
      expect(shown.slice(-days.length)).toEqual(days);
      expect(shown).toHaveLength(days.length + 1);
      expect(await page.locator('.days > ul').count()).toBe(shown.length);
      const last = await page.locator('.days li time').last().textContent();
      expect(last).toBe(javaScriptEnabled ? '3:30 PM' : '10:00 AM UTC');
      // With JavaScript its content is text, and none of it is shown.
      expect(await page.locator('noscript p').count()).toBe(javaScriptEnabled ? 0 : 1);
    }
  });

  test('a question opens in a dialog: Escape and Cancel leave everything as it is and lead back to the link', async () => {
    const { page, person, problems } = await home();
    await elsewhere(person, { userAgent: 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0' });
    await page.goto('/account/sessions');
    const end = page.getByRole('link', { name: 'End Firefox on Windows' });
    for (const leave of ['Escape', 'Cancel']) {
      await end.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'End the session of Firefox on Windows?' });
      await dialog.waitFor();
      expect(await flaws(page)).toEqual([]);
      if (leave === 'Escape') await page.keyboard.press('Escape');
      else await dialog.getByRole('link', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'detached' });
      expect(await page.evaluate<string>('document.activeElement.textContent')).toContain('End');
    }
    await page.getByRole('link', { name: 'Sign out everywhere else' }).click();
    await page.getByRole('dialog', { name: 'End one other session?' }).waitFor();
    await press(page, 'Sign out everywhere else');
    await page.getByText('You are signed out everywhere else').waitFor();
    expect(await end.count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('what ended meanwhile is no longer there: the page says so instead of the dialog', async () => {
    const { page, person } = await home();
    const other = await elsewhere(person, { userAgent: 'curl/8' });
    await page.goto('/account/sessions');
    await other.page.goto('/oauth/logout');
    await press(other.page, 'Sign out');
    await page.getByRole('link', { name: 'End curl' }).click();
    await page.getByRole('heading', { level: 1, name: /not found/i }).waitFor();
  });

  test('the menu of the person: by mouse, by keyboard and without JavaScript, to the way out', async () => {
    // Nothing that can be pressed is half under the open menu.
    const { page, problems } = await home({}, '/account/activity');
    const summary = page.locator('.menu > summary');
    const out = page.locator('.menu').getByRole('link', { name: 'Sign out' });
    await summary.click();
    expect(await out.isVisible()).toBe(true);
    expect(await flaws(page)).toEqual([]);
    await page.getByRole('heading', { level: 1 }).click();
    expect(await out.isVisible()).toBe(false);
    await summary.focus();
    await page.keyboard.press('Enter');
    expect(await out.isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    expect(await out.isVisible()).toBe(false);
    expect(await page.evaluate<string>('document.activeElement.tagName')).toBe('SUMMARY');
    await page.keyboard.press('Space');
    for (let tabs = 0; tabs < 3; tabs += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/oauth/logout**');
    expect(problems).toEqual([]);

    const without = await home({ javaScriptEnabled: false });
    await without.page.locator('.menu > summary').click();
    await without.page.locator('.menu').getByRole('link', { name: 'Security' }).click();
    await without.page.goto('/account/data');
    await without.page.locator('.menu > summary').click();
    await without.page.locator('.menu').getByRole('link', { name: 'Sign out' }).click();
    await without.page.waitForURL('**/oauth/logout**');
  });

  test('on a phone the overview leads to every page of the account', async () => {
    const { page } = await home();
    await page.setViewportSize({ width: 360, height: 740 });
    const links = page.getByRole('navigation', { name: 'All pages of your account' }).getByRole('link');
    expect(await links.allTextContents()).toEqual([
      ...['Profile', 'Security', 'Devices and sessions', 'Connected applications', 'Your applications'],
      ...['Activity', 'Your data'],
    ]);
    for (const link of await links.all()) expect((await link.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await page.setViewportSize({ width: 1280, height: 740 });
    expect(await links.count()).toBe(0);
  });

  test('a sign-in at an application opens the pages too, and they bring the person back there', async () => {
    const client = await buildClient(server);
    const { page } = await home();
    await page.goto(authorizeAddress(server, client));
    await press(page, 'Allow');
    expect((await arrived(page)).has('code')).toBe(true);
  });
});
