/** Making an account, as a person sees it. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { linkIn, mailTo } from '../support/mail.ts';
import { buildClient, password, startServer, type TestServer } from '../support/server.ts';
import { allow, authorizeAddress, goBack, goForward, redirectUri } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('sign-up in a browser', () => {
  let server: TestServer;
  let browser: Browser;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await startServer({ env: { THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000' } });
    browser = await launchChromium();
    client = await buildClient(server, { redirect_uris: [redirectUri] });
  });
  afterEach(() => closeVisitors(browser));
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  let number = 0;
  const fresh = () => {
    number += 1;
    return { username: `browser${number}`, email: `browser${number}@example.org`, password };
  };
  const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
  async function fillIn(page: Page, form: { username: string; email: string; password: string }): Promise<void> {
    await field(page, 'Username').fill(form.username);
    await field(page, 'E-mail').fill(form.email);
    await field(page, 'Password').fill(form.password);
  }
  const create = (page: Page) => page.getByRole('button', { name: 'Create the account' });

  test('from an application and back: an account, consent, and the address confirmed by the link alone', async () => {
    const { page, newTab, problems } = await buildVisitor(browser, server);
    await page.goto(authorizeAddress(server, client));
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByRole('heading', { name: 'Create an account to continue to Bookshelf' }).waitFor();
    expect(await flaws(page)).toEqual([]);
    const form = fresh();
    await fillIn(page, form);
    await create(page).click();
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);

    const mail = await newTab();
    await mail.goto(linkIn(await mailTo(server, form.email, 'confirm-email')));
    await mail.getByRole('heading', { name: 'Your address is confirmed' }).waitFor();
    expect(await flaws(mail)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('fields say what they are to a password manager, the first has the focus, and what is wrong is at its field', async () => {
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/sign-up');
    expect(await page.locator(':focus').getAttribute('name')).toBe('username');
    const kinds = { Username: 'username', 'E-mail': 'email', Password: 'new-password' };
    for (const [name, kind] of Object.entries(kinds)) {
      expect(await field(page, name).getAttribute('autocomplete')).toBe(kind);
    }
    const form = fresh();
    await fillIn(page, { ...form, password: 'too short' });
    await create(page).click();
    await page.locator('#password-error').waitFor();
    // Said once, in its place.
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(await page.locator('#password-strength').textContent()).toBe('');
    expect(await page.locator(':focus').getAttribute('name')).toBe('password');
    expect(await field(page, 'Password').getAttribute('aria-invalid')).toBe('true');
    expect([await field(page, 'Username').inputValue(), await field(page, 'Password').inputValue()]).toEqual([
      form.username,
      '',
    ]);
    expect(await flaws(page)).toEqual([]);
    await field(page, 'Password').fill(password);
    await create(page).click();
    await page.getByRole('heading', { name: 'Check your e-mail' }).waitFor();
    expect(await flaws(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('the hint says how far a password has come', async () => {
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/sign-up');
    await field(page, 'Username').fill('winterlandschaft');
    const hint = page.locator('#password-strength');
    const meter = page.locator('.strength');
    expect(await hint.textContent()).toBe('At least 15 characters. Try a few words.');
    for (const [typed, says] of [
      ['ten letter', '5 more characters'],
      ['aaaaaaaaaaaaaaaa', 'Too easy to guess'],
      ['passwordpassword', 'Too easy to guess'],
      ['qwertyuiopasdfgh', 'Too easy to guess'],
      ['QWERTYUIOP1234567', 'Too easy to guess'],
      ['ｑｗｅｒｔｙｕｉｏｐａｓｄｆｇｈ', 'Too easy to guess'],
      ['winterlandschaft1', 'Too similar to your name'],
      ['Gatehouse Gatehouse', 'Too similar to your name or ours'],
      [password, 'Long enough'],
    ] as const) {
      // The same hint may be right twice: it is to be seen to change.
      await field(page, 'Password').fill('x');
      await hint.filter({ hasText: '14 more characters' }).waitFor();
      await field(page, 'Password').fill(typed);
      await hint.filter({ hasText: says }).waitFor();
      const level = typed === password ? 'good' : says.startsWith('Too') ? 'bad' : '';
      expect([typed, await meter.getAttribute('data-level')]).toEqual([typed, level]);
      const filled = String(Math.min(typed.length, 15));
      expect([typed, await meter.locator('progress').getAttribute('value')]).toEqual([typed, filled]);
    }
    await page.getByRole('button', { name: 'Show password' }).click();
    expect(await field(page, 'Password').getAttribute('type')).toBe('text');
    expect(await flaws(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('without JavaScript, by keyboard only', async () => {
    const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled: false });
    await page.goto(authorizeAddress(server, client));
    await page.getByRole('link', { name: 'Create an account' }).press('Enter');
    await page.getByRole('heading', { name: /^Create an account/ }).waitFor();
    const form = fresh();
    await field(page, 'Username').press('Control+a');
    for (const text of [form.username, form.email, form.password]) {
      await page.keyboard.type(text);
      await page.keyboard.press(text === form.password ? 'Enter' : 'Tab');
    }
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('pressed twice, and Back afterwards: one account, no harm', async () => {
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/sign-up');
    const form = fresh();
    await fillIn(page, form);
    await create(page).dblclick();
    await page.getByRole('heading', { name: 'Check your e-mail' }).waitFor();
    await goBack(page);
    await goForward(page);
    await page.getByRole('heading', { name: 'Check your e-mail' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Check your e-mail' }).waitFor();
    expect(await server.core.accounts.findByUsername(form.username)).toBeDefined();
    expect(problems).toEqual([]);
  });
});
