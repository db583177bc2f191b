/**
 * Pictures of the real pages, for the README: `node test/browser/screenshots.ts docs/images`. With `--all` every page in every
 * state, from the gallery, in each language, in light and dark, on a phone and on a wide screen: to be looked at, not to be kept.
 * axe-core looks at each of them too, and what it finds is said at the end. `--only=login` does the states that begin so,
 * `--only=mail-` the mails, on a phone and in a reading pane. With `--sheets` one contact sheet per page and look
 * instead; `--looks=dark,arabic-360` makes those that begin so.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { galleryAddress } from '../../dev/gallery/gallery.ts';
import { mailNames } from '../../dev/gallery/mails.ts';
import { states } from '../../src/pages/states.ts';
import { buildVisitor, launchChromium } from '../support/chromium.ts';
import { buildClient, password, startServer } from '../support/server.ts';
import { authorizeAddress, redirectUri, signIn } from './journey.ts';
import { flaws, looks, withAxe } from './looks.ts';
import { chosenLooks } from './sheets/sheet-looks.ts';
import { takeSheets } from './sheets/sheets.ts';

const all = process.argv.includes('--all');
const sheets = process.argv.includes('--sheets');
const option = (name: string) => process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const only = option('only') ?? '';
// Before anything is started: a wrong name ends the run.
const sheetLooks = chosenLooks(option('looks'));
const languages = ['en', 'de', 'ar'];
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

async function account(page: Page): Promise<void> {
  await page.goto('/account');
  await signIn(page, ada);
  await page.getByRole('heading', { level: 1 }).waitFor();
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
  ['login-light', 'light', 720, 860, login],
  ['login-dark', 'dark', 720, 860, login],
  ['consent', 'light', 720, 940, consent],
  ['account', 'light', 1180, 900, account],
  ['playground', 'light', 1280, 900, playground],
  ['refused', 'light', 900, 760, refused],
  ['mail', 'light', 600, 880, at('/gallery/mail/new-sign-in?locale=en')],
];

if (all) await takeAll();
else if (sheets) await takeEverySheet();
else {
  for (const [name, colorScheme, width, height, visit] of pictures) {
    const { page, context } = await buildVisitor(browser, server, { colorScheme, viewport: { width, height } });
    await visit(page);
    await page.mouse.move(0, 0);
    const path = join(folder, `${name}.png`);
    await page.screenshot({ path });
    process.stdout.write(`${path}: ${Math.round(statSync(path).size / 1024)} KB\n`);
    await context.close();
  }
}

/** `DIR/<language>/<state>-<width>-<scheme>.png` */
async function takeAll(): Promise<void> {
  const { page, context } = await buildVisitor(browser, server);
  await withAxe(context);
  const found: string[] = [];
  for (const locale of languages) {
    mkdirSync(join(folder, locale), { recursive: true });
    for (const state of states.filter(({ name }) => name.startsWith(only))) {
      await page.goto(`${galleryAddress(state)}?locale=${locale}`);
      for (const look of looks) {
        found.push(...(await flaws(page, [look])).map((flaw) => `${locale} ${state.name}: ${flaw}`));
        const path = join(folder, locale, `${state.name}-${look.width}-${look.colorScheme}.png`);
        await page.screenshot({ path, fullPage: true });
      }
    }
    for (const name of mailNames.filter((mail) => `mail-${mail}`.startsWith(only))) {
      await page.goto(`/gallery/mail/${name}?locale=${locale}`);
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [320, 600]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 800 });
          const path = join(folder, locale, `mail-${name}-${width}-${colorScheme}.png`);
          await page.screenshot({ path, fullPage: true });
        }
      }
    }
    process.stdout.write(`${locale}: done\n`);
  }
  process.stdout.write(found.length === 0 ? 'axe-core found nothing.\n' : `${found.join('\n')}\n`);
  if (found.length > 0) process.exitCode = 1;
}

async function takeEverySheet(): Promise<void> {
  const chosen = states.filter(({ name, view }) => name.startsWith(only) || view.startsWith(only));
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const wider = await takeSheets({ browser, server, states: chosen, looks: sheetLooks, folder, say });
  for (const page of wider) say(`wider than the screen: ${page}`);
  if (wider.length > 0) process.exitCode = 1;
}

await browser.close();
await server.close();
