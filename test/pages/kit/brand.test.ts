/** Names, colours, logos and links: readable whatever the colour, harmless whatever the text, the server's own and an application's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.ts';
import { parseMetadata } from '../../../src/core/clients/metadata/client-metadata.ts';
import { colourOf, contrast, oklchOf } from '../../../src/pages/kit/brand/colour.ts';
import { themeAddress, themeAt, themeSheet, tokensOf } from '../../../src/pages/kit/brand/theme.ts';
import { Agent } from '../../support/agent.ts';
import { linkIn, mailTo, send } from '../../support/mail.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../../support/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-brand-'));
afterAll(() => rmSync(folder, { recursive: true }));
const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const logo = join(folder, 'logo.svg');
writeFileSync(logo, svg);

describe('colours', () => {
  test('contrast is as WCAG 2.2 has it', () => {
    expect(contrast('#ffffff', '#000000')).toBeCloseTo(21, 5);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.478, 3);
    expect(contrast('#123456', '#123456')).toBe(1);
  });

  const steps = ['00', '33', '66', '80', '99', 'cc', 'ff'];
  const colours = steps.flatMap((r) => steps.flatMap((g) => steps.map((b) => `#${r}${g}${b}`)));

  test('a colour survives the way to lightness, chroma and hue and back', () => {
    for (const colour of colours) expect(colourOf(oklchOf(colour))).toBe(colour);
  });

  // What stands where, in gatehouse.css.
  const grounds = { light: { card: '#ffffff', ground: '#f6f8fb' }, dark: { card: '#161922', ground: '#0c0f16' } };

  test.each(['light', 'dark'] as const)('every accent is readable: %s', (scheme) => {
    const { card, ground } = grounds[scheme];
    const poor = colours.filter((accent) => {
      const tokens = tokensOf({ accent }, scheme);
      const of = (name: string) => tokens[`--${name}`] ?? '';
      const texts: readonly (readonly [string, string])[] = [
        [of('accent'), card],
        [of('accent'), ground],
        [of('accent'), of('accent-soft')],
        [of('accent-strong'), card],
        [of('accent-text'), of('fill')],
        [of('accent-text'), of('fill-strong')],
      ];
      // The brand's own colour, and a button that is seen as one.
      const button = of('fill') === accent && contrast(of('fill-edge'), card) >= 3;
      return !button || texts.some(([text, under]) => contrast(text, under) < 4.5);
    });
    expect(poor).toEqual([]);
  });

  test.each(['light', 'dark'] as const)('every background leaves its text readable: %s', (scheme) => {
    const muted = { light: '#565d6a', dark: '#a2aab9' }[scheme];
    const poor = colours.filter((background) => {
      const tokens = tokensOf({ accent: '#ffb000', background: [background, '#808080'] }, scheme);
      const ends = tokens['--backdrop']?.match(/#[0-9a-f]{6}/g) ?? [];
      const texts = [muted, tokens['--accent'] ?? ''];
      return ends.length !== 2 || ends.some((end) => texts.some((text) => contrast(text, end) < 4.5));
    });
    expect(poor).toEqual([]);
  });

  test('a colour that is readable as it is stays as it is', () => {
    expect(tokensOf({ accent: '#0b5cad' }, 'light')['--accent']).toBe('#0b5cad');
    expect(tokensOf({ background: ['#eef2ff'] }, 'light')['--ground']).toBe('#eef2ff');
  });

  test('a theme is what its address says, and an address is nothing but colours', () => {
    const theme = { accent: '#ffb000', background: ['#eef2ff', '#ffffff'] };
    const address = themeAddress(theme) ?? '';
    expect(address).toMatch(/^\/brand\/theme-affb000-beef2ff-bffffff\.css\?v=\d+$/);
    expect(themeAt(address.split('?')[0] ?? '')).toEqual(theme);
    expect(themeSheet(theme)).toMatch(/^[@a-z:()\-{};, #0-9.\n%]+$/);
    expect(themeAddress({})).toBeUndefined();
    for (const accent of ['red', '#FFB000', '#fff', '#ffb000;}', '', 'url(x)', '#ffb0001'])
      expect(themeAddress({ accent })).toBeUndefined();
    for (const path of ['/brand/theme.css', '/brand/theme-affb00.css', '/brand/theme-affb000-affb000.css', '/brand/x'])
      expect(themeAt(path)).toBeUndefined();
  });
});

describe('settings', () => {
  const brandOf = (env: Record<string, string>) => {
    const loaded = loadConfig(env);
    return loaded.ok ? loaded.config.brand : loaded.mistakes.map(({ name }) => name);
  };

  test('all of them', () => {
    expect(
      brandOf({
        BRAND_NAME: 'Example',
        BRAND_LOGO: logo,
        BRAND_LOGO_DARK: logo,
        BRAND_ACCENT: '#0B5',
        BRAND_BACKGROUND: '#EEF2FF  #fff',
        BRAND_LINKS: 'privacy=https://example.com/p support=mailto:help@example.com',
      }),
    ).toEqual({
      name: 'Example',
      logo,
      logoDark: logo,
      accent: '#00bb55',
      background: ['#eef2ff', '#ffffff'],
      links: { privacy: 'https://example.com/p', support: 'mailto:help@example.com' },
    });
  });

  const text = join(folder, 'text.svg');
  writeFileSync(text, 'not a picture');
  const large = join(folder, 'large.svg');
  writeFileSync(large, `<svg>${' '.repeat(100_000)}</svg>`);
  const other = join(folder, 'logo.gif');
  writeFileSync(other, 'GIF89a');
  const named = join(folder, 'svg.png');
  writeFileSync(named, svg);

  test.each([
    ['BRAND_ACCENT', ['blue', '#12', '#1234567', '#12345g', 'url(#x)', '#fff;}body{display:none', 'rgb(0 0 0)']],
    ['BRAND_BACKGROUND', ['#fff #fff #fff', 'linear-gradient(red,blue)', '#fff,#000', '#fff;']],
    ['BRAND_LOGO', [text, large, other, named, folder, join(folder, 'nowhere.svg'), 'https://example.com/logo.svg']],
    [
      'BRAND_LINKS',
      [
        'https://example.com',
        'privacy=http://example.com',
        'privacy=javascript:alert(1)',
        'imprint=https://example.com',
        'privacy=https://a.example privacy=https://b.example',
        'privacy=https://user:pass@example.com/',
        'support=mailto:nobody',
        'terms=https://example.com/"onclick="x',
        'terms=',
      ].filter((links) => !links.includes('"')),
    ],
  ])('what is not one is refused: %s', (name, values) => {
    for (const value of values) expect([value, brandOf({ [name]: value })]).toEqual([value, [name]]);
  });

  test('all mistakes at once', () => {
    expect(brandOf({ BRAND_ACCENT: 'x', BRAND_BACKGROUND: 'x', BRAND_LINKS: 'x', BRAND_LOGO_DARK: logo })).toEqual([
      'BRAND_ACCENT',
      'BRAND_BACKGROUND',
      'BRAND_LINKS',
      'BRAND_LOGO_DARK',
    ]);
  });
});

describe('colours of an application', () => {
  const base = { redirect_uris: ['https://app.example.com/cb'] };
  const own = { brand_accent: '#ffb000', brand_background: '#eef2ff #ffffff' };
  const brandOf = (input: object, by: 'admin' | 'person' | 'register', previous?: object) => {
    const parsed = parseMetadata(
      { ...base, ...input },
      { by, ...(previous && { previous: { ...base, ...previous } }) },
    );
    if (parsed.outcome === 'invalid') return parsed.description;
    const { brand_accent, brand_background } = parsed.metadata;
    return { brand_accent, brand_background };
  };

  test('are an admin’s to set and to take away', () => {
    expect(brandOf(own, 'admin')).toEqual(own);
    expect(brandOf({}, 'admin', own)).toEqual({});
  });

  test('are nobody else’s: what they say is dropped, what an admin has said stays', () => {
    for (const by of ['person', 'register'] as const) {
      expect(brandOf(own, by)).toEqual({});
      expect(brandOf({ brand_accent: '#000000' }, by, own)).toEqual(own);
    }
  });

  test.each(['#FFB000', 'red', '#fff', '#ffb000;}', 7])('%j is refused', (accent) => {
    expect(brandOf({ brand_accent: accent }, 'admin')).toMatch(/^brand_accent must be a /);
    expect(brandOf({ brand_background: accent }, 'admin')).toMatch(/^brand_background must be a /);
  });
});

describe('a server with a brand', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      env: {
        BRAND_NAME: 'Example Accounts',
        BRAND_LOGO: logo,
        BRAND_ACCENT: '#0b5cad',
        BRAND_BACKGROUND: '#eef2ff',
        BRAND_LINKS:
          'terms=https://example.com/terms privacy=https://example.com/privacy support=mailto:help@example.com',
      },
    });
  });
  afterAll(() => server.close());

  test('shows it on every page', async () => {
    for (const path of ['/', '/nowhere', '/language']) {
      const { text } = await new Agent(server).go(path);
      expect(text).toContain('<bdi>Example Accounts</bdi>');
      expect(text).toMatch(/<img src="\/brand\/logo\.svg\?v=[\w-]{12}" alt="">/);
      expect(text).toMatch(/<link rel="stylesheet" href="\/brand\/theme-a0b5cad-beef2ff\.css\?v=\d+">/);
      expect(
        [...text.matchAll(/<a href="((?:https|mailto):[^"]+)">(\w+)</g)].map(([, to, name]) => [name, to]),
      ).toEqual([
        ['Privacy', 'https://example.com/privacy'],
        ['Terms', 'https://example.com/terms'],
        ['Help', 'mailto:help@example.com'],
      ]);
    }
  });

  test('its files may be kept for ever, and a picture opened by itself runs nothing', async () => {
    const { text } = await new Agent(server).go('/');
    const [picture = '', theme = ''] = [...text.matchAll(/(?:src|href)="(\/brand\/(?:logo|theme-)[^"]+)"/g)]
      .map(([, address]) => address ?? '')
      .sort()
      .filter((address, at, all) => all.indexOf(address) === at);
    const image = await fetch(server.url + picture);
    expect(await image.text()).toBe(svg);
    expect(image.headers.get('content-type')).toBe('image/svg+xml');
    expect(image.headers.get('content-security-policy')).toBe("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    const etag = image.headers.get('etag') ?? '';
    expect(
      (await fetch(server.url + picture, { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } })).status,
    ).toBe(304);
    const sheet = await fetch(server.url + theme);
    expect(sheet.headers.get('content-type')).toBe('text/css; charset=utf-8');
    for (const { headers } of [image, sheet]) {
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(await sheet.text()).toContain('--accent:#0b5cad');
  });

  test.each(['/brand/', '/brand/logo.png', '/brand/..%2fpackage.json', '/brand/theme-axxxxxx.css', '/brand/__proto__'])(
    'nothing is at %s',
    async (path) => {
      expect((await fetch(server.url + path)).status).toBe(404);
    },
  );

  test('an application’s colours and name take over while somebody goes on to it, and only then', async () => {
    const client = await buildClient(server, { brand_accent: '#ffb000' });
    const page = await new Agent(server).go(
      `/oauth/authorize?response_type=code&client_id=${client.id}&redirect_uri=https://app.example.com/cb&scope=openid&code_challenge=${'x'.repeat(43)}&code_challenge_method=S256`,
    );
    expect(page.text).toContain('Sign in to continue to <bdi>Bookshelf</bdi>');
    // Its accent, and the server's background since it has none of its own.
    expect(page.text).toMatch(/"\/brand\/theme-affb000-beef2ff\.css\?v=\d+"/);
  });

  const signInTo = (client: { id: string }) =>
    `/oauth/authorize?response_type=code&client_id=${client.id}&redirect_uri=https://app.example.com/cb&scope=openid&code_challenge=${'x'.repeat(43)}&code_challenge_method=S256`;

  test('an application’s background is behind its pages, and stays on the way through a forgotten password', async () => {
    const client = await buildClient(server, { brand_background: '#2b1a4d #7a1f3d' });
    const own = /"\/brand\/theme-a0b5cad-b2b1a4d-b7a1f3d\.css\?v=\d+"/;
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const page = await agent.go(signInTo(client));
    expect(page.text).toMatch(own);
    const [, forgot = ''] = /href="(\/forgot\?from=[^"]+)"/.exec(page.text) ?? [];
    const asked = await agent.go(forgot);
    expect(asked.text).toMatch(own);
    const missing = await send(agent, asked, { username: '' });
    expect([missing.status, missing.text]).toEqual([422, expect.stringMatching(own)]);
    expect((await send(agent, asked, { username: person.username })).text).toMatch(own);
    const link = linkIn(await mailTo(server, person.email ?? '', 'reset-password'));
    const form = await new Agent(server).go(link);
    expect(form.text).toMatch(own);
    const done = await send(new Agent(server), await agent.go(link), { password: 'nine owls in the attic' });
    expect(done.status).toBe(403);
    expect((await send(agent, await agent.go(link), { password: 'nine owls in the attic' })).text).toMatch(own);
    expect((await agent.go(link)).text).toMatch(own);
    // By itself, or from a sign-in that is not known, the pages are the server's own.
    for (const path of ['/forgot', '/forgot?from=0123456789abcdef0123']) {
      expect((await new Agent(server).go(path)).text).toMatch(/"\/brand\/theme-a0b5cad-beef2ff\.css/);
    }
  });
});
