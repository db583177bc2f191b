/**
 * Signing in through another provider in a real browser: the provider is a second instance of this very server. Browsers keep
 * cookies by host name and not by port, so the two live at two names of this machine.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Provider, startUpstream, startWith, unusual } from '../login/upstream/world.ts';
import { pkce } from '../support/agent.ts';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { claimsOf, redeem } from '../support/flow.ts';
import { freePort } from '../support/free-port.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { allow, authorizeAddress, goBack, goForward, redirectUri, signIn } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('signing in through another provider', () => {
  let browser: Browser;
  let upstream: TestServer;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    const port = await freePort();
    const there = await startUpstream({ PORT: String(port), ISSUER: `http://127.0.0.1:${port}`, HOST: '127.0.0.1' });
    upstream = there.server;
    const gone: Provider = { id: 'gone', name: 'Gone', type: 'oidc', issuer: 'http://127.0.0.1:9', client_id: 'x' };
    server = await startWith({ start: (env) => startServer({ env: env ?? {} }) }, async (issuer) => [
      await there.provider(issuer, 'company', { trust_email: true }),
      gone,
    ]);
    client = await buildClient(server);
    browser = await launchChromium();
  });
  afterEach(() => closeVisitors(browser));
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await upstream?.close();
  });

  const visitor = (options = {}) => buildVisitor(browser, server, { alsoTo: [upstream.url], ...options });
  const proof = pkce();
  const begin = (page: Page, extra: Record<string, string> = {}) =>
    page.goto(authorizeAddress(server, client, { code_challenge: proof.challenge, ...extra }));
  const throughCompany = (page: Page) => page.getByRole('link', { name: 'Continue with Example Company' }).click();
  /** The consent of the application there, which is this server, is asked once. */
  async function signInThere(page: Page, person: { readonly username: string }): Promise<void> {
    await page.waitForURL((url) => url.origin === upstream.url);
    await signIn(page, person);
    await allow(page);
    await page.waitForURL((url) => url.origin === server.url && /^\/interaction\/[^/]+$/.test(url.pathname));
  }
  async function subject(page: Page): Promise<unknown> {
    const code = (await arrived(page)).get('code') ?? '';
    const { body } = await redeem(
      server,
      client,
      { code, code_verifier: proof.verifier },
      { redirect_uri: redirectUri },
    );
    return claimsOf(body.id_token).sub;
  }

  test.each([
    ['with scripts', true],
    ['with JavaScript off', false],
  ])('somebody new makes an account and comes back to it, %s', async (_name, javaScriptEnabled) => {
    const person = await buildPerson(upstream);
    const { page, problems } = await visitor({ javaScriptEnabled });
    await begin(page);
    await throughCompany(page);
    await signInThere(page, person);
    expect(await page.getByLabel('Username').inputValue()).toBe(person.username);
    expect(await page.textContent('main')).toContain(person.email ?? '?');
    await page.getByRole('button', { name: 'Create' }).click();
    await allow(page);
    const made = await subject(page);

    // Another time, in a browser of theirs that is signed in there: one press.
    const again = await visitor({ javaScriptEnabled });
    await again.page.goto(`${upstream.url}/account`);
    await signIn(again.page, person);
    await again.page.getByRole('heading', { name: 'Your account' }).waitFor();
    await begin(again.page);
    await throughCompany(again.page);
    // Allowed once, there as here.
    expect(await subject(again.page)).toBe(made);
    expect([...problems, ...again.problems]).toEqual([]);
  });

  test('an account of the same address is connected once it is proved, and opens from then on', async () => {
    const email = `${unusual()}@example.org`;
    const own = await buildPerson(server, { email });
    const person = await buildPerson(upstream, { email });
    const { page, problems } = await visitor();
    await begin(page);
    await throughCompany(page);
    await signInThere(page, person);
    await page.getByRole('heading', { name: 'Connect your account' }).waitFor();
    await page.getByRole('button', { name: 'Sign in to my account' }).click();
    await page.getByText('Connect Example Company').waitFor();
    await signIn(page, own);
    await page.getByRole('heading', { name: 'Connect with Example Company?' }).waitFor();
    expect(await page.textContent('main')).toContain(person.username);
    expect(await page.textContent('main')).toContain(own.username);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await allow(page);
    expect(await subject(page)).toBe(own.subject);

    await page.goto('/account/security');
    await page.getByText(person.username).first().waitFor();
    await page.getByRole('link', { name: /^Disconnect/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('It is disconnected.').waitFor();
    await page.getByRole('link', { name: 'Connect Example Company' }).click();
    await page.getByRole('heading', { name: 'Connect with Example Company?' }).waitFor();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByText('It is connected').waitFor();
    expect(problems).toEqual([]);
  });

  test('who says no there, or finds nobody there, is on the sign-in page and can go on', async () => {
    const own = await buildPerson(server);
    const person = await buildPerson(upstream);
    const { page, problems } = await visitor();
    await begin(page);
    await throughCompany(page);
    await page.waitForURL((url) => url.origin === upstream.url);
    await signIn(page, person);
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.waitForURL((url) => url.origin === server.url);
    expect(await page.getByRole('alert').textContent()).toMatch(/^You did not sign in with Example Company\./);
    await page.getByRole('link', { name: 'Continue with Gone' }).click();
    await page.getByText('Gone is not responding.').waitFor();
    expect(await flaws(page)).toEqual([]);
    // Back to the provider's page and forward again: nothing breaks.
    await goBack(page);
    await goForward(page);
    await signIn(page, own);
    await allow(page);
    expect(await subject(page)).toBe(own.subject);
    expect(problems).toEqual([]);
  });

  test('the pages on the way are as they should be in every look', async () => {
    const person = await buildPerson(upstream);
    const { page } = await visitor();
    await begin(page);
    expect(await flaws(page)).toEqual([]);
    await throughCompany(page);
    await signInThere(page, person);
    expect(await flaws(page)).toEqual([]);
    await page.getByRole('button', { name: 'Sign in to my account' }).click();
    await page.getByText('Connect Example Company').waitFor();
    expect(await flaws(page)).toEqual([]);
    await page.getByRole('button', { name: 'Do not connect' }).click();
    await page.getByRole('link', { name: 'Continue with Example Company' }).waitFor();
  });
});
