/**
 * Pictures of the real pages, for the README: `node test/browser/screenshots.ts docs/images`. With `--all` every page that a
 * person meets, in light and dark, on a phone and on a wide screen: to be looked at, not to be kept.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { buildVisitor, launchChromium } from '../support/chromium.ts';
import { buildClient, password, startServer } from '../support/server.ts';
import { authorizeAddress, redirectUri, signIn } from './journey.ts';

const all = process.argv.includes('--all');
const folder = process.argv.slice(2).find((word) => !word.startsWith('-')) ?? 'docs/images';
mkdirSync(folder, { recursive: true });

// The address that a newcomer sees, unless it is taken: then PORT names another.
const server = await startServer({ port: Number(process.env.PORT ?? 3000) });
const browser = await launchChromium();
const ada = {
  username: 'ada',
  firstName: 'Ada',
  lastName: 'Example',
  email: 'ada@example.org',
  verified: true,
  password,
};
await server.core.accounts.create(ada);
const client = await buildClient(server, {
  client_uri: 'https://bookshelf.example/',
  policy_uri: 'https://bookshelf.example/privacy',
  tos_uri: 'https://bookshelf.example/terms',
});
const scopes = { scope: 'openid profile email offline_access', prompt: 'consent' };

const at = (address: string) => (page: Page) => page.goto(address).then(() => undefined);
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

async function consent(page: Page): Promise<void> {
  await page.goto(authorizeAddress(server, client, scopes));
  await signIn(page, ada);
  await page.getByRole('heading', { name: /^Allow/ }).waitFor();
}

async function playground(page: Page): Promise<void> {
  await page.goto('/playground');
  await button(page, 'Sign in');
  await page.getByRole('link', { name: 'Go there and sign in' }).click();
  await signIn(page, ada);
  await button(page, 'Allow');
  await page.locator('summary', { hasText: 'Check the ID token' }).waitFor();
  await button(page, 'Call userinfo');
  await page.locator('summary', { hasText: 'Ask userinfo' }).locator('.status').waitFor();
  await page.evaluate(`for (const entry of document.querySelectorAll('details'))
    entry.open = /Check the ID token|Ask userinfo/.test(entry.querySelector('summary').textContent)`);
  await page.evaluate('scrollTo(0, 0)');
}

const login = at(authorizeAddress(server, client, { login_hint: 'ada' }));
const refused = at(authorizeAddress(server, client, { redirect_uri: `${redirectUri}/` }));

/** Name, look, width and height, how to get there. */
const pictures: [string, 'light' | 'dark', number, number, (page: Page) => Promise<void>][] = [
  ['login-light', 'light', 720, 680, login],
  ['login-dark', 'dark', 720, 680, login],
  ['consent', 'light', 720, 830, consent],
  ['playground', 'light', 1280, 900, playground],
  ['refused', 'light', 900, 760, refused],
];

const everything: Record<string, (page: Page) => Promise<void>> = {
  welcome: at('/'),
  login,
  wrong: async (page) => {
    await login(page);
    await signIn(page, ada, 'wrong');
    await page.getByRole('alert').waitFor();
  },
  consent,
  new: async (page) => {
    const client = await buildClient(server);
    await page.goto(authorizeAddress(server, client));
    await signIn(page, ada);
    await button(page, 'Allow');
    await page.goto(authorizeAddress(server, client, scopes));
  },
  logout: async (page) => {
    await consent(page);
    await page.goto('/oauth/logout');
  },
  stayed: async (page) => {
    await consent(page);
    await page.goto('/oauth/logout');
    await button(page, 'Stay signed in');
  },
  'signed-out': at('/oauth/logout'),
  stale: at('/interaction/none'),
  refused,
  unknown: at(authorizeAddress(server, { id: 'nobody' })),
  'not-found': at('/nowhere'),
  setup: async (page) => {
    const link = await server.core.setup.createSetupLink();
    await page.goto(`/setup?token=${link?.token}`);
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.evaluate('document.forms[0].noValidate = true');
    await button(page, 'Create the account');
    await page.getByRole('alert').waitFor();
  },
  playground,
};

if (all) {
  for (const [name, visit] of Object.entries(everything)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [360, 1280]) {
        pictures.push([`${name}-${width}-${colorScheme}`, colorScheme, width, 800, visit]);
      }
    }
  }
}

for (const [name, colorScheme, width, height, visit] of pictures) {
  const { page, context } = await buildVisitor(browser, server, { colorScheme, viewport: { width, height } });
  await visit(page);
  await page.mouse.move(0, 0);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, fullPage: width === 360 });
  process.stdout.write(`${path}: ${Math.round(statSync(path).size / 1024)} KB\n`);
  await context.close();
}

await browser.close();
await server.close();
