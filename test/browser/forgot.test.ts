/** A forgotten password, as a person meets it: from the sign-in, through the mail, and back into it. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { devMailsLink, linkIn, mailTo } from '../support/mail.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { allow, authorizeAddress, goBack, redirectUri } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');
const another = 'eleven quiet foxes by the pond';

suite('a forgotten password in a browser', () => {
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

  /** At “check your mail”, and what the mail says. */
  async function asked(page: Page, person: { username: string; email: string | null }): Promise<string> {
    await page.getByLabel('Username or e-mail').fill(person.username);
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByRole('heading', { name: 'Check your e-mail' }).waitFor();
    return linkIn(await mailTo(server, person.email ?? '', 'reset-password'));
  }

  test.each([true, false])('the whole way round, JavaScript %p', async (javaScriptEnabled) => {
    const { page, newTab, problems } = await buildVisitor(browser, server, { javaScriptEnabled });
    const person = await buildPerson(server);
    await page.goto(authorizeAddress(server, client));
    await page.getByRole('link', { name: 'Forgot password?' }).click();
    await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
    const link = await asked(page, person);

    const mail = await newTab();
    await mail.goto(link);
    await mail.getByLabel('New password').fill(another);
    await mail.getByRole('button', { name: 'Set the password' }).click();
    await allow(mail);
    expect((await arrived(mail)).has('code')).toBe(true);
    // Consent is remembered by now: from the form straight to the application.
    await mail.context().clearCookies();
    await mail.goto(authorizeAddress(server, client));
    await mail.getByRole('link', { name: 'Forgot password?' }).click();
    await mail.goto(await asked(mail, person));
    await mail.getByLabel('New password').fill(`${another} again`);
    await mail.getByRole('button', { name: 'Set the password' }).click();
    expect((await arrived(mail)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('every page of it is as it should be, in every look', async () => {
    const { page, problems } = await buildVisitor(browser, server);
    const person = await buildPerson(server);
    await page.goto('/forgot');
    expect(await page.locator(':focus').getAttribute('name')).toBe('username');
    expect(await flaws(page)).toEqual([]);
    const link = await asked(page, person);
    expect(await flaws(page)).toEqual([]);
    await page.goto(link);
    expect(await page.getByLabel('Username').inputValue()).toBe(person.username);
    expect(await page.locator(':focus').getAttribute('autocomplete')).toBe('new-password');
    expect(await flaws(page)).toEqual([]);
    await page.getByLabel('New password').fill('too short');
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.locator('#password-error').waitFor();
    expect(await page.getByLabel('New password').inputValue()).toBe('');
    expect(await flaws(page)).toEqual([]);
    await page.getByLabel('New password').fill(another);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('Your password is set. You are signed out everywhere else.').waitFor();
    expect(new URL(page.url()).pathname).toBe('/account');
    expect(await flaws(page)).toEqual([]);
    await page.goto(link);
    await page.getByRole('heading', { name: 'This link no longer works' }).waitFor();
    expect(await flaws(page)).toEqual([]);
    await page.goto('/dev/mails');
    await page.getByText('Open the link that the server printed').waitFor();
    expect(await flaws(page)).toEqual([]);
    await page.goto(devMailsLink(server));
    expect(page.url()).toBe(`${server.url}/dev/mails`);
    await page
      .getByText(person.email ?? '')
      .first()
      .waitFor();
    expect(await flaws(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('pressed twice, Back and reload: one new password, no harm', async () => {
    const { page, problems } = await buildVisitor(browser, server);
    const person = await buildPerson(server);
    await page.goto('/forgot');
    await page.goto(await asked(page, person));
    await page.getByLabel('New password').fill(another);
    await page.getByRole('button', { name: 'Set the password' }).dblclick();
    await page.getByText('Your password is set. You are signed out everywhere else.').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Your account' }).waitFor();
    await goBack(page);
    // The browser's copy, or what the server says of a used link.
    await page.getByRole('heading', { name: /^(Set a new password|This link no longer works)$/ }).waitFor();
    expect(problems).toEqual([]);
  });
});
