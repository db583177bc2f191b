import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Renderer } from '../../src/http/render.ts';
import { createRenderer } from '../../src/http/render.ts';
import { serveStatic } from '../../src/http/static.ts';
import { loadTexts } from '../../src/http/texts.ts';
import { dynamicTextKeys, playgroundTexts } from '../../src/http/views.ts';
import type { ViewState } from './view-states.ts';
import { hostile, states, statesWith } from './view-states.ts';

const root = join(import.meta.dirname, '../..');
const viewsDir = join(root, 'views');
const publicDir = join(root, 'public');
const textsDir = join(viewsDir, 'texts');
const statics = serveStatic(publicDir);
const texts = loadTexts(textsDir);
const renderer = createRenderer({ viewsDir, brandName: 'Gatehouse', texts, statics });
const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-views-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const show = (state: ViewState, by: Renderer = renderer, locale = 'en'): string =>
  by.render(state.view, state.locals, { locale });
const viewFiles = readdirSync(viewsDir).filter((name) => name.endsWith('.ejs'));
const source = (file: string): string => readFileSync(join(viewsDir, file), 'utf8');
const words = (file: string): Record<string, string> => JSON.parse(readFileSync(join(textsDir, file), 'utf8'));
const tags = (html: string, name: string): string[] => html.match(new RegExp(`<${name}\\b[^>]*>`, 'g')) ?? [];

describe('every page in every state', () => {
  test.each(states)('$name', (state) => {
    const html = show(state);
    expect(html).toMatch(/^<!doctype html>\n<html lang="en" dir="ltr">/);
    expect(tags(html, 'h1')).toHaveLength(1);
    expect(tags(html, 'main')).toHaveLength(1);
    expect(html).toMatch(/<title>[^<]+<\/title>/);
    // A strict CSP has no room for these.
    expect(html).not.toMatch(/\sstyle=|<style|\son\w+=|javascript:/i);
    for (const script of tags(html, 'script'))
      expect(script).toMatch(/^<script src="\/public\/[\w.-]+\?v=[\w-]{12}" (defer|type="module")>$/);
    expect(html).not.toMatch(/undefined|\[object|NaN/);
    const own = statics('/public/gatehouse.css')?.body.length ?? 0;
    const script = statics('/public/page.js')?.body.length ?? 0;
    expect(Buffer.byteLength(html) + own + script).toBeLessThan(30_000);
  });

  test('the table of states leaves no view out', () => {
    const seen = new Set<string>(states.map((state) => `${state.view}.ejs`));
    expect(viewFiles.filter((file) => !seen.has(file))).toEqual(['layout.ejs']);
  });

  test('the password is never put back into a page', () => {
    for (const state of states)
      for (const input of tags(show(state), 'input').filter((tag) => tag.includes('type="password"')))
        expect(input).not.toContain('value=');
  });

  test('ids are unique and every label, description and form reference leads somewhere', () => {
    for (const state of states) {
      const html = show(state);
      const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [, wanted = ''] of html.matchAll(
        /\s(?:for|aria-describedby|aria-labelledby|aria-controls|form)="([^"]+)"/g,
      )) {
        for (const id of wanted.split(' ')) expect(ids).toContain(id);
      }
    }
  });
});

describe('hostile values (B15, A16, F5)', () => {
  const calm = statesWith('calm').map((state) => tagNames(show(state)));

  test.each(hostile.map((value) => [value.slice(0, 40), value] as const))('%j', (_, value) => {
    for (const [index, state] of statesWith(value).entries()) {
      const html = show(state);
      // The page has the elements it has with a harmless value, less those a bad link would have made.
      const rest = [...(calm[index] ?? [])];
      for (const name of tagNames(html).filter((tag) => !/^\/?(a|img|form|input|button|mark)$/.test(tag)))
        expect(rest).toContain(name);
      for (const [tag] of html.matchAll(/<[a-z][^>]*>/g)) expect(tag).not.toMatch(/\son\w+\s*=\s*["'a-z]/i);
      expect(html).not.toMatch(/<script>|<svg\/onload/i);
      expect(html).not.toMatch(/[\u202a-\u202e\ufffe]/);
      expect(html.isWellFormed()).toBe(true);
      expect(html.length).toBeLessThan(14_000);
    }
  });

  test('a template inside a name stays text', () => {
    for (const state of statesWith('<%= 7*7 %>{{7*7}}')) {
      const html = show(state);
      if (state.name !== 'signed-out') expect(html).toContain('&lt;%= 7*7 %&gt;{{7*7}}');
      expect(html).not.toMatch(/\b49\b/);
    }
  });

  test('a name is isolated from the sentence around it and clipped', () => {
    for (const view of ['login', 'consent', 'stale-client']) {
      const state = statesWith(`safe\u202egpj.exe${'x'.repeat(10_000)}`).find(({ name }) => name === view);
      if (state === undefined) throw new Error(`no state ${view}`);
      expect(show(state)).toMatch(/<bdi>safegpj\.exex{52}…<\/bdi>/);
    }
  });

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:x',
    'file:///etc/passwd',
    '//evil.example',
    '/\\evil.example',
  ])('no link ever leads to %j', (value) => {
    for (const state of statesWith(value)) {
      for (const [, url = ''] of show(state).matchAll(/\s(?:href|src|action)="([^"]*)"/g)) {
        expect(url).toMatch(/^(\/(?!\/)[\w.?=/-]*|https?:\/\/.*)$/);
      }
    }
  });

  test('what cannot be seen is spelled out for the developer', () => {
    const html = renderer.render(
      'error',
      {
        status: 400,
        kind: 'redirect',
        reference: 'R-1',
        detail: { check: 'c', received: 'https://a.example/\u200b', receivedMarkFrom: 18 },
      },
      { locale: 'en' },
    );
    expect(html).toContain('https://a.example/<mark>\\u{200b}</mark>');
  });

  test('only the layout and the logout form put out anything raw', () => {
    const raw = viewFiles.flatMap((file) =>
      [...source(file).matchAll(/<%-(.*?)-?%>/g)].map((match) => `${file}: ${match[1]?.trim()}`),
    );
    expect(raw.sort()).toEqual(['layout.ejs: body', 'logout.ejs: it.formHtml']);
  });
});

describe('texts', () => {
  const english = words('en.json');
  const all = viewFiles.map(source).join('\n');
  const written = [...all.matchAll(/\b(?:t|around)\('([^']+)'/g)].map((match) => match[1] ?? '');
  // What src/http itself asks for by name.
  const used = new Set([...written, ...dynamicTextKeys, 'scope.other']);

  test('every text a view uses is in the catalogue', () => {
    expect([...used].filter((key) => !(key in english)).sort()).toEqual([]);
  });

  test('every text in the catalogue is used', () => {
    expect(Object.keys(english).filter((key) => !used.has(key))).toEqual([]);
  });

  test('the playground uses the texts it is given, and no others', () => {
    const script = readFileSync(join(publicDir, 'playground.js'), 'utf8');
    const named = [...script.matchAll(/\bt\('([^']+)'\)/g)].map((match) => match[1] ?? '');
    const byPart = [
      ...[...script.matchAll(/\['(\w+)', /g)].map((match) => `check.${match[1]}`),
      ...[...script.matchAll(/what: '(\w+)', url/g)].map((match) => `send.${match[1]}`),
      'check.pass',
      'check.fail',
    ];
    const listed: readonly string[] = playgroundTexts;
    expect(named.filter((key) => !listed.includes(key))).toEqual([]);
    expect(listed.filter((key) => !named.includes(key) && !byPart.includes(key))).toEqual([]);
  });

  test('a key put together in a view begins like one that is listed', () => {
    const prefixes = [...all.matchAll(/\bt\(`([^$`]*)\$\{/g)].map((match) => match[1] ?? '');
    expect(prefixes.length).toBeGreaterThan(0);
    for (const prefix of prefixes) expect(dynamicTextKeys.some((key) => key.startsWith(prefix))).toBe(true);
  });

  test.each(readdirSync(textsDir))('%s has the same keys and placeholders as English, and no HTML', (file) => {
    const catalogue = words(file);
    const shape = (of: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(of)
          .map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort()])
          .sort(),
      );
    expect(shape(catalogue)).toEqual(shape(english));
    for (const text of Object.values(catalogue)) expect(text).not.toMatch(/[<>&]/);
  });
});

describe('languages', () => {
  const dir = join(scratch, 'texts');
  const several = (() => {
    mkdirSync(dir);
    writeFileSync(join(dir, 'en.json'), JSON.stringify({ hello: 'Hello {name}!', only: 'English only' }));
    writeFileSync(join(dir, 'de.json'), JSON.stringify({ hello: 'Hallo {name}!' }));
    writeFileSync(join(dir, 'ar.json'), JSON.stringify({ hello: 'مرحبا {name}!' }));
    writeFileSync(join(dir, 'pt-BR.json'), JSON.stringify({ hello: 'Olá {name}!' }));
    return loadTexts(dir);
  })();

  test.each([
    [{}, 'en'],
    [{ acceptLanguage: 'de-AT,de;q=0.9,en;q=0.8' }, 'de'],
    [{ acceptLanguage: 'en;q=0.1, ar;q=0.9' }, 'ar'],
    [{ acceptLanguage: 'de;q=0, *' }, 'en'],
    [{ acceptLanguage: 'xx, yy;q=abc, ;;;' }, 'en'],
    [{ acceptLanguage: 'pt-br' }, 'pt-br'],
    [{ account: 'ar', acceptLanguage: 'de' }, 'ar'],
    [{ uiLocales: 'xx de-CH', account: 'ar', acceptLanguage: 'en' }, 'de'],
    [{ uiLocales: '__proto__ constructor ../en <script>' }, 'en'],
    [{ acceptLanguage: 'a,'.repeat(100_000) }, 'en'],
  ])('%j -> %s', (wishes, locale) => {
    expect(several.negotiateLocale(wishes)).toBe(locale);
  });

  test('English stands in for what a language lacks, and the key for what none has', () => {
    expect(several.text('de', 'only')).toBe('English only');
    expect(several.text('de', 'no.such')).toBe('no.such');
  });

  test('a value is filled in once, never from the prototype, and isolated where directions meet', () => {
    expect(several.text('en', 'hello', { name: '{name}{hello}' })).toBe('Hello {name}{hello}!');
    expect(several.text('en', 'hello', {})).toBe('Hello {name}!');
    expect(several.text('en', 'hello', { name: 'ليلى' })).toBe('Hello \u2068ليلى\u2069!');
    expect(several.text('ar', 'hello', { name: 'Ada' })).toBe('مرحبا \u2068Ada\u2069!');
    expect(several.around('de', 'hello', 'name')).toEqual(['Hallo ', '!']);
  });

  test('a right-to-left language turns the page', () => {
    const page = createRenderer({ viewsDir, brandName: 'Gatehouse', texts: several, statics });
    expect(page.render('not-found', {}, { locale: 'ar' })).toContain('<html lang="ar" dir="rtl">');
  });
});

describe('overrides and assets', () => {
  test('a file of the same name in the override folder wins; the others stay', () => {
    const overrideDir = join(scratch, 'override');
    mkdirSync(overrideDir);
    writeFileSync(join(overrideDir, 'not-found.ejs'), "<% page.title = 'Lost' -%>\n<h1>Lost <%= brand %></h1>");
    const own = createRenderer({ viewsDir, overrideDir, brandName: 'A & B', texts, statics });
    const html = own.render('not-found', {}, { locale: 'en' });
    expect(html).toContain('<h1>Lost A &amp; B</h1>');
    expect(html).toContain('<title>Lost · A &amp; B</title>');
    expect(own.render('stale', {}, { locale: 'en' })).toContain(texts.text('en', 'stale.title'));
  });

  test('a view that breaks says which file it was', () => {
    const overrideDir = join(scratch, 'broken');
    mkdirSync(overrideDir);
    writeFileSync(join(overrideDir, 'stale.ejs'), '<%= it.no.such %>');
    const own = createRenderer({ viewsDir, overrideDir, brandName: 'Gatehouse', texts, statics });
    expect(() => own.render('stale', {}, { locale: 'en' })).toThrow(join(overrideDir, 'stale.ejs'));
  });

  test('an asset has the hash of its content in its address and its own type', () => {
    expect(renderer.asset('gatehouse.css')).toMatch(/^\/public\/gatehouse\.css\?v=[\w-]{12}$/);
    expect(statics('/public/gatehouse.css')?.type).toBe('text/css; charset=utf-8');
    expect(statics('/public/page.js')?.etag).toMatch(/^"[\w-]{12}"$/);
    expect(() => renderer.asset('no-such.css')).toThrow('no-such.css');
  });

  test.each([
    '/public/../package.json',
    '/public/%2e%2e/package.json',
    '/public//gatehouse.css',
    '/public/',
    '/public',
    '__proto__',
    '/public/__proto__',
    '/public/GATEHOUSE.CSS',
  ])('nothing is served at %s', (path) => {
    expect(statics(path)).toBeUndefined();
  });

  test('nothing in the style sheet or the scripts comes from elsewhere', () => {
    for (const file of readdirSync(publicDir)) {
      const text = readFileSync(join(publicDir, file), 'utf8').replace('http://www.w3.org/2000/svg', '');
      expect(text).not.toMatch(/https?:\/\/|@import|\burl\(|innerHTML|eval\(|document\.write/);
    }
  });
});

function tagNames(html: string): string[] {
  return [...html.matchAll(/<(\/?[a-z][a-z0-9]*)\b/gi)].map((match) => match[1] ?? '');
}
