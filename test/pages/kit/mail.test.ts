/** The look of mails: readable in every brand's colours, also where a mail program swaps light and dark; logos; own views. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { sampleLetter } from '../../../dev/gallery/mails.ts';
import { createWording } from '../../../src/mail/letters.ts';
import { contrast } from '../../../src/pages/kit/brand/colour.ts';
import { mailColours } from '../../../src/pages/kit/mail/mail-colours.ts';
import { openMailLook } from '../../../src/pages/kit/mail/mail-look.ts';
import { mistakesInViews } from '../../../src/pages/open.ts';
import { inverted } from '../../support/inverted.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-mail-'));
afterAll(() => rmSync(folder, { recursive: true }));
const issuer = 'https://id.example.com';

describe('colours', () => {
  const steps = ['00', '33', '66', '80', '99', 'cc', 'ff'];
  const accents = [undefined, ...steps.flatMap((r) => steps.flatMap((g) => steps.map((b) => `#${r}${g}${b}`)))];
  const pairs = (colours: ReturnType<typeof mailColours>['light']): readonly (readonly [string, string])[] => {
    const { ground, card, soft, ink, muted, link } = colours;
    return [ground, card, soft].flatMap((under) => [ink, muted, link].map((text) => [text, under] as const));
  };
  test.each(['light', 'dark'] as const)('every accent leaves every text readable: %s', (scheme) => {
    const poor = accents.filter((accent) => {
      const colours = mailColours(accent)[scheme];
      const button = contrast(colours.fillText, colours.fill) >= 4.5 && contrast(colours.fillEdge, colours.card) >= 3;
      return !button || pairs(colours).some(([text, under]) => contrast(text, under) < 4.5);
    });
    expect(poor).toEqual([]);
  });

  test('a mail program that turns the colours round leaves them readable', () => {
    const poor = accents.filter((accent) => {
      const colours = mailColours(accent).light;
      const button = contrast(inverted(colours.fillText), inverted(colours.fill));
      return button < 4 || pairs(colours).some(([text, under]) => contrast(inverted(text), inverted(under)) < 4.5);
    });
    expect(poor).toEqual([]);
  });
});

/** The HTML of a mail with a button, as a brand has it. */
async function htmlOf(brand: object, more: { issuer?: string; viewsDir?: string } = {}): Promise<string> {
  const config = { issuer, brand: { name: 'Example', ...brand }, ...more };
  const letter = sampleLetter('reset-password', 'en');
  if (!letter) throw new Error('no sample');
  return (await createWording({ ...config, brandName: 'Example', look: async () => openMailLook(config) })(letter))
    .html;
}

test('the button has exactly the brand’s colour, with text that can be read on it', async () => {
  const [, text = ''] =
    /background:#ffb000;[\s\S]*?<a [^>]*;color:(#[0-9a-f]{6});/.exec(await htmlOf({ accent: '#ffb000' })) ?? [];
  expect(contrast(text, '#ffb000')).toBeGreaterThan(4.5);
});

describe('the logo', () => {
  const file = (name: string) => {
    const path = join(folder, name);
    writeFileSync(path, 'a picture');
    return path;
  };
  const [png, dark, svg] = [file('logo.png'), file('dark.png'), file('logo.svg')];

  test('is a PNG at this server’s own address, beside the name, so that the mail needs no picture', async () => {
    const html = await htmlOf({ logo: png, logoDark: dark });
    expect(html).toMatch(/<img src="https:\/\/id\.example\.com\/brand\/logo\.png\?v=[\w-]+" alt="" height="32"/);
    expect(html).toMatch(/<source srcset="https:\/\/id\.example\.com\/brand\/logo-dark\.png\?v=[\w-]+" media=/);
    expect(html).toMatch(/<\/picture>&nbsp;\s*<bdi>Example<\/bdi>/);
    expect(html.match(/<img/g)).toHaveLength(1);
  });

  test('is left out where mail programs could not show or reach it', async () => {
    expect(await htmlOf({})).not.toMatch(/<img|<picture/);
    expect(await htmlOf({ logo: svg, logoDark: dark })).not.toMatch(/<img|<picture/);
    expect(await htmlOf({ logo: png }, { issuer: 'http://localhost:3000' })).not.toMatch(/<img|<picture/);
    expect(await htmlOf({ logo: png, logoDark: svg })).not.toContain('<source');
  });
});

describe('a deployment’s own view', () => {
  let folders = 0;
  const own = (name: string, text: string): string => {
    folders += 1;
    const viewsDir = join(folder, `views-${folders}`);
    mkdirSync(join(viewsDir, 'mail'), { recursive: true });
    writeFileSync(join(viewsDir, name), text);
    return viewsDir;
  };
  const template = '<h1><%= it.heading %></h1><% if (it.button) { %><a href="<%= it.button.to %>">go</a><% } %>';

  test.each(['mail.ejs', 'mail/mail.ejs'])('takes the place of the built-in one: %s', async (name) => {
    const viewsDir = own(name, template);
    expect(await mistakesInViews(viewsDir)).toBeUndefined();
    expect(await htmlOf({}, { viewsDir })).toMatch(
      /^<h1>Set a new password<\/h1><a href="https:\/\/id\.example\.com\/reset\?/,
    );
  });

  test.each([
    ['is no template', '<% if (it.button) { %>', 'mail.ejs is not a template: '],
    ['names what there is not', '<%= t("mail.address") %>', 'mail.ejs failed to render (in the state mail-least): '],
    ['needs a button in each mail', '<%= it.button.to %>', 'mail.ejs failed to render (in the state mail-least): '],
    ['fails on a code', '<% if (it.code) { %><%= it.no.such %><% } %>', '(in the state mail-most): '],
  ])('that %s stops the start', async (_, text, message) => {
    expect(await mistakesInViews(own('mail.ejs', text))).toContain(message);
  });
});
