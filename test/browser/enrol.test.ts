/**
 * Adding a second factor on the way to an application. What cannot be skipped is in test/oidc/step-up.test.ts. B4, B11.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { codeOf, enrol } from '../support/authenticator.ts';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { comeBack, travel } from '../support/flow.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { plugIn } from '../support/virtual-authenticator.ts';
import { allow, authorizeAddress, goBack, keepCodes, signIn } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('adding a second factor on the way', () => {
  let browser: Browser;
  let server: TestServer;
  let plain: Awaited<ReturnType<typeof buildClient>>;
  let strict: Awaited<ReturnType<typeof buildClient>>;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer()]);
    plain = await buildClient(server);
    strict = await buildClient(server, { client_name: 'Strongbox', second_factor: 'required' });
  });
  afterEach(async () => {
    comeBack();
    await closeVisitors(browser);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const press = (page: Page, name: string) => page.getByRole('button', { name }).click();
  const heading = (page: Page, name: string) => page.getByRole('heading', { name }).waitFor();

  /** At the page that asks for a second factor. */
  async function asked(options: { javaScriptEnabled?: boolean } = {}) {
    const person = await buildPerson(server);
    const visitor = await buildVisitor(browser, server, options);
    await visitor.page.goto(authorizeAddress(server, strict));
    await signIn(visitor.page, person);
    await heading(visitor.page, 'Strongbox asks for a second factor');
    return { ...visitor, person };
  }

  const secretOn = async (page: Page) => ((await page.locator('.secret-key').textContent()) ?? '').replaceAll(' ', '');

  for (const javaScriptEnabled of [true, false]) {
    test(`an app, its code, the recovery codes, the application; JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async () => {
      const { page, person, problems } = await asked({ javaScriptEnabled });
      const look = async () => javaScriptEnabled && expect(await flaws(page)).toEqual([]);
      await look();
      expect(await page.locator('.who').textContent()).toContain(person.username);
      expect(await page.getByRole('button', { name: 'Add a passkey' }).isVisible()).toBe(javaScriptEnabled);
      await press(page, 'Set up an authenticator app');
      await heading(page, 'Set up an authenticator app');
      await look();
      await page.getByRole('img', { name: /^QR code/ }).waitFor();
      const secret = await secretOn(page);
      await page.reload();
      expect(await secretOn(page)).toBe(secret);
      const code = page.getByLabel('Code from the app');
      await code.fill('000000');
      await press(page, 'Confirm');
      await page.getByText('That code is incorrect').waitFor();
      expect(await page.locator(':focus').getAttribute('name')).toBe('code');
      expect(await page.title()).toMatch(/^Problem: /);
      await look();
      await code.fill(codeOf(secret));
      await press(page, 'Confirm');
      await heading(page, 'Save your recovery codes');
      await look();
      const codes = await page.locator('.codes code').allTextContents();
      expect(codes).toHaveLength(10);
      const file = page.waitForEvent('download');
      await press(page, 'Download');
      expect((await file).suggestedFilename()).toBe('recovery-codes.txt');
      // Copy and Print need scripts.
      for (const name of ['Copy', 'Print'])
        expect([name, await page.getByRole('button', { name }).isVisible()]).toEqual([name, javaScriptEnabled]);
      const field = page.getByLabel('One of your recovery codes');
      await field.fill('abcd-efgh-jkmn-pqrs');
      await press(page, 'Continue');
      await page.getByText('That is none of your current codes').waitFor();
      expect(await page.locator(':focus').getAttribute('name')).toBe('recovery_code');
      expect(await page.locator('.codes code').allTextContents()).toEqual(codes);
      await look();
      await keepCodes(page);
      await allow(page);
      expect((await arrived(page)).has('code')).toBe(true);
      expect(await server.core.factors.list(person.subject)).toMatchObject({
        recoveryCodesLeft: 10,
        recoveryCodesSaved: true,
      });
      expect(problems).toEqual([]);
    });
  }

  test('by keyboard alone, and back to choose another way', async () => {
    const { page, problems } = await asked();
    await page.getByRole('button', { name: 'Set up an authenticator app' }).press('Enter');
    await page.getByRole('button', { name: 'Choose another way' }).press('Enter');
    await heading(page, 'Strongbox asks for a second factor');
    await page.getByRole('button', { name: 'Set up an authenticator app' }).press('Enter');
    await page.getByLabel('Code from the app').fill(codeOf(await secretOn(page)));
    await page.keyboard.press('Enter');
    await page
      .getByLabel('One of your recovery codes')
      .fill((await page.locator('.codes code').first().textContent()) ?? '');
    await page.keyboard.press('Enter');
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('a passkey instead', async () => {
    const { page, person, problems } = await asked();
    await plugIn(page, { usb: false });
    await press(page, 'Add a passkey');
    await heading(page, 'Save your recovery codes');
    await keepCodes(page);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(await server.core.passkeys.list(person.subject)).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  test('a browser that refuses to make one says so, and the other way is still there', async () => {
    const { page } = await asked();
    const session = await page.context().newCDPSession(page);
    await session.send('WebAuthn.enable', { enableUI: false });
    await page.evaluate(
      'navigator.credentials.create = () => Promise.reject(new DOMException("no", "NotAllowedError"))',
    );
    await press(page, 'Add a passkey');
    await page.getByText('No passkey was created').waitFor();
    await press(page, 'Set up an authenticator app');
    await heading(page, 'Set up an authenticator app');
  });

  test('cancel goes back to the application; Back and a second tab find the same question', async () => {
    const { page, newTab, problems } = await asked();
    await press(page, 'Set up an authenticator app');
    await heading(page, 'Set up an authenticator app');
    await goBack(page);
    const tab = await newTab();
    await tab.goto(authorizeAddress(server, strict));
    await heading(tab, 'Strongbox asks for a second factor');
    await press(tab, 'Cancel');
    expect((await arrived(tab)).get('error')).toBe('access_denied');
    expect(problems).toEqual([]);
  });

  test('the step-up of somebody who is signed in: the code alone', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto(authorizeAddress(server, plain));
    await signIn(page, person);
    await allow(page);
    await arrived(page);
    const app = await enrol(server.core.factors, person.subject);
    await page.goto(authorizeAddress(server, strict));
    await heading(page, 'Enter your code');
    await page.getByText('You are signed in.').waitFor();
    expect(await flaws(page)).toEqual([]);
    await page.getByLabel('Code', { exact: true }).fill(app.fresh());
    await press(page, 'Continue');
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('the invitation, a day after the account was made: “not now” goes on, and it does not come again', async () => {
    const person = await buildPerson(server);
    travel(86_400);
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto(authorizeAddress(server, plain));
    await signIn(page, person);
    await heading(page, 'Make your account safer');
    expect(await flaws(page)).toEqual([]);
    await press(page, 'Not now');
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    const other = await buildVisitor(browser, server);
    await other.page.goto(authorizeAddress(server, plain));
    await signIn(other.page, person);
    expect((await arrived(other.page)).has('code')).toBe(true);
    expect([...problems, ...other.problems]).toEqual([]);
  });
});
