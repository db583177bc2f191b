/** The catalogues: complete, used, alike in every language; which language a page is in; how a text is filled in. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { playgroundTexts } from '../../../src/pages/kit/playground-texts.ts';
import { loadTexts } from '../../../src/pages/kit/texts.ts';
import { dynamicTextKeys } from './dynamic-text-keys.ts';

const root = join(import.meta.dirname, '../../..');
const viewsDir = join(root, 'views');
const textsDir = join(viewsDir, 'texts');
const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-texts-'));
afterAll(() => rmSync(scratch, { recursive: true }));

type Template = string | Record<string, string>;
const catalogueOf = (file: string): Record<string, Template> =>
  JSON.parse(readFileSync(join(textsDir, file), 'utf8')) as Record<string, Template>;
const formsOf = (template: Template): string[] => (typeof template === 'string' ? [template] : Object.values(template));
const slotsOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
const english = catalogueOf('en.json');

describe('texts and views', () => {
  const views = readdirSync(viewsDir, { encoding: 'utf8', recursive: true }).filter((file) => file.endsWith('.ejs'));
  const all = views.map((file) => readFileSync(join(viewsDir, file), 'utf8')).join('\n');
  const written = [...all.matchAll(/\b(?:t|around)\('([^']+)'/g)].map((match) => match[1] ?? '');
  // Chosen in a view before it is asked for.
  const named = [...all.matchAll(/'([\w-]+(?:\.[\w-]+)+)'/g)].map((match) => match[1] ?? '');
  // What src/http itself asks for by name.
  const used = new Set([...written, ...named.filter((name) => name in english), ...dynamicTextKeys, 'scope.other']);

  test('every text a view uses is in the catalogue', () => {
    expect([...used].filter((key) => !(key in english)).sort()).toEqual([]);
  });

  test('every text in the catalogue is used', () => {
    expect(Object.keys(english).filter((key) => !used.has(key))).toEqual([]);
  });

  test('no text is there twice', () => {
    for (const file of readdirSync(textsDir)) {
      const keys = [...readFileSync(join(textsDir, file), 'utf8').matchAll(/^ {2}"([^"]+)":/gm)].map(([, key]) => key);
      expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
    }
  });

  test('the playground uses the texts it is given, and no others', () => {
    const script = readFileSync(join(root, 'public/playground.js'), 'utf8');
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
});

// Worded so that any number fits: it counts no further.
const forAnyNumber = ['account.count.many'];

describe.each(readdirSync(textsDir))('%s', (file) => {
  const catalogue = catalogueOf(file);
  const locale = file.replace('.json', '');
  const { pluralCategories } = new Intl.PluralRules(locale).resolvedOptions();

  test('has every text that English has, and no other', () => {
    expect(Object.keys(english).filter((key) => !(key in catalogue))).toEqual([]);
    expect(Object.keys(catalogue).filter((key) => !(key in english))).toEqual([]);
  });

  test('has the placeholders that English has; a form for one number may spell it out', () => {
    const wrong = Object.entries(catalogue).filter(([key, template]) => {
      const wanted = slotsOf(formsOf(english[key] ?? '').at(-1) ?? '').join();
      const spelled = slotsOf(wanted)
        .filter((slot) => slot !== '{count}')
        .join();
      return typeof template === 'string'
        ? slotsOf(template).join() !== wanted
        : Object.entries(template).some(([category, form]) => {
            const found = slotsOf(form).join();
            return found !== wanted && !(['zero', 'one', 'two'].includes(category) && found === spelled);
          });
    });
    expect(wrong.map(([key]) => key)).toEqual([]);
  });

  test('has all plural forms of its language where a text counts, and none elsewhere', () => {
    for (const [key, template] of Object.entries(catalogue)) {
      const counts = formsOf(template).some((form) => form.includes('{count}')) && !forAnyNumber.includes(key);
      expect({ key, forms: typeof template === 'string' ? [] : Object.keys(template).sort() }).toEqual({
        key,
        forms: counts ? [...pluralCategories].sort() : [],
      });
    }
  });

  test('holds no HTML, no lost spaces and no straight quotes', () => {
    for (const text of Object.values(catalogue).flatMap(formsOf)) {
      expect(text).not.toMatch(/[<>&"]|^\s|\s$| {2}/);
      expect(text).not.toMatch(/'/);
      expect(text).toBe(text.normalize('NFC'));
    }
  });

  test('is a translation', () => {
    const same = Object.entries(catalogue).filter(
      ([key, text]) => typeof text === 'string' && text.length > 24 && text === english[key],
    );
    if (locale !== 'en') expect(same.map(([key]) => key)).toEqual([]);
  });
});

/** Catalogues in a folder of their own. */
function folder(name: string, files: Record<string, unknown>): string {
  const dir = join(scratch, name);
  mkdirSync(dir);
  for (const [file, texts] of Object.entries(files)) writeFileSync(join(dir, file), JSON.stringify(texts));
  return dir;
}

describe('which language', () => {
  const several = loadTexts(
    folder('several', {
      'en.json': { hello: 'Hello {name}!', only: 'English only' },
      'de.json': { hello: 'Hallo {name}!' },
      'ar.json': { hello: 'مرحبا {name}!' },
      'pt-BR.json': { hello: 'Olá {name}!' },
      'zh-Hant.json': {},
    }),
  );

  test.each([
    [{}, 'en'],
    [{ acceptLanguage: 'de-AT,de;q=0.9,en;q=0.8' }, 'de'],
    [{ acceptLanguage: 'en;q=0.1, ar;q=0.9' }, 'ar'],
    [{ acceptLanguage: 'de;q=0, *' }, 'en'],
    [{ acceptLanguage: 'xx, yy;q=abc, ;;;' }, 'en'],
    [{ acceptLanguage: 'pt-br' }, 'pt-br'],
    [{ acceptLanguage: 'zh-Hant-TW, de' }, 'zh-hant'],
    [{ acceptLanguage: 'zh-Hans-CN, de;q=0.5' }, 'de'],
    [{ account: 'ar', acceptLanguage: 'de' }, 'ar'],
    [{ uiLocales: 'xx de-CH', account: 'ar', acceptLanguage: 'en' }, 'de'],
    [{ uiLocales: 'de', chosen: 'ar', account: 'pt-br', acceptLanguage: 'en' }, 'de'],
    [{ chosen: 'ar', account: 'pt-br', acceptLanguage: 'en' }, 'ar'],
    [{ chosen: '../../en', uiLocales: 'de' }, 'de'],
    [{ uiLocales: '__proto__ constructor ../en <script>' }, 'en'],
    [{ acceptLanguage: 'a,'.repeat(100_000) }, 'en'],
    [{ uiLocales: '-'.repeat(100_000) }, 'en'],
  ])('%j -> %s', (wishes, locale) => {
    expect(several.negotiateLocale(wishes)).toBe(locale);
  });

  test('an endless wish is read only so far (G6)', () => {
    expect(several.negotiateLocale({ uiLocales: `${'x '.repeat(32_000)}de` })).toBe('en');
    expect(several.negotiateLocale({ acceptLanguage: `${'x,'.repeat(32_000)}de` })).toBe('en');
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
});

describe('numbers', () => {
  const texts = loadTexts(
    folder('plurals', {
      'en.json': { keys: { one: 'a key for {door}', other: '{count} keys for {door}' } },
      'de.json': {},
      'ar.json': {
        keys: { zero: '0', one: '1', two: '2', few: 'few {count}', many: 'many {count}', other: 'other {count}' },
      },
    }),
  );

  test.each([
    ['en', 1, 'a key for home'],
    ['en', 0, '0 keys for home'],
    ['en', 12_345, '12,345 keys for home'],
    // English in place of a missing German text has English forms, and German numbers.
    ['de', 12_345, '12.345 keys for home'],
    ['ar', 0, '0'],
    ['ar', 2, '2'],
    ['ar', 3, 'few 3'],
    ['ar', 11, 'many 11'],
    ['ar', 100, 'other 100'],
  ])('%s, %i: %s', (locale, count, text) => {
    expect(texts.text(locale, 'keys', { count, door: 'home' })).toBe(text);
  });

  test('a form is chosen for what stands around a placeholder too', () => {
    expect(texts.around('en', 'keys', 'door', { count: 1 })).toEqual(['a key for ', '']);
  });
});

describe('texts of a deployment’s own', () => {
  const dir = folder('built-in', {
    'en.json': { hello: 'Hello {name}!', bye: 'Bye' },
    'de.json': { hello: 'Hallo {name}!', bye: 'Auf Wiedersehen' },
  });

  test('add languages and reword single texts', () => {
    const own = folder('own', { 'de.json': { bye: 'Tschüss' }, 'fr.json': { hello: 'Bonjour {name} !' } });
    const texts = loadTexts(dir, own);
    expect(texts.locales).toEqual(['en', 'de', 'fr']);
    expect(texts.text('de', 'bye')).toBe('Tschüss');
    expect(texts.text('de', 'hello', { name: 'Ada' })).toBe('Hallo Ada!');
    expect(texts.text('fr', 'bye')).toBe('Bye');
    expect(loadTexts(dir, join(scratch, 'nowhere')).locales).toEqual(['en', 'de']);
  });

  test.each([
    ['unknown', { 'de.json': { helo: 'x' } }, 'de.json: unknown text "helo"'],
    ['placeholder', { 'de.json': { bye: 'Tschüss {name}' } }, '"bye" has an unknown placeholder {name}'],
    ['kind', { 'de.json': { bye: 1 } }, 'de.json: "bye" is not a text'],
    ['list', { 'de.json': ['bye'] }, 'de.json: not an object of texts'],
    [
      'form',
      { 'de.json': { bye: { few: 'x', other: 'y' } } },
      '"few" is not a plural form of this language. Its forms: one, other',
    ],
    ['other', { 'de.json': { bye: { one: 'x' } } }, '"bye" has no form "other"'],
  ])('what cannot be meant stops the start: %s', (name, files, message) => {
    const own = folder(`wrong-${name}`, files);
    expect(() => loadTexts(dir, own)).toThrow(message);
  });
});
