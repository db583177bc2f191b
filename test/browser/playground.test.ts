/** The playground, from its first button to its last, as a newcomer presses them. */
import { expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildPerson, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { allow, signIn } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('the playground', () => {
  let browser: Browser;
  let server: TestServer;

  onStage((stage) => {
    ({ browser, server } = stage);
  });

  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
  const entry = (page: Page, title: string) =>
    page.locator('details', { has: page.locator('summary', { hasText: title }) }).last();
  const passed = (page: Page, title: string) => entry(page, title).locator('summary .status.good').waitFor();

  test('sign in, redeem, check, userinfo, refresh, revoke, sign out', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/');
    await page.getByRole('link', { name: 'Open the playground' }).click();
    expect(await page.getByRole('button', { name: 'Call userinfo' }).isDisabled()).toBe(true);

    await press(page, 'Sign in');
    expect(await entry(page, 'The authorization request').textContent()).toContain('code_challenge');
    await page.getByRole('link', { name: 'Go there and sign in' }).click();
    await signIn(page, person);
    await allow(page);

    await passed(page, 'Check the ID token');
    expect(new URL(page.url()).search).toBe('');
    const checks = await entry(page, 'Check the ID token').getByRole('listitem').allInnerTexts();
    expect(checks).toHaveLength(5);
    expect(checks.every((check) => /passed$/.test(check))).toBe(true);
    const redeemed = await entry(page, 'Redeem the code').textContent();
    expect(redeemed).toContain('code_verifier=');
    expect(redeemed).toContain('"token_type": "Bearer"');
    expect(redeemed).toContain(`"sub": "${person.subject}"`);
    expect(redeemed).toMatch(/"exp": \d+,? {2}← /);

    // This token is for userinfo, and the user API would refuse it.
    expect(await page.getByRole('button', { name: 'Call the user API' }).isDisabled()).toBe(true);
    await press(page, 'Call userinfo');
    await passed(page, 'Ask userinfo');
    expect(await entry(page, 'Ask userinfo').textContent()).toContain(`"preferred_username": "${person.username}"`);

    await press(page, 'Refresh');
    await page.locator('details', { hasText: 'grant_type=refresh_token' }).locator('summary .status.good').waitFor();
    await passed(page, 'Check the ID token');
    expect(await flaws(page)).toEqual([]);

    await press(page, 'Revoke');
    await passed(page, 'Revoke');
    await press(page, 'Call userinfo');
    await entry(page, 'Ask userinfo').locator('summary .status.bad', { hasText: '401' }).waitFor();
    expect(await page.getByRole('button', { name: 'Refresh', exact: true }).isDisabled()).toBe(true);

    await press(page, 'Sign out');
    await page.getByRole('link', { name: 'Go there and sign out' }).click();
    expect(await entry(page, 'Back from signing out').getByRole('listitem').textContent()).toMatch(/passed$/);
    expect(await page.getByRole('button', { name: 'Call userinfo' }).isDisabled()).toBe(true);

    await press(page, 'Sign in');
    await page.getByRole('link', { name: 'Go there and sign in' }).last().click();
    await page.getByLabel('Password', { exact: true }).waitFor();
    expect(problems).toEqual([]);
  });

  test('a denied request is told as the server told it', async () => {
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/playground');
    await press(page, 'Ask for consent again');
    await page.getByRole('link', { name: 'Go there and sign in' }).click();
    await signIn(page, await buildPerson(server));
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('The server refused: access_denied').waitFor();
    expect(problems).toEqual([]);
  });

  test('an answer that was not asked for in this tab is refused', async () => {
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto(`/playground?code=somebody-elses&state=theirs&iss=${encodeURIComponent(server.url)}`);
    await page.getByText('This response does not belong to a request made in this tab.').waitFor();
    expect(await page.locator('details', { hasText: 'Redeem the code' }).count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('a token for the user API opens the user API', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/playground');
    expect(await page.getByRole('button', { name: 'Call the user API' }).isDisabled()).toBe(true);
    await press(page, 'Sign in for the user API');
    await page.getByRole('link', { name: 'Go there and sign in' }).click();
    await signIn(page, person);
    await allow(page);
    await passed(page, 'Redeem the code');
    expect(await entry(page, 'Redeem the code').textContent()).toContain(`"aud": "${server.url}/user"`);
    await press(page, 'Call the user API');
    await passed(page, 'Ask the user API');
    expect(await entry(page, 'Ask the user API').textContent()).toContain(person.username);
    expect(await page.getByRole('button', { name: 'Call userinfo' }).isDisabled()).toBe(true);
    expect(problems).toEqual([]);
  });
});
