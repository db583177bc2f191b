/** The API reference in a browser: OAuth first, and a form that sends the request of each operation. */
import { expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { adminKey, buildPerson, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { signIn } from './journey.ts';

const suite = describeWith('Chromium');

suite('the API reference', () => {
  let browser: Browser;
  let server: TestServer;

  onStage((stage) => {
    ({ browser, server } = stage);
  });

  /** Opens the form of an operation. */
  async function open(page: Page, api: string, heading: string) {
    await page.goto(`/openapi/${api}`);
    const operation = page
      .locator('section', { has: page.getByRole('heading', { name: heading, exact: true }) })
      .first();
    await operation.locator('summary', { hasText: 'Try it' }).click();
    return operation.locator('details.try');
  }

  test('OAuth and OpenID Connect come first', async () => {
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/openapi');
    expect(await page.locator('section h2').first().textContent()).toBe('OAuth 2.0 and OpenID Connect');
    expect(problems).toEqual([]);
  });

  test('a request with a body and a key is sent, and its answer is shown', async () => {
    const { page } = await buildVisitor(browser, server);
    const form = await open(page, 'oauth-clients', 'Register a client');
    await form.getByRole('combobox').selectOption('X-Admin-Key');
    await form.getByLabel('Secret, token or key').fill(adminKey);
    await form.getByRole('button', { name: 'Send request' }).click();
    await form.locator('.status.good').waitFor();
    const [headers, body] = await form.locator('output pre').allInnerTexts();
    expect(headers).toContain('cache-control: no-store');
    expect(JSON.parse(body ?? '')).toHaveProperty('client_id');
  });

  test('a refusal is an answer too: without the key, and with a wrong token', async () => {
    const { page } = await buildVisitor(browser, server);
    const register = await open(page, 'oauth-clients', 'Register a client');
    await register.getByRole('button', { name: 'Send request' }).click();
    await register.locator('.status.bad', { hasText: /^40\d$/ }).waitFor();
    const userinfo = await open(page, 'oauth', 'Claims about the user');
    await userinfo.getByLabel('Secret, token or key').fill('wrong');
    await userinfo.getByRole('button', { name: 'Send request' }).click();
    await userinfo.locator('.status.bad', { hasText: '401' }).waitFor();
    expect(await userinfo.locator('output').textContent()).toContain('invalid_token');
  });

  test('parameters go into the path, and cookies are not sent', async () => {
    const person = await buildPerson(server);
    const { page } = await buildVisitor(browser, server);
    await page.goto('/account');
    await signIn(page, person);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const sent = page.waitForRequest(/\/clients\/a%2Fb/);
    const form = await open(page, 'oauth-clients', 'Change a client');
    await form.getByLabel('id in the path').fill('a/b');
    await form.getByRole('button', { name: 'Send request' }).click();
    expect(await (await sent).headerValue('cookie')).toBeNull();
    await form.locator('.status.bad').waitFor();
  });

  test('without scripts, the request for a terminal is there', async () => {
    const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled: false });
    const form = await open(page, 'oauth', 'Get tokens');
    expect(await form.locator('pre').first().textContent()).toMatch(
      new RegExp(`^curl -X POST '${server.url}/oauth/token' \\\\\n {2}-u 'CLIENT_ID:CLIENT_SECRET'`),
    );
    expect(await form.getByRole('button', { name: 'Send request' }).count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
