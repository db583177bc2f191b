/**
 * The texts of all pages: one flat JSON file for each language under `views/texts/`.
 *
 * A text is plain, never HTML, and may contain `{name}` placeholders. If `{count}` changes the words around it, the
 * value is an object of plural forms by the categories of `Intl.PluralRules`. English is complete (a test compares it
 * with the views) and fills the gaps of other languages. A deployment's own folder can add languages and replace single
 * texts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type TextValues = Readonly<Record<string, string | number>>;
export type Direction = 'ltr' | 'rtl';

interface LocaleWishes {
  /** The request's `ui_locales`: space-separated tags in order of preference (OpenID Connect Core, 3.1.2.1). */
  readonly uiLocales?: string | undefined;
  /** The choice that the person made in this browser. */
  readonly chosen?: string | undefined;
  /** The language on the account. */
  readonly account?: string | undefined;
  readonly acceptLanguage?: string | undefined;
}

export interface Texts {
  /** The available languages, English first. */
  readonly locales: readonly string[];
  /** A text with its placeholders filled in; not escaped for HTML. Returns the key if no catalogue has it. */
  text(locale: string, key: string, values?: TextValues): string;
  /** The parts before and after one placeholder, so that a view can put markup in its place. */
  around(locale: string, key: string, slot: string, values?: TextValues): readonly [string, string];
  /**
   * Order: `ui_locales`, the choice in this browser, the account, `Accept-Language`, English. Returns one of `locales`.
   */
  negotiateLocale(wishes: LocaleWishes): string;
  direction(locale: string): Direction;
}

type Template = string | Readonly<Record<string, string>>;
type Catalogue = ReadonlyMap<string, Template>;

const textsDir = join(import.meta.dirname, '../../../views/texts');
const fallback = 'en';
const rightToLeft = new Set(['ar', 'arc', 'ckb', 'dv', 'fa', 'he', 'ku', 'ps', 'sd', 'ug', 'ur', 'yi']);
const rightToLeftLetters = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** `viewsDir`: the deployment's own views, whose texts are added. Throws as `loadTexts` does. */
export function openTexts(viewsDir: string | undefined): Texts {
  return loadTexts(textsDir, viewsDir && join(viewsDir, 'texts'));
}

/** `ownDir`: the deployment's own texts. Throws an error that names the file and the text if a text is invalid. */
export function loadTexts(dir: string, ownDir?: string): Texts {
  const catalogues = readFolder(dir);
  const english = catalogues.get(fallback);
  if (english === undefined) throw new Error(`no ${fallback}.json under ${dir}`);
  if (ownDir !== undefined && existsSync(ownDir)) {
    for (const [tag, own] of readFolder(ownDir)) {
      checkOwn(join(ownDir, `${tag}.json`), own, english);
      catalogues.set(tag, new Map([...(catalogues.get(tag) ?? []), ...own]));
    }
  }
  const locales = [fallback, ...[...catalogues.keys()].filter((tag) => tag !== fallback).sort()];
  // One for each language, never for a tag from a request (security.md G6).
  const plurals = new Map(locales.map((locale) => [locale, new Intl.PluralRules(locale)]));
  const numbers = new Map(locales.map((locale) => [locale, new Intl.NumberFormat(locale)]));

  const direction = (locale: string): Direction => (rightToLeft.has(primary(locale)) ? 'rtl' : 'ltr');

  function find(locale: string, key: string, values: TextValues): string {
    const own = catalogues.get(locale)?.get(key);
    const template = own ?? catalogues.get(fallback)?.get(key) ?? key;
    if (typeof template === 'string') return template;
    const form = plurals.get(own === undefined ? fallback : locale)?.select(Number(values.count ?? 0)) ?? 'other';
    return template[form] ?? template.other ?? key;
  }

  // One pass over the template: a value that contains "{name}" is not expanded.
  function fill(template: string, values: TextValues, locale: string): string {
    return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) return whole;
      if (typeof value === 'number') return numbers.get(locale)?.format(value) ?? String(value);
      return isolate(value, direction(locale));
    });
  }

  return {
    locales,
    direction,
    text: (locale, key, values = {}) => fill(find(locale, key, values), values, locale),
    around: (locale, key, slot, values = {}) => {
      const [before = '', ...after] = find(locale, key, values).split(`{${slot}}`);
      return [fill(before, values, locale), fill(after.join(''), values, locale)];
    },
    negotiateLocale({ chosen, uiLocales, account, acceptLanguage }) {
      const wished = [...words(uiLocales), ...words(chosen), ...words(account), ...byQuality(acceptLanguage)];
      for (const tag of wished) {
        const found = lookUp(tag, catalogues);
        if (found !== undefined) return found;
      }
      return fallback;
    },
  };
}

function readFolder(dir: string): Map<string, Catalogue> {
  const files = readdirSync(dir).filter((name) => name.endsWith('.json'));
  return new Map(files.map((file) => [basename(file, '.json').toLowerCase(), readCatalogue(join(dir, file))]));
}

function readCatalogue(file: string): Catalogue {
  const [tag = ''] = Intl.getCanonicalLocales(basename(file, '.json'));
  const categories = new Intl.PluralRules(tag).resolvedOptions().pluralCategories;
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isObject(parsed)) throw new Error(`${file}: not an object of texts`);
  const texts = new Map<string, Template>();
  for (const [key, value] of Object.entries(parsed)) {
    if (typeof value === 'string') texts.set(key, value);
    else if (isObject(value)) texts.set(key, pluralForms(value, categories, `${file}: "${key}"`));
    else throw new Error(`${file}: "${key}" is not a text`);
  }
  return texts;
}

function pluralForms(value: object, categories: readonly string[], where: string): Template {
  const forms: Record<string, string> = {};
  for (const [category, form] of Object.entries(value)) {
    if (typeof form !== 'string') throw new Error(`${where}: "${category}" is not a text`);
    if (!categories.includes(category))
      throw new Error(
        `${where}: "${category}" is not a plural form of this language. Its forms: ${categories.join(', ')}`,
      );
    forms[category] = form;
  }
  if (forms.other === undefined) throw new Error(`${where} has no form "other"`);
  return forms;
}

/** Finds unknown keys and placeholders at start, not when the page is shown. */
function checkOwn(file: string, own: Catalogue, english: Catalogue): void {
  for (const [key, template] of own) {
    const known = english.get(key);
    if (known === undefined) throw new Error(`${file}: unknown text "${key}"`);
    const slots = placeholders(known);
    const strange = placeholders(template).find((slot) => !slots.includes(slot));
    if (strange !== undefined) throw new Error(`${file}: "${key}" has an unknown placeholder ${strange}`);
  }
}

const placeholders = (template: Template): string[] =>
  [template]
    .flatMap((text) => (typeof text === 'string' ? text : Object.values(text)))
    .join('')
    .match(/\{\w+\}/g) ?? [];

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// In plain text, such as a page's title, U+2068 and U+2069 isolate a right-to-left name as <bdi> does in markup. If the
// directions agree they are left out.
function isolate(value: string, direction: Direction): string {
  return direction === 'rtl' || rightToLeftLetters.test(value) ? `\u2068${value}\u2069` : value;
}

const primary = (tag: string): string => tag.split('-', 1)[0] ?? tag;

/** RFC 4647, section 3.4: the tag, then the tag without its last part, and so on. */
function lookUp(tag: string, catalogues: ReadonlyMap<string, unknown>): string | undefined {
  for (let range = tag; range !== ''; range = range.slice(0, Math.max(0, range.lastIndexOf('-')))) {
    if (catalogues.has(range)) return range;
  }
  return undefined;
}

// Both come from the request, so their length is bounded.
const words = (list: string | undefined): string[] =>
  (list ?? '').slice(0, 500).toLowerCase().split(/\s+/).filter(Boolean);

function byQuality(header: string | undefined): string[] {
  return (header ?? '')
    .slice(0, 500)
    .toLowerCase()
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim());
      const q = parameters.find((parameter) => parameter.startsWith('q='));
      return { tag, quality: q === undefined ? 1 : Number(q.slice(2)) };
    })
    .filter(({ tag, quality }) => tag !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag);
}
