/**
 * The catalogue of everything a page says: one flat JSON file per language under `views/texts/`.
 *
 * Another language is one more file. A text is plain, never HTML, and may hold `{name}` placeholders. Where `{count}` changes
 * the words around it, the text is an object of its plural forms, by the categories of `Intl.PluralRules` for that language:
 * two in English, six in Arabic. English is complete by definition (a test compares it with the views) and stands in for
 * whatever another language lacks. A deployment's own folder may add languages and reword single texts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type TextValues = Readonly<Record<string, string | number>>;
export type Direction = 'ltr' | 'rtl';

interface LocaleWishes {
  /** The request's `ui_locales`: space-separated tags in order of preference (OpenID Connect Core 3.1.2.1). */
  readonly uiLocales?: string | undefined;
  /** What the person has chosen in this browser, on a page of ours. */
  readonly chosen?: string | undefined;
  /** The language chosen on the account. */
  readonly account?: string | undefined;
  readonly acceptLanguage?: string | undefined;
}

export interface Texts {
  /** The languages there are, English first. */
  readonly locales: readonly string[];
  /** A text with its placeholders filled in; the key itself where no catalogue knows it. Not yet escaped for HTML. */
  text(locale: string, key: string, values?: TextValues): string;
  /** What stands before and after one placeholder, so that a view can put markup there instead of plain text. */
  around(locale: string, key: string, slot: string, values?: TextValues): readonly [string, string];
  /** `ui_locales`, then the choice in this browser, the account, `Accept-Language`, English. Always one of `locales`. */
  negotiateLocale(wishes: LocaleWishes): string;
  direction(locale: string): Direction;
}

type Template = string | Readonly<Record<string, string>>;
type Catalogue = ReadonlyMap<string, Template>;

const textsDir = join(import.meta.dirname, '../../../views/texts');
const fallback = 'en';
const rightToLeft = new Set(['ar', 'arc', 'ckb', 'dv', 'fa', 'he', 'ku', 'ps', 'sd', 'ug', 'ur', 'yi']);
const rightToLeftLetters = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The server's texts; `viewsDir`: with a deployment's own. Throws as `loadTexts` does. */
export function openTexts(viewsDir: string | undefined): Texts {
  return loadTexts(textsDir, viewsDir && join(viewsDir, 'texts'));
}

/** `ownDir`: a deployment's own texts. Throws, naming the file and the text, where one of them cannot be what was meant. */
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
  // Made once for each language there is, never for a tag that a request names (security.md G6).
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

  // One pass over the template only: a value that itself reads "{name}" stays as it is.
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
      throw new Error(`${where}: "${category}" is not among ${categories.join(', ')}`);
    forms[category] = form;
  }
  if (forms.other === undefined) throw new Error(`${where} has no form "other"`);
  return forms;
}

/** A key that no view asks for, or a placeholder that nobody fills in, would be a mistake that shows up much later. */
function checkOwn(file: string, own: Catalogue, english: Catalogue): void {
  for (const [key, template] of own) {
    const known = english.get(key);
    if (known === undefined) throw new Error(`${file}: there is no text "${key}"`);
    const slots = placeholders(known);
    const strange = placeholders(template).find((slot) => !slots.includes(slot));
    if (strange !== undefined) throw new Error(`${file}: "${key}" has ${strange}, which nobody fills in`);
  }
}

const placeholders = (template: Template): string[] =>
  [template]
    .flatMap((text) => (typeof text === 'string' ? text : Object.values(text)))
    .join('')
    .match(/\{\w+\}/g) ?? [];

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// In plain text (a page's title) U+2068 and U+2069 do what <bdi> does in markup: a right-to-left name cannot reorder
// the sentence around it. Where both run the same way they would only be noise.
function isolate(value: string, direction: Direction): string {
  return direction === 'rtl' || rightToLeftLetters.test(value) ? `\u2068${value}\u2069` : value;
}

const primary = (tag: string): string => tag.split('-', 1)[0] ?? tag;

/** RFC 4647, section 3.4: the tag itself, then what is left of it without its last part. */
function lookUp(tag: string, catalogues: ReadonlyMap<string, unknown>): string | undefined {
  for (let range = tag; range !== ''; range = range.slice(0, Math.max(0, range.lastIndexOf('-')))) {
    if (catalogues.has(range)) return range;
  }
  return undefined;
}

// Both come from the request: an endless list is looked at only so far.
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
