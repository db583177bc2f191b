/** A device without a browser: what its person does in a real one (RFC 8628). */
import { expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { begin, deviceClient, poll } from '../support/device.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { allow, signIn } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('a device', () => {
  let browser: Browser;
  let server: TestServer;

  onStage((stage) => {
    ({ browser, server } = stage);
  });

  const tv = (metadata = {}) => buildClient(server, { ...deviceClient, client_name: 'Living Room', ...metadata });
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
  const go = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

  test.each([
    ['with scripts', true],
    ['without', false],
  ])('%s: a typed code, a wrong one first, sign-in, consent, and the device goes on', async (_, javaScriptEnabled) => {
    const [client, person] = [await tv(), await buildPerson(server)];
    const codes = await begin(server, client, { scope: 'openid profile offline_access' });
    const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled });
    await page.goto('/device');
    if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
    const field = page.getByLabel('Code');
    expect(await page.evaluate('document.activeElement.id')).toBe('user_code');
    await field.fill('bcdf ghjk');
    await go(page, 'Continue');
    expect(await page.locator('#problem').textContent()).toMatch(/^That code is incorrect/);
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(await page.getByLabel('Code').inputValue()).toBe('BCDFGHJK');
    await page.getByLabel('Code').fill(codes.user_code.toLowerCase().replace('-', ' '));
    await page.keyboard.press('Enter');
    await heading(page, 'Sign in to Living Room on a device?');
    expect(await page.locator('.user-code').textContent()).toBe(codes.user_code);
    if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
    await go(page, 'Continue');
    await signIn(page, person);
    await heading(page, 'Allow Living Room to use your account?');
    await page.getByText('Your answer is for the device whose code you entered.').waitFor();
    await allow(page);
    await heading(page, 'Go back to your device');
    if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
    const { status, body } = await poll(server, client, codes);
    expect([status, body.scope]).toEqual([200, 'openid profile offline_access']);
    expect(problems).toEqual([]);
  });

  test('the address of a QR code leads to the comparison; "Cancel" tells the device', async () => {
    const client = await tv();
    const codes = await begin(server, client);
    const { page, problems } = await buildVisitor(browser, server, { locale: 'de-DE' });
    await page.goto(codes.verification_uri_complete);
    await heading(page, 'Bei Living Room auf einem Gerät anmelden?');
    await page.getByText('Prüfen Sie, dass Ihr Gerät diesen Code zeigt:').waitFor();
    expect(await page.locator('.user-code').textContent()).toBe(codes.user_code);
    expect((await poll(server, client, codes)).body.error).toBe('authorization_pending');
    await go(page, 'Abbrechen');
    await heading(page, 'Das Gerät wurde nicht angemeldet');
    expect((await poll(server, client, codes)).body.error).toBe('access_denied');
    expect(problems).toEqual([]);
  });

  test('a person who is signed in only confirms and allows; "Not you?" leads to another account', async () => {
    const [client, first, other] = [await tv(), await buildPerson(server), await buildPerson(server)];
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/account');
    await signIn(page, first);
    await page.waitForURL('**/account');
    const codes = await begin(server, client);
    await page.goto(codes.verification_uri_complete);
    await go(page, 'Continue');
    await heading(page, 'Allow Living Room to use your account?');
    await page.getByRole('button', { name: 'Not you?' }).click();
    await signIn(page, other);
    await allow(page);
    await heading(page, 'Go back to your device');
    const { body } = await poll(server, client, codes);
    const { sub } = JSON.parse(Buffer.from(body.id_token?.split('.')[1] ?? '', 'base64url').toString());
    expect(sub).toBe(other.subject);
    // It is among the applications that use the account, and can be disconnected there.
    await page.getByRole('link', { name: 'See what may use your account' }).click();
    await page.getByRole('heading', { name: 'Living Room' }).waitFor();
    expect(problems).toEqual([]);
  });

  test('Back and a reload are harmless', async () => {
    const [client, person] = [await tv(), await buildPerson(server)];
    const codes = await begin(server, client);
    const { page } = await buildVisitor(browser, server);
    await page.goto('/device');
    await page.getByLabel('Code').fill(codes.user_code);
    await go(page, 'Continue');
    await go(page, 'Continue');
    await page.getByLabel('Password', { exact: true }).waitFor();
    // The tab was closed during the sign-in: the code goes on in the same browser.
    await page.goto('/device');
    await page.getByLabel('Code').fill(codes.user_code);
    await go(page, 'Continue');
    await go(page, 'Continue');
    await signIn(page, person);
    await allow(page);
    await heading(page, 'Go back to your device');
    await page.reload();
    expect(await page.getByRole('alert').textContent()).toMatch(/^This page is out of date/);
    expect((await poll(server, client, codes)).status).toBe(200);
  });
});
