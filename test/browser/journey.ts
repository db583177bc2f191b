/** The steps that most browser tests have in common. */

import type { Page, Response } from 'playwright-core';
import { randomToken } from '../../src/base/secrets.ts';
import { pkce } from '../support/agent.ts';
import { applicationSite } from '../support/chromium.ts';
import { password, type TestServer } from '../support/server.ts';

export const redirectUri = `${applicationSite}/cb`;

/** Where the application sends a person. */
export function authorizeAddress(
  server: Pick<TestServer, 'url'>,
  client: { readonly id: string },
  parameters: Record<string, string> = {},
): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: client.id,
    redirect_uri: redirectUri,
    scope: 'openid profile',
    state: randomToken(6),
    code_challenge: pkce().challenge,
    code_challenge_method: 'S256',
    ...parameters,
  });
  return `${server.url}/oauth/authorize?${query}`;
}

export async function signIn(page: Page, person: { readonly username: string }, typed = password): Promise<void> {
  await page.getByLabel('Username or e-mail').fill(person.username);
  await page.getByLabel('Password', { exact: true }).fill(typed);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

export const allow = (page: Page) => page.getByRole('button', { name: 'Allow' }).click();

/** On the page of new recovery codes: types one of them, as after saving them. */
export async function keepCodes(page: Page): Promise<void> {
  await page
    .getByLabel('One of your recovery codes')
    .fill((await page.locator('.codes code').nth(3).textContent()) ?? '');
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** The browser's own Back. Chromium refuses it while the tab is being handed over to a page that is still coming. */
export async function goBack(page: Page): Promise<void> {
  await page.waitForLoadState();
  await page.goBack();
}

export async function goForward(page: Page): Promise<void> {
  await page.waitForLoadState();
  await page.goForward();
}

/** The answer to the form that `send` sends, when its page stands there in place of the one before: that one may look the same. */
export async function answerTo(page: Page, send: () => Promise<unknown>): Promise<Response> {
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === 'POST'),
    page.waitForEvent('load'),
    send(),
  ]);
  return answer;
}

/** Whether the browser has a session that answers without a page, and whose it is not asked. */
export async function isSignedIn(page: Page, server: TestServer, client: { readonly id: string }): Promise<boolean> {
  const answer = await page
    .context()
    .request.get(authorizeAddress(server, client, { prompt: 'none', scope: 'openid' }), { maxRedirects: 0 });
  const { location = '' } = answer.headers();
  return new URL(location).searchParams.get('error') !== 'login_required';
}
