/**
 * The catalogue of everything a page says: one flat JSON file per language under `views/texts/`.
 *
 * Another language is one more file. A text is plain, never HTML, and may hold `{name}` placeholders. English is
 * complete by definition (a test compares it with the views) and stands in for whatever another language lacks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type TextValues = Readonly<Record<string, string | number>>;
export type Direction = 'ltr' | 'rtl';

export interface LocaleWishes {
  /** The request's `ui_locales`: space-separated tags in order of preference (OpenID Connect Core 3.1.2.1). */
  readonly uiLocales?: string | undefined;
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
  /** `ui_locales`, then the account, then `Accept-Language`, then English. Always one of `locales`. */
  negotiateLocale(wishes: LocaleWishes): string;
  direction(locale: string): Direction;
}

const fallback = 'en';
const rightToLeft = new Set(['ar', 'arc', 'ckb', 'dv', 'fa', 'he', 'ku', 'ps', 'sd', 'ug', 'ur', 'yi']);
const rightToLeftLetters = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

export function loadTexts(dir: string): Texts {
  const catalogues = new Map<string, ReadonlyMap<string, string>>();
  for (const file of readdirSync(dir).filter((name) => name.endsWith('.json'))) {
    catalogues.set(basename(file, '.json').toLowerCase(), readCatalogue(join(dir, file)));
  }
  const english = catalogues.get(fallback);
  if (english === undefined) throw new Error(`no ${fallback}.json under ${dir}`);
  const locales = [fallback, ...[...catalogues.keys()].filter((tag) => tag !== fallback).sort()];

  const find = (locale: string, key: string): string => catalogues.get(locale)?.get(key) ?? english.get(key) ?? key;
  const direction = (locale: string): Direction => (rightToLeft.has(primary(locale)) ? 'rtl' : 'ltr');

  return {
    locales,
    direction,
    text: (locale, key, values = {}) => fill(find(locale, key), values, direction(locale)),
    around: (locale, key, slot, values = {}) => {
      const [before = '', ...after] = find(locale, key).split(`{${slot}}`);
      return [fill(before, values, direction(locale)), fill(after.join(''), values, direction(locale))];
    },
    negotiateLocale: ({ uiLocales, account, acceptLanguage }) => {
      const wished = [...words(uiLocales), ...words(account), ...byQuality(acceptLanguage)];
      for (const tag of wished) {
        if (catalogues.has(tag)) return tag;
        if (catalogues.has(primary(tag))) return primary(tag);
      }
      return fallback;
    },
  };
}

function readCatalogue(file: string): ReadonlyMap<string, string> {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`${file}: not an object of texts`);
  const texts = new Map<string, string>();
  for (const [key, value] of Object.entries(parsed)) {
    if (typeof value !== 'string') throw new Error(`${file}: "${key}" is not a text`);
    texts.set(key, value);
  }
  return texts;
}

// One pass over the template only: a value that itself reads "{name}" stays as it is.
function fill(template: string, values: TextValues, direction: Direction): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) return whole;
    return typeof value === 'number' ? String(value) : isolate(value, direction);
  });
}

// In plain text (a page's title) U+2068 and U+2069 do what <bdi> does in markup: a right-to-left name cannot reorder
// the sentence around it. Where both run the same way they would only be noise.
function isolate(value: string, direction: Direction): string {
  return direction === 'rtl' || rightToLeftLetters.test(value) ? `\u2068${value}\u2069` : value;
}

const primary = (tag: string): string => tag.split('-', 1)[0] ?? tag;

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
