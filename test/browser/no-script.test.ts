/** JavaScript off: the whole way through, with nothing but forms and links. */
import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { arrived, buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { allow, authorizeAddress, isSignedIn, signIn } from './journey.ts';

const suite = describeWith('Chromium');

suite('JavaScript off', () => {
  let browser: Browser;
  let server: TestServer;

  onStage((stage) => {
    ({ browser, server } = stage);
  });

  test('login, wrong password, deny, consent, another account, logout', async () => {
    const [client, person, other] = [await buildClient(server), await buildPerson(server), await buildPerson(server)];
    const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled: false });
    await page.goto(authorizeAddress(server, client));
    expect(await page.getByRole('button', { name: 'Show password' }).count()).toBe(0);
    await signIn(page, person, 'wrong');
    expect(await page.locator('.wrong').textContent()).toMatch(/^Incorrect username or password/);
    await signIn(page, person);
    await page.getByRole('button', { name: 'Deny' }).click();
    expect((await arrived(page)).get('error')).toBe('access_denied');

    await page.goto(authorizeAddress(server, client));
    await page.getByRole('button', { name: 'Not you?' }).click();
    await signIn(page, other);
    // The engine signs the first one out on the way, with a form that only a script sends by itself.
    await page.getByRole('button', { name: 'Continue' }).click();
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);

    await page.goto(authorizeAddress(server, client, { prompt: 'login' }));
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect((await arrived(page)).get('error')).toBe('access_denied');

    await page.goto('/oauth/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(await isSignedIn(page, server, client)).toBe(false);
    expect(problems).toEqual([]);
  });

  test('an optional scope of an API is left out by its box', async () => {
    const [client, person] = [await buildClient(server), await buildPerson(server)];
    const scopes = [
      { name: 'shelf:read', sentence: 'See your shelf.' },
      { name: 'shelf:write', sentence: 'Change your shelf.', optional: true },
    ];
    await server.core.apis.add({ identifier: 'https://shelf.example', name: 'Shelf', scopes });
    const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled: false });
    await page.goto(authorizeAddress(server, client, { scope: 'shelf:read shelf:write' }));
    await signIn(page, person);
    const box = page.getByRole('checkbox', { name: 'Change your shelf.' });
    expect(await box.isChecked()).toBe(true);
    await box.uncheck();
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    const consent = await server.core.stores.consents.find(person.subject, client.id);
    expect(consent?.resources).toEqual({ 'https://shelf.example': ['shelf:read'] });
    expect(problems).toEqual([]);
  });

  test('the playground says what it needs', async () => {
    const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled: false });
    await page.goto('/playground');
    expect(await page.locator('noscript .note').boundingBox()).not.toBeNull();
    expect(problems).toEqual([]);
  });
});
