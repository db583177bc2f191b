/**
 * The gallery of mails, as mail programs show them: each kind in each language, in light and dark, on the narrowest
 * phone and in a reading pane. No picture is there, and nothing may be fetched.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { mailNames, sampleLetter } from '../../dev/gallery/mails.ts';
import { createWording } from '../../src/mail/letters.ts';
import { openMailLook } from '../../src/pages/kit/mail/mail-look.ts';
import { buildVisitor, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { startServer } from '../support/server.ts';
import type { Look } from './looks.ts';

const suite = describeWith('Chromium');
const everyLook = process.env.TEST_LOOKS === 'all';
const looks: readonly Look[] = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [320, 600].map((width) => ({ colorScheme, width })),
);
/** A mail stands inside the page of a mail program, which has the landmarks. */
const rules = { region: { enabled: false }, 'landmark-one-main': { enabled: false } };
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-mails-'));
afterAll(() => rmSync(folder, { recursive: true }));
const logo = join(folder, 'logo.png');
writeFileSync(
  logo,
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);

const brands = {
  plain: { name: 'Example' },
  long: {
    name: 'Donaudampfschifffahrtsgesellschaft'.repeat(2).slice(0, 60),
    accent: '#ffb000',
    logo,
    links: {
      privacy: 'https://example.com/privacy',
      terms: 'https://example.com/terms',
      support: 'mailto:help@example.com',
    },
  },
};
type BrandName = keyof typeof brands;

function wordingOf(brandName: BrandName) {
  const config = { issuer: 'https://id.example.com', brand: brands[brandName] };
  return createWording({ ...config, brandName: config.brand.name, look: async () => openMailLook(config) });
}
const wordings = { plain: wordingOf('plain'), long: wordingOf('long') };

function mailOf(brandName: BrandName, name: string, locale: string) {
  const letter = sampleLetter(name, locale);
  if (!letter) throw new Error(`no sample ${name}`);
  return wordings[brandName](letter);
}

suite('mails', () => {
  let browser: Browser;
  let page: Page;
  /** What the mail that is open has asked for. */
  let requests: string[] = [];
  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage();
    page.on('request', (request) => requests.push(request.url()));
  });
  afterAll(() => browser.close());

  async function open(brandName: BrandName, name: string, locale: string) {
    requests = [];
    const mail = await mailOf(brandName, name, locale);
    await page.setContent(mail.html);
    return mail;
  }

  const flaws = async (): Promise<string[]> => {
    const options = JSON.stringify({ runOnly: tags, rules, resultTypes: ['violations'] });
    await page.evaluate(axe.source);
    return page.evaluate<string[]>(
      `axe.run(document, ${options}).then(({ violations }) =>
         violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 160)).join(' | ')))`,
    );
  };

  /** What sticks out or is missing at both widths, and what axe-core finds in the given looks. */
  async function look(brandName: BrandName, name: string, locale: string, withAxe: readonly Look[]): Promise<string[]> {
    const found: string[] = [];
    const { link = null } = await open(brandName, name, locale);
    for (const width of [320, 600]) {
      await page.setViewportSize({ width, height: 800 });
      const missing = await page.evaluate<string[]>(`(${layoutFlaws})(${JSON.stringify(link)})`);
      found.push(...missing.map((flaw) => `${name}, ${width} px: ${flaw}`));
    }
    for (const { colorScheme, width } of withAxe) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      found.push(...(await flaws()).map((flaw) => `${name}, ${colorScheme}, ${width} px: ${flaw}`));
    }
    return found;
  }

  // Each brand, language, scheme and width comes up; with TEST_LOOKS=all every combination.
  test.each([
    ['plain', 'en', [{ colorScheme: 'light', width: 320 }]],
    ['plain', 'ar', [{ colorScheme: 'dark', width: 320 }]],
    ['long', 'de', [{ colorScheme: 'dark', width: 600 }]],
    ['long', 'ar', [{ colorScheme: 'light', width: 600 }]],
    ['long', 'en', []],
    ['plain', 'de', []],
  ] as const)(
    'of the brand %s in %s: nothing for axe-core, no sideways scroll, every link to be read',
    async (...row) => {
      const [brandName, locale, some] = row;
      const found: string[] = [];
      for (const name of mailNames) found.push(...(await look(brandName, name, locale, everyLook ? looks : some)));
      expect(found).toEqual([]);
    },
  );

  test('nothing is fetched but the logo', async () => {
    for (const name of mailNames) {
      await open('plain', name, 'en');
      expect([name, requests]).toEqual([name, []]);
      await open('long', name, 'en');
      expect([name, [...new Set(requests)]]).toEqual([
        name,
        [expect.stringMatching(/^https:\/\/id\.example\.com\/brand\/logo\.png\?v=[\w-]+$/)],
      ]);
    }
  });

  test('without pictures the brand, the facts and the way on are there', async () => {
    await open('long', 'password-changed', 'en');
    for (const words of [brands.long.name, 'Firefox on Windows', '203.0.113.42', 'If this was not you'])
      expect([words, await page.getByText(words, { exact: true }).first().isVisible()]).toEqual([words, true]);
    expect(await page.getByRole('rowheader').allInnerTexts()).toEqual(['Account', 'When', 'Device', 'IP address']);
    // The picture has not come, and leaves no hole.
    expect(await page.evaluate(`document.querySelector('img').naturalWidth`)).toBe(0);
  });

  test('the dark is dark, with light text, and the button keeps the colour of the brand', async () => {
    await page.emulateMedia({ colorScheme: 'light' });
    await open('long', 'reset-password', 'en');
    const colour = (selector: string, property: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${property}`);
    const light = [await colour('.card', 'backgroundColor'), await colour('h1', 'color')];
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = [await colour('.card', 'backgroundColor'), await colour('h1', 'color')];
    expect([light, dark]).toEqual([
      ['rgb(255, 255, 255)', 'rgb(27, 31, 41)'],
      ['rgb(21, 25, 34)', 'rgb(232, 235, 242)'],
    ]);
    expect(await colour('.button td', 'backgroundColor')).toBe('rgb(255, 176, 0)');
  });

  test('what a list of mails shows stands before all else, and is not read twice', async () => {
    const { html } = await open('plain', 'sign-in-code', 'en');
    const words = html
      .slice(html.indexOf('<body'))
      .replace(/<[^>]*>/g, '')
      .trim();
    expect(words).toMatch(/^It works once, for 10 minutes\. Never share it\.(?:\s|\u034f){150,}Example/);
    expect(await page.getByText('Never share it.', { exact: false }).first().isVisible()).toBe(false);
  });

  test('one press marks the whole code, which is then copied as it is typed', async () => {
    await open('plain', 'sign-in-code', 'ar');
    await page.locator('.code').click();
    expect(await page.evaluate('getSelection().toString()')).toBe('4920 7316');
  });

  test('a button is large enough for a thumb, and as wide as a phone', async () => {
    await open('plain', 'invitation', 'en');
    for (const [width, widest] of [
      [320, 260],
      [600, 300],
    ] as const) {
      await page.setViewportSize({ width, height: 800 });
      const box = await page.getByRole('link', { name: 'Create your account' }).boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(44);
      expect((box?.width ?? 0) <= widest && (box?.width ?? 0) > (width === 320 ? 240 : 150)).toBe(true);
    }
  });
});

suite('the gallery of a server', () => {
  test('has every mail, with scripts, forms and fetches off', async () => {
    const [browser, server] = await Promise.all([launchChromium(), startServer()]);
    const { page, problems } = await buildVisitor(browser, server);
    await page.goto('/gallery?locale=de');
    await page.getByRole('link', { name: 'reset-password', exact: true }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Neues Passwort festlegen');
    const response = await page.reload();
    expect(response?.headers()['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'unsafe-inline'; img-src https:; form-action 'none'; .*; sandbox /,
    );
    expect((await page.goto('/gallery/mail/no-such-mail'))?.status()).toBe(404);
    expect(problems).toEqual([]);
    await browser.close();
    await server.close();
  });
});

/** Sideways scroll, parts that reach beyond their card, and the address of the button if it cannot be read. */
const layoutFlaws = `(link) => {
  const root = document.documentElement;
  const cards = [...document.querySelectorAll('.card')];
  const beyond = (element, card) => {
    const [inner, outer] = [element.getBoundingClientRect(), card.getBoundingClientRect()];
    return inner.width > 0 && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
  };
  const cut = cards.flatMap((card) =>
    [...card.querySelectorAll('p, a, span, td, th, h1, h2')].filter((element) => beyond(element, card)));
  const read = [...document.links].some((one) =>
    one.innerText === link && one.href === link && one.checkVisibility() && one.getBoundingClientRect().height > 12);
  return [
    ...(root.scrollWidth > root.clientWidth ? ['wider than the screen'] : []),
    ...cut.map((element) => 'cut off: ' + element.outerHTML.slice(0, 80)),
    ...(link === null || read ? [] : ['the address of the button is not to be read']),
  ];
}`;
