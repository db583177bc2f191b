/**
 * oidc-client-ts in a page: a whole run with redirects, and one with windows, which need the opener to be left alone.
 */
import type { Page } from 'playwright-core';
import type { Client, Visit } from './client.ts';
import { allow, atSignIn, mustKnowAda, signIn } from './person.ts';
import { nodeVersion } from './pins.ts';
import { nodeProgram } from './programs.ts';

const press = (page: Page, id: string) => page.locator(`#${id}`).click();

/** What the page shows in the end. */
async function shown(page: Page, kind: string): Promise<Record<string, unknown>> {
  const text = (await page.locator('#result', { hasText: /./ }).textContent()) ?? '';
  const { kind: was, profile } = JSON.parse(text) as { kind: string; profile?: Record<string, unknown> };
  if (was !== kind) throw new Error(`"${kind}" was due, and the page shows: ${text}`);
  return profile ?? {};
}

async function openWindow(page: Page, id: string): Promise<Page> {
  const [window] = await Promise.all([page.waitForEvent('popup'), press(page, id)]);
  return window;
}

async function refresh({ page }: Visit): Promise<void> {
  const tokenOf = async () =>
    (JSON.parse((await page.locator('#result').textContent()) ?? '') as { token?: string }).token;
  const before = await tokenOf();
  await press(page, 'renew');
  mustKnowAda(await shown(page, 'renewed'));
  if ((await tokenOf()) === before) throw new Error('the access token is the same as before');
}

/** The library's own request for userinfo, made while `work` runs. */
async function heardAtUserinfo({ page, issuer }: Visit, work: () => Promise<unknown>): Promise<void> {
  const asked = page.waitForResponse(
    (response) => response.url() === `${issuer}/oauth/userinfo` && response.request().method() === 'GET',
  );
  const [response] = await Promise.all([asked, work()]);
  mustKnowAda((await response.json()) as Record<string, unknown>);
}

const common = {
  language: 'node',
  version: nodeVersion('oidc-client-ts'),
  kind: 'spa',
  settings: 'none; for userinfo `loadUserInfo: true`',
  redirectPaths: ['/callback', '/callback-userinfo', '/popup'],
  signedOutPaths: ['/signed-out', '/popup-signed-out'],
  program: nodeProgram('spa.ts'),
} as const;

export const byRedirect: Client = {
  ...common,
  name: 'oidc-client-ts redirect',
  steps: {
    async login({ page, url, person }) {
      await page.goto(url);
      await press(page, 'redirect');
      await signIn(page, person);
      mustKnowAda(await shown(page, 'redirect'));
    },
    refresh,
    userinfo: (visit) =>
      heardAtUserinfo(visit, async () => {
        await press(visit.page, 'redirect-userinfo');
        await allow(visit.page);
        await shown(visit.page, 'redirect');
      }),
    async logout({ page }) {
      await press(page, 'out');
      await page.waitForURL('**/signed-out**');
      await shown(page, 'signed out');
      await press(page, 'redirect');
      await atSignIn(page);
    },
  },
};

export const byPopup: Client = {
  ...common,
  name: 'oidc-client-ts popup',
  steps: {
    async login({ page, url, person }) {
      await page.goto(url);
      await signIn(await openWindow(page, 'popup'), person);
      mustKnowAda(await shown(page, 'popup'));
      // This library has another way as well; MSAL and Swagger UI need the opener.
      const hasOpener = await page.evaluate("localStorage.getItem('has-opener')");
      if (hasOpener !== 'true') throw new Error('the window has lost its opener on the way through the pages');
    },
    refresh,
    userinfo: (visit) =>
      heardAtUserinfo(visit, async () => {
        await allow(await openWindow(visit.page, 'popup-userinfo'));
        await shown(visit.page, 'popup');
      }),
    async logout({ page }) {
      await openWindow(page, 'popup-out');
      await shown(page, 'signed out');
      await atSignIn(await openWindow(page, 'popup'));
    },
  },
};
