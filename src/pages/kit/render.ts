/**
 * Renders a view and its locals into a page: layout, texts in the reader's language, asset URLs.
 *
 * Values are escaped by EJS (`<%= %>`). A test lists the raw outputs: the layout's body, the engine's logout form, and
 * `icon` and `part`, which return markup. A file of the same name in the override folder replaces a view; these files
 * are compiled at start, so errors show there. Headers (CSP, no-store) are set in http/hardening.
 */
import { readFileSync } from 'node:fs';
import ejs from 'ejs';
import { duration } from '../../base/duration.ts';
import type { Brand, BrandLink } from './brand/brand.ts';
import { themeAddress } from './brand/theme.ts';
import { playgroundTexts } from './playground-texts.ts';
import { doorName, programName, scopeIcon, scopeSentence } from './show/names.ts';
import { ago, clock, dayName, languageName, moment } from './show/times.ts';
import { clip, exact, href, hueOf, initial, typed, typedLines } from './show/values.ts';
import type { StaticFiles } from './static.ts';
import type { Direction, Texts, TextValues } from './texts.ts';
import { findViews } from './view-files.ts';
import {
  type AccountNotice,
  type AccountSection,
  accountSections,
  type ClientView,
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
  /** "Firefox on Linux", or what is known of it. */
  programName(of: { readonly program?: string | undefined; readonly system?: string | undefined }): string;
  doorName(door: string): string;
  readonly playgroundTexts: readonly string[];
  readonly accountSections: readonly AccountSection[];
  readonly sectionIcons: Readonly<Record<AccountSection, string>>;
  readonly problemNotices: readonly AccountNotice[];
}

type Template = (scope: Scope) => string;

export function createRenderer(options: RendererOptions): Renderer {
  const { viewsDir, overrideDir, brand, texts, statics } = options;
  const templates = new Map<string, Template>();
  const { fileOf, overridden } = findViews(viewsDir, overrideDir);

  const sprite = statics.url('icons.svg');

  function scopeFor(locals: object, locale: string): Scope {
    const say: Scope['t'] = (key, values) => texts.text(locale, key, values);
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
      t: say,
      around: (key, slot, values) => texts.around(locale, key, slot, values),
      asset: statics.url,
      icon: (name, kind) => iconMarkup(sprite, name, kind),
      part: (name, its) => compile(`parts/${name}`)({ ...scope, it: its }),
      viewer: viewerIn(locals),
      hueOf,
      scopeIcon,
      ago: (at) => ago(at, locale),
      dayName: (at, past) => dayName(at, past, locale),
      clock: (at) => clock(at, locale),
      clip,
      exact,
      typed,
      typedLines,
      href,
      initial,
      duration: (seconds) => duration(seconds, locale),
      moment: (at) => moment(at, locale),
      languageName,
      scopeSentence: (wanted) => scopeSentence(wanted, say),
      programName: (of) => programName(of, say),
      doorName: (door) => doorName(door, say),
      playgroundTexts,
      accountSections,
      sectionIcons,
      problemNotices,
    };
    return scope;
  }
  const scopeNames = Object.keys(scopeFor({}, 'en'));

  const compile = (name: string): Template => {
    const known = templates.get(name);
    if (known !== undefined) return known;
    const file = fileOf(name);
    const compiled = ejs.compile(readFileSync(file, 'utf8'), {
      // In strict mode EJS uses no `with`, so no local can shadow a name of Scope.
      strict: true,
      destructuredLocals: scopeNames,
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
      const scope = scopeFor(locals, locale);
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
