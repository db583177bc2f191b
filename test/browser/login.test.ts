/** Signing in, as a person meets it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { arrived, buildVisitor, chromiumIsTested, launchChromium, type Visitor } from '../support/chromium.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { allow, authorizeAddress, isSignedIn, signIn } from './journey.ts';

const suite = chromiumIsTested('the sign-in page') ? describe : describe.skip;

suite('the sign-in page', () => {
  let browser: Browser;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer({ env: { THROTTLE_ACCOUNT_LIMIT: '3' } })]);
    client = await buildClient(server, { client_uri: 'https://bookshelf.example/' });
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  async function atLogin(parameters?: Record<string, string>): Promise<Visitor> {
    const visitor = await buildVisitor(browser, server);
    await visitor.page.goto(authorizeAddress(server, client, parameters));
    return visitor;
  }

  test('signs in and, allowed, arrives at the application', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await atLogin({ state: 'a state+ü' });
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in to continue to Bookshelf');
    expect(await page.locator(':focus').getAttribute('name')).toBe('username');

    await signIn(page, person);
    await allow(page);
    const answer = await arrived(page);
    expect(answer.get('code')).toMatch(/^.{40,}$/);
    expect(answer.get('state')).toBe('a state+ü');
    expect(answer.get('iss')).toBe(server.url);
    expect(problems).toEqual([]);
  });
});
