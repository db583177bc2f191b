import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openBrand } from '../../../src/pages/kit/brand/brand.ts';
import type { Renderer } from '../../../src/pages/kit/render.ts';
import { createRenderer } from '../../../src/pages/kit/render.ts';
import type { ViewState } from '../../../src/pages/kit/state.ts';
import { serveStatic } from '../../../src/pages/kit/static.ts';
import { loadTexts } from '../../../src/pages/kit/texts.ts';
import { tryViews } from '../../../src/pages/kit/try-views.ts';
import { states } from '../../../src/pages/states.ts';
import { hostile, statesWith } from './view-states.ts';

const root = join(import.meta.dirname, '../../..');
const viewsDir = join(root, 'views');
const publicDir = join(root, 'public');
const textsDir = join(viewsDir, 'texts');
const statics = serveStatic(publicDir);
const brand = openBrand({ name: 'Gatehouse' });
const texts = loadTexts(textsDir);
const renderer = createRenderer({ viewsDir, brand, texts, statics });
const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-views-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const show = (state: ViewState, by: Renderer = renderer, locale = 'en'): string =>
  by.render(state.view, state.locals, { locale });
const templates = readdirSync(viewsDir, { encoding: 'utf8', recursive: true }).filter((file) => file.endsWith('.ejs'));
const viewPaths = templates.filter((file) => !file.startsWith('kit/parts/'));
const viewFiles = viewPaths.map((file) => basename(file));
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
    const parts = [...html.matchAll(/"(\/public\/[\w.-]+)\?/g)].map(([, path = '']) => path);
    const bytes = [...new Set(parts)].map((path) => statics(path)?.gzipped().length ?? Number.NaN);
    expect(bytes.reduce((sum, size) => sum + size, Buffer.byteLength(html))).toBeLessThan(30_000);
  });

  test('each view is in the folder of an area, and no two have one name', () => {
    expect(viewPaths.filter((file) => !/^[a-z-]+\/[a-z-]+\.ejs$/.test(file))).toEqual([]);
    expect(new Set(viewFiles).size).toBe(viewFiles.length);
  });

  test('the table of states leaves no view out', () => {
    const seen = new Set<string>(states.map((state) => `${state.view}.ejs`));
    expect(viewFiles.filter((file) => !seen.has(file))).toEqual(['layout.ejs', 'mail.ejs']);
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
      expect(html.length).toBeLessThan(16_000);
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
        expect(url).toMatch(/^((\/(?!\/)[\w.?=/-]*)?(#[a-z-]+)?|https?:\/\/.*)$/);
      }
    }
  });

  test('only the key of an authenticator app opens an app, and only from the page that shows it', () => {
    const app = states.find(({ name }) => name === 'account-app');
    if (app?.view !== 'account-app') throw new Error('no such state');
    const opens = (uri: string) =>
      /<a class="button[^"]*" href="(otpauth:[^"]*)"/.exec(show({ ...app, locals: { ...app.locals, uri } }))?.[1];
    expect(opens('otpauth://totp/G:ada?secret=A&issuer=G')).toBe('otpauth://totp/G:ada?secret=A&amp;issuer=G');
    for (const uri of ['otpauth://hotp/G:ada', 'otpauth:alert(1)', 'javascript:otpauth://totp/x', 'otpauth://totp/a b'])
      expect(opens(uri)).toBeUndefined();
    // A client's or a provider's address does not.
    for (const state of statesWith('otpauth://totp/G:ada?secret=A'))
      expect([state.name, show(state).includes('href="otpauth:')]).toEqual([state.name, state.view === 'account-app']);
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

  test('nothing is put out raw but the body of the layout, the logout form, icons and parts', () => {
    const raw = templates.flatMap((file) =>
      [...readFileSync(join(viewsDir, file), 'utf8').matchAll(/<%-(.*?)-?%>/g)].map(
        (match) => `${basename(file)}: ${match[1]?.trim()}`,
      ),
    );
    const own = raw.filter((output) => !/^[\w-]+\.ejs: (icon|part)\([^<>]*\)$/.test(output));
    expect(own.sort()).toEqual(['layout.ejs: body', 'logout.ejs: it.formHtml']);
  });
});

test('a right-to-left language turns the page', () => {
  const dir = join(scratch, 'texts');
  mkdirSync(dir);
  writeFileSync(join(dir, 'ar.json'), '{}');
  const page = createRenderer({ viewsDir, brand, texts: loadTexts(textsDir, dir), statics });
  expect(page.render('not-found', {}, { locale: 'ar' })).toContain('<html lang="ar" dir="rtl">');
});

describe('overrides and assets', () => {
  let folders = 0;
  /** A folder of views of a deployment's own. */
  function overriding(files: Record<string, string>) {
    folders += 1;
    const overrideDir = join(scratch, `override-${folders}`);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(overrideDir, name)), { recursive: true });
      writeFileSync(join(overrideDir, name), text);
    }
    return { overrideDir, open: () => createRenderer({ viewsDir, overrideDir, brand, texts, statics }) };
  }

  test('a file of the same name in the override folder wins; the others stay', () => {
    const { overrideDir } = overriding({ 'not-found.ejs': "<% page.title = 'Lost' -%>\n<h1>Lost <%= brand %></h1>" });
    const own = createRenderer({ viewsDir, overrideDir, brand: openBrand({ name: 'A & B' }), texts, statics });
    const html = own.render('not-found', {}, { locale: 'en' });
    expect(html).toContain('<h1>Lost A &amp; B</h1>');
    expect(html).toContain('<title>Lost · A &amp; B</title>');
    expect(own.render('stale', {}, { locale: 'en' })).toContain(texts.text('en', 'stale.title'));
    expect(own.overridden).toEqual(['not-found']);
  });

  test.each([
    ['directly in the folder', viewFiles, 'layout.ejs'],
    ['in the folders of their areas', viewPaths, 'kit/layout.ejs'],
  ])(
    'every view and the layout can be a deployment’s own, %s, and then every state is shown with it',
    (_, files, layout) => {
      const { open } = overriding({
        ...Object.fromEntries(files.map((file) => [file, `<h1>own ${basename(file)}</h1>`])),
        [layout]: '<!doctype html><title><%= page.title %></title><main><%- body %></main>',
      });
      const own = open();
      for (const { view, locals } of states) {
        const html = own.render(view, locals, { locale: 'en' });
        expect(html).toBe(`<!doctype html><title>Gatehouse</title><main><h1>own ${view}.ejs</h1></main>`);
      }
      expect(() => tryViews(own, states)).not.toThrow();
    },
  );

  test('a part can be a deployment’s own, and stands in every page that has it', () => {
    const { open } = overriding({ 'kit/parts/note.ejs': '<p class="own"><%= it.text %></p>' });
    const own = open();
    expect(own.overridden).toEqual(['parts/note']);
    const noted = states.filter((state) => /class="note/.test(show(state)));
    expect(noted.some((state) => show(state, own).includes('<p class="own">'))).toBe(true);
    expect(() => tryViews(own, states)).not.toThrow();
  });

  test('a template that cannot be read stops the start, with its name', () => {
    const { overrideDir, open } = overriding({ 'stale.ejs': '<% if (it.setup) { %>' });
    expect(open).toThrow(`${join(overrideDir, 'stale.ejs')} is not a template: `);
  });

  test('a view of a name that no page has stops the start', () => {
    const { overrideDir, open } = overriding({ 'logn.ejs': 'x' });
    expect(open).toThrow(`${join(overrideDir, 'logn.ejs')} replaces no view. Known views: `);
  });

  test.each(['sign-in/logn.ejs', 'sign-in/consent.ejs'])(
    'so does one in the folder of an area that has none: %s',
    (file) => {
      const { overrideDir, open } = overriding({ [file]: 'x' });
      expect(open).toThrow(`${join(overrideDir, file)} replaces no view. Known views: `);
    },
  );

  test('two files for one view stop the start, with both their names', () => {
    const { overrideDir, open } = overriding({ 'login.ejs': 'x', 'sign-in/login.ejs': 'y' });
    const [one, other] = [join(overrideDir, 'login.ejs'), join(overrideDir, 'sign-in/login.ejs')];
    expect(open).toThrow(`${one} and ${other} both replace the view login. Keep one of them.`);
  });

  test('folders that are no area may hold anything', () => {
    const { open } = overriding({ 'parts/head.ejs': '<% not a view', '..data/login.ejs': 'x', 'stale.ejs': 'y' });
    expect(open().overridden).toEqual(['stale']);
  });

  test.each([
    ['stale', '<%= it.no.such %>'],
    ['login', '<% if (it.error) { %><%= explain(it.error) %><% } %>'],
    ['layout', '<%- body %><%= footer %>'],
  ])('a mistake that shows itself only in some state of %s stops the start too', (view, text) => {
    const { overrideDir, open } = overriding({ [`${view}.ejs`]: text });
    expect(() => tryViews(open(), states)).toThrow(
      new RegExp(
        `${join(overrideDir, view)}\\.ejs failed to render \\(in the state [\\w-]+\\): .*(no|such|explain|footer)`,
      ),
    );
  });

  test('an asset has the hash of its content in its address and its own type', () => {
    expect(renderer.asset('gatehouse.css')).toMatch(/^\/public\/gatehouse\.css\?v=[\w-]{12}$/);
    expect(statics('/public/gatehouse.css')?.type).toBe('text/css; charset=utf-8');
    expect(statics('/public/page.js')?.etag).toMatch(/^W\/"[\w-]{12}"$/);
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
