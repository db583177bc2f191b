/** Passkeys as a person meets them, with Chromium's virtual authenticator (WebAuthn level 3, section 11). B12. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { pkce } from '../support/agent.ts';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { claimsOf, comeBack, redeem, travel } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { type Device, plugIn } from '../support/virtual-authenticator.ts';
import { allow, authorizeAddress, isSignedIn, keepCodes, signIn } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('passkeys', () => {
  let browser: Browser;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer()]);
    client = await buildClient(server, { client_uri: 'https://bookshelf.example/' });
  });
  afterEach(async () => {
    comeBack();
    await closeVisitors(browser);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const passkeyButton = (page: Page) => page.getByRole('button', { name: 'Sign in with a passkey' });
  const addButton = (page: Page) => page.getByRole('button', { name: 'Add a passkey' });

  /** Somebody with a passkey in the device of this tab, made on their own page, and signed out again. */
  async function owner(options: Device = {}) {
    const person = await buildPerson(server);
    const visitor = await buildVisitor(browser, server);
    const { page, context } = visitor;
    const device = await plugIn(page, options);
    await page.goto('/account/passkeys');
    await signIn(page, person);
    await addButton(page).click();
    await page.getByRole('status').filter({ hasText: 'Your passkey is ready' }).waitFor();
    const name = page.getByLabel('Name', { exact: true });
    await name.fill('laptop');
    await name.press('Enter');
    await page.getByRole('heading', { name: 'laptop' }).waitFor();
    await page.getByRole('link', { name: 'Show the codes' }).click();
    await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
    await keepCodes(page);
    await page.getByText('Your recovery codes are saved').waitFor();
    await context.clearCookies();
    return { ...visitor, person, device };
  }

  const { verifier, challenge } = pkce();
  async function claimsAfter(page: Page): Promise<Record<string, unknown>> {
    const code = (await arrived(page)).get('code') ?? '';
    const { body } = await redeem(server, client, {
      code,
      code_verifier: verifier,
      ...{ redirect_uri: 'https://app.example.com/cb' },
    });
    return claimsOf(body.id_token);
  }
  const toApplication = () => authorizeAddress(server, client, { code_challenge: challenge, scope: 'openid' });

  test('enrolled on the account page, used alone, and listed with its name and its last use', async () => {
    const { page, person, device, problems } = await owner();
    expect(await device.count()).toBe(1);
    await page.goto(toApplication());
    await passkeyButton(page).click();
    await allow(page);
    expect(await claimsAfter(page)).toMatchObject({ sub: person.subject, amr: ['hwk', 'user', 'mfa'] });
    expect(await isSignedIn(page, server, client)).toBe(true);
    await page.goto('/account/passkeys');
    const row = page.getByRole('listitem').filter({ hasText: 'laptop' });
    expect(await row.textContent()).toMatch(/This device only.*Last used/s);
    expect(await flaws(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('offered in the name field (autofill): chosen there, no button is pressed', async () => {
    const { page, problems } = await owner({ usb: false, synced: true });
    // This device's person chooses from the list at once.
    await page.goto(toApplication());
    await allow(page);
    expect(await claimsAfter(page)).toMatchObject({ amr: ['swk', 'user', 'mfa'] });
    expect(problems).toEqual([]);
  });

  test('the box for staying signed in counts for it too', async () => {
    const { page, context, problems } = await owner();
    for (const keep of [false, true]) {
      await page.goto(authorizeAddress(server, client, { prompt: 'login consent' }));
      await page.getByRole('checkbox').setChecked(keep);
      await passkeyButton(page).click();
      await allow(page);
      await arrived(page);
      const session = (await context.cookies(server.url)).find(({ name }) => name === 'gatehouse');
      expect([keep, (session?.expires ?? 0) > 0]).toEqual([keep, keep]);
    }
    expect(problems).toEqual([]);
  });

  test('after the password', async () => {
    const { page, person, problems } = await owner();
    await page.goto(toApplication());
    await signIn(page, person);
    await page.getByRole('heading', { name: 'Use your passkey' }).waitFor();
    expect(await flaws(page)).toEqual([]);
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await allow(page);
    expect(await claimsAfter(page)).toMatchObject({ sub: person.subject, amr: ['pwd', 'hwk', 'user', 'mfa'] });
    expect(problems).toEqual([]);
  });

  test('who does not confirm is told so in place, and can try again', async () => {
    const { page, device, problems } = await owner();
    await device.confirms(false);
    await page.goto(authorizeAddress(server, client));
    await passkeyButton(page).click();
    const hint = page.getByText('No passkey was used. Try again, or choose another way.');
    await hint.waitFor({ timeout: 60_000 });
    await device.confirms(true);
    await passkeyButton(page).click();
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('a removed passkey gets a page that helps, and the password still works', async () => {
    const { page, person, problems } = await owner();
    const [row] = await server.core.passkeys.list(person.subject);
    await server.core.passkeys.remove(person.subject, row?.id ?? '');
    await page.goto(authorizeAddress(server, client));
    await passkeyButton(page).click();
    expect(await page.getByRole('alert').textContent()).toMatch(
      /^That passkey did not work\. It may have been removed/,
    );
    expect(await flaws(page)).toEqual([]);
    await signIn(page, person);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('a page that was open for long takes a fresh challenge by itself', async () => {
    const { page, problems } = await owner();
    await page.clock.install();
    await page.goto(authorizeAddress(server, client));
    await passkeyButton(page).waitFor();
    travel(301);
    await page.clock.fastForward(301_000);
    await passkeyButton(page).click();
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('from the start page of the account one click leads to the button, also through a sign-in', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await buildVisitor(browser, server);
    await plugIn(page);
    await page.goto('/account');
    await signIn(page, person);
    await page.waitForURL('**/account');
    // As the overview links it.
    const toButton = () => page.evaluate("location.assign('/account/passkeys')");
    await toButton();
    await addButton(page).waitFor();
    expect(new URL(page.url()).pathname).toBe('/account/security');
    travel(301);
    await page.reload();
    // Too long ago: the button is a link that leads through a sign-in, and back to the button.
    await page.getByRole('link', { name: 'Add a passkey' }).click();
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await addButton(page).click();
    await page.getByRole('status').filter({ hasText: 'Your passkey is ready' }).waitFor();
    expect(problems).toEqual([]);
  });

  test('a Security page that was open for too long leads through a sign-in to the button', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await buildVisitor(browser, server);
    await plugIn(page);
    await page.goto('/account/security');
    await signIn(page, person);
    await addButton(page).waitFor();
    await page.clock.install();
    await page.reload();
    await addButton(page).waitFor();
    travel(301);
    await page.clock.fastForward(301_000);
    await addButton(page).click();
    await page.waitForURL('**/interaction/**');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await addButton(page).waitFor();
    expect(await server.core.passkeys.list(person.subject)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('renamed and removed on the account page; the same device makes no second one', async () => {
    const { page, person, device, problems } = await owner();
    await page.goto('/account/passkeys');
    await passkeyButton(page).click();
    await page.getByRole('heading', { name: 'Passkeys', exact: true }).waitFor();
    await addButton(page).click();
    await page.getByText('This device or security key already has a passkey for your account.').waitFor();
    await page.getByRole('link', { name: 'Rename laptop' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('kitchen');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'kitchen' }).waitFor();
    await page.getByRole('link', { name: 'Remove kitchen' }).click();
    await dialog.getByRole('heading', { name: 'Remove kitchen?' }).waitFor();
    expect(await flaws(page)).toEqual([]);
    await dialog.getByRole('link', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Remove kitchen' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('It is removed.').waitFor();
    expect(await server.core.passkeys.list(person.subject)).toEqual([]);
    expect(await device.count()).toBe(1);
    expect(problems).toEqual([]);
  });

  test('JavaScript off: no button that does nothing, and the other ways are there', async () => {
    const { person } = await owner();
    const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled: false });
    await page.goto(authorizeAddress(server, client));
    expect(await passkeyButton(page).count()).toBe(0);
    await signIn(page, person);
    expect(await page.locator('noscript .note').boundingBox()).not.toBeNull();
    expect(await page.getByRole('button', { name: 'Use a passkey' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Use a recovery code instead' }).click();
    await page.getByLabel('Recovery code', { exact: true }).waitFor();
    expect(problems).toEqual([]);
  });

  test('a browser without passkeys: the same', async () => {
    const { person } = await owner();
    const { page, problems } = await buildVisitor(browser, server);
    await page.addInitScript('delete window.PublicKeyCredential');
    await page.goto(authorizeAddress(server, client));
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expect(await passkeyButton(page).count()).toBe(0);
    await signIn(page, person);
    await page.getByText('Passkeys need a browser that supports them').waitFor();
    expect(await page.getByRole('button', { name: 'Use a passkey' }).count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('a browser that lacks the JSON of level 3 makes it here', async () => {
    const person = await buildPerson(server);
    const { page, context, problems } = await buildVisitor(browser, server);
    await plugIn(page);
    await page.addInitScript(`
      delete PublicKeyCredential.parseRequestOptionsFromJSON;
      delete PublicKeyCredential.parseCreationOptionsFromJSON;
      delete PublicKeyCredential.prototype.toJSON;`);
    await page.goto('/account/passkeys');
    await signIn(page, person);
    await addButton(page).click();
    await page.getByRole('link', { name: 'Show the codes' }).waitFor();
    await context.clearCookies();
    await page.goto(authorizeAddress(server, client));
    await passkeyButton(page).click();
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });
});
