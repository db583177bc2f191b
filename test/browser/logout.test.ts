/** Signing out: asked, unless the application proves whom it signs out. */
import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { pkce, token } from '../support/agent.ts';
import { applicationSite, arrived, buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { allow, authorizeAddress, goBack, isSignedIn, redirectUri, signIn } from './journey.ts';

const suite = describeWith('Chromium');
const bye = `${applicationSite}/bye`;

suite('signing out', () => {
  let browser: Browser;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;

  onStage(async (stage) => {
    ({ browser, server } = stage);
    client = await buildClient(server, {
      client_uri: 'https://bookshelf.example/',
      post_logout_redirect_uris: [bye],
    });
  });

  async function signedIn(options: { javaScriptEnabled?: boolean } = {}) {
    const person = await buildPerson(server);
    const visitor = await buildVisitor(browser, server, options);
    const { page } = visitor;
    const { verifier, challenge } = pkce();
    await page.goto(authorizeAddress(server, client, { code_challenge: challenge }));
    await signIn(page, person);
    await allow(page);
    const { body } = await token(server, client, {
      grant_type: 'authorization_code',
      code: (await arrived(page)).get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
    });
    return { ...visitor, person, idToken: body.id_token ?? '' };
  }

  const logoutAddress = (parameters: Record<string, string>) => `/oauth/logout?${new URLSearchParams(parameters)}`;

  test('asks, names who is signed in, and says when it is done', async () => {
    const { page, problems } = await signedIn();
    await page.goto('/oauth/logout');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign out?');
    expect(await page.locator('.who').textContent()).toContain('Test Person');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(await isSignedIn(page, server, client)).toBe(false);
    await page.goto(authorizeAddress(server, client));
    expect(await page.getByLabel('Password', { exact: true }).count()).toBe(1);
    expect(problems).toEqual([]);
  });

  test('“Stay signed in” leaves everything as it was, and does not say otherwise', async () => {
    const { page, problems } = await signedIn();
    await page.goto('/oauth/logout');
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    await page.waitForURL((url) => url.pathname !== '/oauth/logout');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('You are still signed in');
    expect(await isSignedIn(page, server, client)).toBe(true);
    expect(problems).toEqual([]);
  });

  test('“Stay signed in” goes back to the application that asked', async () => {
    const { page, problems } = await signedIn();
    await page.goto(logoutAddress({ client_id: client.id, post_logout_redirect_uri: bye, state: 'kept' }));
    expect(await page.getByText('Bookshelf asks to sign you out').count()).toBe(1);
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    expect((await arrived(page, bye)).get('state')).toBe('kept');
    expect(await isSignedIn(page, server, client)).toBe(true);
    expect(problems).toEqual([]);
  });

  test('with an ID token of this person it goes through by itself and returns to the application', async () => {
    const { page, idToken, problems } = await signedIn();
    await page.goto(logoutAddress({ id_token_hint: idToken, post_logout_redirect_uri: bye, state: 'kept' }));
    expect((await arrived(page, bye)).get('state')).toBe('kept');
    expect(await isSignedIn(page, server, client)).toBe(false);
    expect(problems).toEqual([]);
  });

  test('with an ID token of somebody else it asks', async () => {
    const [{ page }, other] = await Promise.all([signedIn(), signedIn()]);
    await page.goto(logoutAddress({ id_token_hint: other.idToken, post_logout_redirect_uri: bye }));
    const gone = page.waitForURL(bye, { timeout: 500 }).then(
      () => true,
      () => false,
    );
    expect(await gone).toBe(false);
    expect(await isSignedIn(page, server, client)).toBe(true);
  });

  test('without JavaScript the ID token saves no click, but the click works', async () => {
    const { page, idToken } = await signedIn({ javaScriptEnabled: false });
    await page.goto(logoutAddress({ id_token_hint: idToken, post_logout_redirect_uri: bye, state: 'kept' }));
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect((await arrived(page, bye)).get('state')).toBe('kept');
    expect(await isSignedIn(page, server, client)).toBe(false);
  });

  test('who is not signed in is told so, and Back afterwards brings nothing back', async () => {
    const { page, problems } = await signedIn();
    await page.goto('/oauth/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await goBack(page);
    const press = page.getByRole('button', { name: 'Sign out' });
    if (await press.count()) await press.click();
    await page.waitForLoadState();
    expect(await isSignedIn(page, server, client)).toBe(false);

    await page.goto('/oauth/logout');
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(await isSignedIn(page, server, client)).toBe(false);
    expect(problems).toEqual([]);
  });
});
