/**
 * Renders a view and its locals into a page: layout, texts in the reader's language, asset URLs.
 *
 * Values are escaped by EJS (`<%= %>`). A test lists the raw outputs: the layout's body, the engine's logout form, and
 * `icon` and `part`, which return markup. A file of the same name in the override folder replaces a view; these files
 * are compiled at start, so errors show there. Headers (CSP, no-store) are set in http/hardening.
 */
import { readFileSync } from 'node:fs';
import ejs from 'ejs';
import { nowSeconds } from '../../base/clock.ts';
import { duration } from '../../base/duration.ts';
import type { Brand, BrandLink } from './brand/brand.ts';
import { themeAddress } from './brand/theme.ts';
import { playgroundTexts } from './playground-texts.ts';
import type { StaticFiles } from './static.ts';
import type { Direction, Texts, TextValues } from './texts.ts';
import { findViews } from './view-files.ts';
import {
  type AccountNotice,
  type AccountSection,
  accountSections,
  type ClientView,
  knownScopes,
  problemNotices,
  type ScopeView,
  sectionIcons,
  type Viewer,
} from './view-parts.ts';
import type { ViewLocals, ViewName } from './views.ts';

interface RendererOptions {
  readonly viewsDir: string;
  readonly overrideDir?: string | undefined;
  readonly brand: Brand;
  readonly texts: Texts;
  readonly statics: StaticFiles;
}

export interface Renderer {
  /** `locale` is a locale of the catalogue, from `texts.negotiateLocale`. */
  render<V extends ViewName>(view: V, locals: ViewLocals[V], options: { readonly locale: string }): string;
  /** `gatehouse.css` -> its URL with a content hash. */
  asset(name: string): string;
  /** The views and parts (and the layout, if any) that the deployment replaces. */
  readonly overridden: readonly string[];
}

/** What a view passes to the layout. */
interface Page {
  title: string;
  /** `wide` and `full` are for developers' pages. */
  width: 'narrow' | 'wide' | 'full';
  /** Set on account pages: the layout shows the menu. */
  section?: AccountSection;
  /** In addition to the scripts of every page. */
  readonly scripts: string[];
  readonly styles: string[];
  /** Name of the unreviewed client that the page is about. A view with its own notice clears it. */
  unreviewed: string | undefined;
}

/** All names that a view can use. `it` holds its locals. */
interface Scope {
  readonly it: unknown;
  readonly page: Page;
  readonly brand: string;
  readonly brandLogo: Brand['logo'];
  readonly brandLinks: readonly { readonly name: BrandLink; readonly to: string }[];
  /** URL of the style sheet with the client's colours, or else the brand's. */
  readonly theme: string | undefined;
  readonly locale: string;
  readonly dir: Direction;
  readonly body: string;
  t(key: string, values?: TextValues): string;
  around(key: string, slot: string, values?: TextValues): readonly [string, string];
  asset(name: string): string;
  /** The markup of an icon of the sprite. `turns`: it points the other way in right-to-left text. */
  icon(name: string, kind?: 'turns'): string;
  /** The markup of a part in `views/kit/parts`, with its own `it`. */
  part(name: string, locals: object): string;
  /** The person who is signed in, on pages that show the menu of the account. */
  readonly viewer: Viewer | undefined;
  hueOf(name: string): number;
  scopeIcon(scope: ScopeView): string;
  /** How long ago, in words, with the exact moment. */
  ago(at: number): { readonly iso: string; readonly text: string; readonly exact: string };
  /** A day by its first second in UTC; `past`: 0 is today. */
  dayName(at: number, past: number): string;
  /** The time of day, for a list under the names of days. */
  clock(at: number): { readonly iso: string; readonly text: string; readonly exact: string };
  clip(value: string | undefined, longest?: number): string;
  exact(value: string | undefined): string;
  typed(value: string | undefined, longest?: number): string;
  typedLines(value: string | undefined): string;
  href(value: string | null | undefined, kind?: 'otpauth'): string | undefined;
  initial(value: string): string;
  duration(seconds: number): string;
  moment(at: number): { readonly iso: string; readonly text: string };
  languageName(tag: string): string;
  scopeSentence(scope: ScopeView): string;
  readonly playgroundTexts: readonly string[];
  readonly accountSections: readonly AccountSection[];
  readonly sectionIcons: Readonly<Record<AccountSection, string>>;
  readonly problemNotices: readonly AccountNotice[];
}

const scopeNames = [
  'it',
  'page',
  'brand',
  'brandLogo',
  'brandLinks',
  'theme',
  'locale',
  'dir',
  'body',
  't',
  'around',
  'asset',
  'icon',
  'part',
  'viewer',
  'hueOf',
  'scopeIcon',
  'ago',
  'dayName',
  'clock',
  'clip',
  'exact',
  'typed',
  'typedLines',
  'href',
  'initial',
  'duration',
  'moment',
  'languageName',
  'scopeSentence',
  'playgroundTexts',
  'accountSections',
  'sectionIcons',
  'problemNotices',
] as const satisfies readonly (keyof Scope)[];

type Template = (scope: Scope) => string;

export function createRenderer(options: RendererOptions): Renderer {
  const { viewsDir, overrideDir, brand, texts, statics } = options;
  const templates = new Map<string, Template>();
  const { fileOf, overridden } = findViews(viewsDir, overrideDir);

  const sprite = statics.url('icons.svg');

  const compile = (name: string): Template => {
    const known = templates.get(name);
    if (known !== undefined) return known;
    const file = fileOf(name);
    const compiled = ejs.compile(readFileSync(file, 'utf8'), {
      // In strict mode EJS uses no `with`, so no local can shadow a name of Scope.
      strict: true,
      destructuredLocals: [...scopeNames],
      compileDebug: false,
      filename: file,
    });
    const template: Template = (scope) => {
      try {
        return compiled({ ...scope });
      } catch (cause) {
        throw new Error(`view ${file} failed to render`, { cause });
      }
    };
    templates.set(name, template);
    return template;
  };

  // Fail at start, not when the page is first shown.
  for (const name of overridden) {
    try {
      compile(name);
    } catch (error) {
      throw new Error(`${fileOf(name)} is not a template: ${firstLine(error)}`, { cause: error });
    }
  }

  return {
    asset: statics.url,
    overridden,
    render: (view, locals, { locale }) => {
      const scope: Scope = {
        it: locals,
        page: { title: brand.name, width: 'narrow', scripts: [], styles: [], unreviewed: unreviewedIn(locals) },
        brand: brand.name,
        brandLogo: brand.logo,
        brandLinks: brand.links,
        theme: themeFor(locals, brand),
        locale,
        dir: texts.direction(locale),
        body: '',
        t: (key, values) => texts.text(locale, key, values),
        around: (key, slot, values) => texts.around(locale, key, slot, values),
        asset: statics.url,
        icon: (name, kind) => iconMarkup(sprite, name, kind),
        part: (name, its) => compile(`parts/${name}`)({ ...scope, it: its }),
        viewer: viewerIn(locals),
        hueOf,
        scopeIcon,
        ago: (at) => ago(at, locale),
        dayName: (at, past) => dayName(at, past, locale),
        clock: (at) => ({ ...exactly(at, locale), text: `${formatOf(locale, 'clock').format(at * 1000)} UTC` }),
        clip,
        exact,
        typed,
        typedLines,
        href,
        initial,
        duration: (seconds) => duration(seconds, locale),
        moment: (at) => moment(at, locale),
        languageName,
        scopeSentence: (wanted) => scopeSentence(wanted, texts, locale),
        playgroundTexts,
        accountSections,
        sectionIcons,
        problemNotices,
      };
      const body = compile(view)(scope);
      return compile('layout')({ ...scope, body });
    },
  };
}

/** EJS appends debugging advice after the first line. */
function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
}

/** The client's colours override the brand's, each on its own. */
function themeFor(locals: object, brand: Brand): string | undefined {
  const { client } = locals as { readonly client?: ClientView | undefined };
  return themeAddress({ accent: client?.accent ?? brand.accent, background: client?.background ?? brand.background });
}

function unreviewedIn(locals: object): string | undefined {
  const { client } = locals as { readonly client?: ClientView | undefined };
  return client?.unreviewed ? client.name : undefined;
}

function viewerIn(locals: object): Viewer | undefined {
  return (locals as { readonly viewer?: Viewer | undefined }).viewer;
}

/** Only letters and hyphens: the name comes from a view, and the result is not escaped. */
function iconMarkup(sprite: string, name: string, kind: 'turns' | undefined): string {
  if (!/^[a-z-]+$/.test(name)) throw new Error(`no such icon: ${name}`);
  return `<svg class="icon${kind === undefined ? '' : ` ${kind}`}" aria-hidden="true"><use href="${sprite}#${name}"/></svg>`;
}

/** One of eight hues for a monogram. The same name always has the same one. */
function hueOf(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % 8;
}

const scopeIcons: Readonly<Record<string, string>> = {
  openid: 'known',
  profile: 'person',
  user: 'person',
  email: 'mail',
  address: 'place',
  phone: 'telephone',
  groups: 'people',
  offline_access: 'away',
};

/** Scopes of an API have one icon. */
const scopeIcon = ({ name, sentence }: ScopeView): string => (sentence ? 'server' : (scopeIcons[name] ?? 'key'));

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['week', 7 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

function ago(at: number, locale: string): { iso: string; text: string; exact: string } {
  const past = nowSeconds() - at;
  const [unit, seconds] = units.find(([, length]) => Math.abs(past) >= length) ?? ['second', 1];
  const count = unit === 'second' ? 0 : -Math.round(past / seconds);
  return { ...exactly(at, locale), text: relativeOf(locale).format(count, unit) };
}

function exactly(at: number, locale: string): { iso: string; exact: string } {
  const { iso, text: exact } = moment(at, locale);
  return { iso, exact };
}

/** "Today", "Yesterday", or the date. page.js names days in the same way. */
function dayName(at: number, past: number, locale: string): string {
  if (past !== 0 && past !== 1) return formatOf(locale, 'day').format(at * 1000);
  const name = relativeOf(locale).format(-past, 'day');
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
}

const relatives = new Map<string, Intl.RelativeTimeFormat>();
function relativeOf(locale: string): Intl.RelativeTimeFormat {
  const known = relatives.get(locale);
  if (known !== undefined) return known;
  const made = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  relatives.set(locale, made);
  return made;
}

/**
 * A foreign value, shortened for one line. Removes control and bidirectional formatting characters (U+202E reverses the
 * rest of a sentence, U+2069 breaks out of isolation) and more than three combining marks in a row.
 */
function clip(value: string | undefined, longest = 64): string {
  const clean = plain((value ?? '').slice(0, longest * 8))
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .trim();
  const letters = Array.from(clean);
  return letters.length > longest
    ? `${letters
        .slice(0, longest - 1)
        .join('')
        .trimEnd()}…`
    : clean;
}

/** A value that the user typed, for its own form field. */
function typed(value: string | undefined, longest = 256): string {
  return plain((value ?? '').slice(0, longest));
}

/** The same for a multi-line field. */
function typedLines(value: string | undefined): string {
  return (value ?? '')
    .slice(0, 1200)
    .split(/\r\n?|\n/)
    .map(plain)
    .join('\n');
}

function plain(value: string): string {
  return value
    .toWellFormed()
    .replace(/[\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/g, '')
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

/** A value for developers: spells out invisible characters. */
function exact(value: string | undefined): string {
  const spelled = (value ?? '')
    .slice(0, 600)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/(\p{M}{3})\p{M}+/gu, '$1…');
  return (value ?? '').length > 600 ? `${spelled}…` : spelled;
}

/**
 * Accepts a path of this server or an http(s) URL. `javascript:` and similar schemes never become a link. `kind`: the
 * link opens an authenticator app, and nothing else is accepted.
 */
function href(value: string | null | undefined, kind?: 'otpauth'): string | undefined {
  if (typeof value !== 'string' || value.length > 2048) return undefined;
  if (kind === 'otpauth') return /^otpauth:\/\/totp\/[\x21-\x7e]+$/.test(value) ? value : undefined;
  if (/^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return value;
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}

/** In UTC, because the server does not know the reader's time zone. The page's script converts it. */
function moment(at: number, locale: string): { iso: string; text: string } {
  const date = new Date(at * 1000);
  return { iso: date.toISOString(), text: `${formatOf(locale).format(date)} UTC` };
}

/** Cached: creating a format costs more than rendering a page. Three for each language. */
const formats = new Map<string, Intl.DateTimeFormat>();
const formatKinds = {
  moment: { dateStyle: 'medium', timeStyle: 'short' },
  clock: { timeStyle: 'short' },
  day: { dateStyle: 'full' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;
function formatOf(locale: string, kind: keyof typeof formatKinds = 'moment'): Intl.DateTimeFormat {
  const known = formats.get(`${kind} ${locale}`);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { ...formatKinds[kind], timeZone: 'UTC' });
  formats.set(`${kind} ${locale}`, made);
  return made;
}

/** Each language is named in itself. Cached: only tags of the catalogue occur. */
const languageNames = new Map<string, string>();
function languageName(tag: string): string {
  const known = languageNames.get(tag);
  if (known !== undefined) return known;
  const name = new Intl.DisplayNames(tag, { type: 'language' }).of(tag) ?? tag;
  const shown = name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
  languageNames.set(tag, shown);
  return shown;
}

function initial(value: string): string {
  return (Array.from(clip(value).replace(/^[^\p{L}\p{N}]+/u, ''))[0] ?? '•').toUpperCase();
}

function scopeSentence(scope: ScopeView, texts: Texts, locale: string): string {
  if (scope.sentence !== undefined && scope.sentence !== '') return clip(scope.sentence, 200);
  const known = knownScopes.find((name) => name === scope.name);
  return known === undefined
    ? texts.text(locale, 'scope.other', { scope: clip(scope.name) })
    : texts.text(locale, `scope.${known}`);
}
