/** Being refused: what a person reads, and what a developer is shown, in development and in production. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';
import { authorizeAddress, redirectUri } from './journey.ts';

const suite = describeWith('Chromium');

suite('being refused', () => {
  let browser: Browser;
  let development: TestServer;
  let production: TestServer;

  beforeAll(async () => {
    [browser, development, production] = await Promise.all([
      launchChromium(),
      startServer(),
      startServer({ env: { NODE_ENV: 'production' } }),
    ]);
  });
  afterEach(() => closeVisitors(browser));
  afterAll(async () => {
    await browser.close();
    await Promise.all([development.close(), production.close()]);
  });

  async function refused(server: TestServer, parameters: Record<string, string>, id?: string) {
    const client = id === undefined ? await buildClient(server) : { id };
    const visitor = await buildVisitor(browser, server);
    const address = authorizeAddress(server, client, parameters);
    const answer = await visitor.page.goto(address);
    expect(answer?.status()).toBe(400);
    expect(visitor.page.url()).toBe(address);
    expect(visitor.problems).toEqual([]);
    return { ...visitor, heading: await visitor.page.getByRole('heading', { level: 1 }).textContent() };
  }

  test('a redirect address that is not registered: development shows what came, what is registered and where they part', async () => {
    const { page, heading } = await refused(development, { redirect_uri: `${redirectUri}/` });
    expect(heading).toBe('Bookshelf sent a return address that is not registered');
    expect(await page.locator('dd', { hasText: `${redirectUri}/` }).count()).toBe(1);
    expect(await page.locator('mark').textContent()).toBe('/');
    expect(
      await page
        .locator('dd')
        .filter({ hasText: /^https:\/\/app\.example\.com\/cb$/ })
        .count(),
    ).toBe(1);
    expect(await page.getByText('Remove the trailing slash, or register this address too.').count()).toBe(1);

    const reference = (await page.locator('#details code').textContent()) ?? 'none';
    expect(development.logged.some((line) => line.includes(reference))).toBe(true);

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toContain(reference);
  });

  test('the same in production: the reference, and no word about what is registered', async () => {
    const { page, heading } = await refused(production, { redirect_uri: `${redirectUri}/` });
    expect(heading).toBe('Bookshelf sent a return address that is not registered');
    expect(await page.locator('mark').count()).toBe(0);
    expect(await page.locator('main').textContent()).not.toContain('app.example.com');
    const reference = (await page.locator('#details code').textContent()) ?? 'none';
    expect(production.logged.some((line) => line.includes(reference) && line.includes(redirectUri))).toBe(true);
  });

  test('an application nobody knows', async () => {
    for (const server of [development, production]) {
      const { page, heading } = await refused(server, {}, 'nobody');
      expect(heading).toBe('We do not know the application that sent you here');
      const shown = server === development ? 1 : 0;
      expect(
        await page
          .locator('dd')
          .filter({ hasText: /^nobody$/ })
          .count(),
      ).toBe(shown);
      expect(await page.getByText('Correct the client_id').count()).toBe(shown);
    }
  });

  test('a request that lacks what PKCE needs is refused at the application, in the protocol’s words', async () => {
    const client = await buildClient(development, { require_pkce: true });
    const { page, problems } = await buildVisitor(browser, development);
    await page.goto(authorizeAddress(development, client, { code_challenge: '', code_challenge_method: '' }));
    expect((await arrived(page)).get('error')).toBe('invalid_request');
    expect(problems).toEqual([]);
  });

  test('there is no such page', async () => {
    const { page, problems } = await buildVisitor(browser, development);
    const answer = await page.goto('/nowhere/at/all');
    expect(answer?.status()).toBe(404);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Page not found');
    await page.getByRole('link', { name: 'Go to the start page' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Welcome to Gatehouse');
    expect(problems).toEqual([]);
  });

  test('“Go back” goes back, where there is a page to go back to', async () => {
    const client = await buildClient(development);
    const { page } = await buildVisitor(browser, development);
    const back = page.getByRole('button', { name: 'Go back' });
    await page.goto('/');
    await page.goto(authorizeAddress(development, client, { redirect_uri: `${redirectUri}/` }));
    await back.click();
    await page.getByRole('heading', { name: 'Welcome to Gatehouse' }).waitFor();

    const plain = await buildVisitor(browser, development, { javaScriptEnabled: false });
    await plain.page.goto(authorizeAddress(development, client, { redirect_uri: `${redirectUri}/` }));
    expect(await plain.page.getByRole('button', { name: 'Go back' }).count()).toBe(0);
  });

  test('the playground is for development only', async () => {
    const visitor = await buildVisitor(browser, production);
    expect((await visitor.page.goto('/playground'))?.status()).toBe(404);
    await visitor.page.goto('/');
    expect(await visitor.page.getByRole('link', { name: 'Open the playground' }).count()).toBe(0);
    expect((await visitor.page.goto(authorizeAddress(production, { id: 'playground' })))?.status()).toBe(400);
    expect(visitor.problems).toEqual([]);
  });

  test('A14: every kind of page carries its protections', async () => {
    const client = await buildClient(development);
    const { page } = await buildVisitor(browser, development);
    const addresses = [
      '/',
      '/nowhere',
      '/playground',
      '/interaction/none',
      '/oauth/logout',
      authorizeAddress(development, client),
      authorizeAddress(development, { id: 'nobody' }),
    ];
    for (const address of addresses) {
      const headers = (await page.goto(address))?.headers() ?? {};
      const policy = headers['content-security-policy'] ?? '';
      for (const directive of ["frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'", "default-src 'none'"])
        expect([address, policy]).toEqual([address, expect.stringContaining(directive)]);
      expect(policy).not.toContain('unsafe');
      expect([address, headers]).toEqual([
        address,
        expect.objectContaining({
          'x-frame-options': 'DENY',
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'same-origin',
          'cache-control': 'no-store',
          'cross-origin-opener-policy': /\/(oauth|interaction)\//.test(address) ? 'unsafe-none' : 'same-origin',
        }),
      ]);
    }
  });
});
