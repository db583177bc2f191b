/**
 * Turns a view and its locals into a whole page: layout, texts in the reader's language, addresses of assets.
 *
 * Every value leaves through EJS's escaping `<%= %>`. The two raw outputs there are (the layout's body and the
 * engine's own logout form) are counted by a test. A file of the same name in the override folder wins, so that a
 * deployment can word or arrange any page its own way; those files are read at start, so that a mistake in one of them is
 * found then. Headers (CSP, no-store) belong to hardening.
 */
import { readFileSync } from 'node:fs';
import ejs from 'ejs';
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
  /** `locale` is one of the catalogue's, as `texts.negotiateLocale` gives it. */
  render<V extends ViewName>(view: V, locals: ViewLocals[V], options: { readonly locale: string }): string;
  /** `gatehouse.css` -> its address with the hash of its content. */
  asset(name: string): string;
  /** The views, and perhaps the layout, that are a deployment's own. */
  readonly overridden: readonly string[];
}

/** What a view tells the layout. */
interface Page {
  title: string;
  /** A developer's page: broader than the one calm card. */
  width: 'narrow' | 'wide' | 'full';
  /** One of a person's own pages: beside it stand the others. */
  section?: AccountSection;
  /** Beside what every page has. */
  readonly scripts: string[];
  readonly styles: string[];
  /** The application that the page is about, where no operator has looked at it. A page that says so by itself takes it away. */
  unreviewed: string | undefined;
}

/** Everything a view can name. `it` is its own locals. */
interface Scope {
  readonly it: unknown;
  readonly page: Page;
  readonly brand: string;
  readonly brandLogo: Brand['logo'];
  readonly brandLinks: readonly { readonly name: BrandLink; readonly to: string }[];
  /** The address of a style sheet with colours of their own: the application's, else the brand's. */
  readonly theme: string | undefined;
  readonly locale: string;
  readonly dir: Direction;
  readonly body: string;
  t(key: string, values?: TextValues): string;
  around(key: string, slot: string, values?: TextValues): readonly [string, string];
  asset(name: string): string;
  clip(value: string | undefined, longest?: number): string;
  exact(value: string | undefined): string;
  typed(value: string | undefined, longest?: number): string;
  typedLines(value: string | undefined): string;
  href(value: string | null | undefined): string | undefined;
  initial(value: string): string;
  duration(seconds: number): string;
  moment(at: number): { readonly iso: string; readonly text: string };
  languageName(tag: string): string;
  scopeSentence(scope: ScopeView): string;
  readonly playgroundTexts: readonly string[];
  readonly accountSections: readonly AccountSection[];
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
  'problemNotices',
] as const satisfies readonly (keyof Scope)[];

type Template = (scope: Scope) => string;

export function createRenderer(options: RendererOptions): Renderer {
  const { viewsDir, overrideDir, brand, texts, statics } = options;
  const templates = new Map<string, Template>();
  const { fileOf, overridden } = findViews(viewsDir, overrideDir);

  const compile = (name: string): Template => {
    const known = templates.get(name);
    if (known !== undefined) return known;
    const file = fileOf(name);
    const compiled = ejs.compile(readFileSync(file, 'utf8'), {
      // Strict mode has no `with`: a view sees the names of Scope and nothing that a local could shadow.
      strict: true,
      destructuredLocals: [...scopeNames],
      compileDebug: false,
      filename: file,
    });
    const template: Template = (scope) => {
      try {
        return compiled({ ...scope });
      } catch (cause) {
        throw new Error(`view ${file} could not be shown`, { cause });
      }
    };
    templates.set(name, template);
    return template;
  };

  // One that is not a template would break its page.
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
        problemNotices,
      };
      const body = compile(view)(scope);
      return compile('layout')({ ...scope, body });
    },
  };
}

/** EJS tells of a mistake and then how to look for it with another program. */
function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
}

/** The colours of the application that a page is about come before the server's own, one by one. */
function themeFor(locals: object, brand: Brand): string | undefined {
  const { client } = locals as { readonly client?: ClientView | undefined };
  return themeAddress({ accent: client?.accent ?? brand.accent, background: client?.background ?? brand.background });
}

function unreviewedIn(locals: object): string | undefined {
  const { client } = locals as { readonly client?: ClientView | undefined };
  return client?.unreviewed ? client.name : undefined;
}

/**
 * A foreign value as something short to read on one line. Control and bidirectional formatting characters go (U+202E
 * would turn the rest of a sentence around, U+2069 would break out of its isolation), piled-up combining marks too.
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

/** What somebody typed, to be put back into its field. */
function typed(value: string | undefined, longest = 256): string {
  return plain((value ?? '').slice(0, longest));
}

/** The same for a field of several lines. */
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

/** A value for a developer's eyes, where what cannot be seen is what matters: invisible characters are spelled out. */
function exact(value: string | undefined): string {
  const spelled = (value ?? '')
    .slice(0, 600)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/(\p{M}{3})\p{M}+/gu, '$1…');
  return (value ?? '').length > 600 ? `${spelled}…` : spelled;
}

/** Only what a browser opens as a page of somebody's site; `javascript:` and its kin never become a link. */
function href(value: string | null | undefined): string | undefined {
  if (typeof value !== 'string' || value.length > 2048) return undefined;
  if (/^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return value;
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}

/** Where its reader is the server cannot know: it says so, and the page's script puts it into the reader's own time. */
function moment(at: number, locale: string): { iso: string; text: string } {
  const date = new Date(at * 1000);
  return { iso: date.toISOString(), text: `${formatOf(locale).format(date)} UTC` };
}

/** Making one costs more than a page; there are as many as languages. */
const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(locale: string): Intl.DateTimeFormat {
  const known = formats.get(locale);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  formats.set(locale, made);
  return made;
}

/** In that language itself, as its speakers look for it. Kept for the tags that the catalogue has, which are all it is asked for. */
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
