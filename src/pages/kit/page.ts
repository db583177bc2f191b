/** Sending a page: language, headers, status. What it says is the view's business. */
import type { Context } from 'koa';
import { callerOf } from '../../http/caller.ts';
import type { ErrorPages } from '../../http/errors.ts';
import { hardenPage } from '../../http/hardening.ts';
import { askedOf, type NoteRefusal } from '../../http/note-refusal.ts';
import type { Renderer } from './render.ts';
import type { Texts } from './texts.ts';
import type { ViewLocals, ViewName } from './views.ts';

export const errorKinds = [
  /** The redirect address is missing or not registered. */
  'redirect',
  'unknown-client',
  /** Anything else the application's own request got wrong. */
  'request',
  /** A form without its token, or sent from another site. */
  'form',
  'forbidden',
  'throttled',
  'method',
  'too-large',
  /** A database or another part is away: 503. */
  'unavailable',
  'internal',
  /** The application's request ended in an error, and no operator has looked at the application: no redirect. */
  'unreviewed',
] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** Why a person stays here instead of going to an unreviewed application. */
export const unreviewedReasons = ['cancelled', 'silent', 'request'] as const;
export type UnreviewedReason = (typeof unreviewedReasons)[number];

export interface RefusalDetail {
  /** The check that failed, as a sentence or a parameter's name. */
  readonly check: string;
  readonly received?: string | undefined;
  /** Where `received` begins to differ from `expected`; everything from there on is marked. */
  readonly receivedMarkFrom?: number | undefined;
  readonly expected?: string | undefined;
  readonly advice?: string | undefined;
}

declare module './views.ts' {
  interface ViewLocals {
    error: {
      readonly status: number;
      readonly kind: ErrorKind;
      /** What a developer looks for in the logs. */
      readonly reference: string;
      readonly clientName?: string | undefined;
      /** Of the kind `unreviewed`. */
      readonly why?: UnreviewedReason | undefined;
      /** The protocol's own `error` and `error_description`. */
      readonly code?: string | undefined;
      readonly description?: string | undefined;
      readonly detail?: RefusalDetail | undefined;
      readonly retryAfterSeconds?: number | undefined;
      readonly startAgain?: string | undefined;
    };
    'not-found': Readonly<Record<string, never>>;
  }
}

export interface PageOptions {
  readonly status?: number;
  /** Where the answer to this page's form may lead besides this server (see hardening.ts). */
  readonly formTargets?: readonly string[] | null;
  /** One of the catalogue's, in place of whatever the reader would get. */
  readonly locale?: string | undefined;
  /** The request's `ui_locales`. */
  readonly uiLocales?: string | undefined;
  /**
   * The language that the person has chosen on their account. Pages for the same browser that do not know whose it is, such as a
   * refusal, are in it too from then on; null: they have chosen none. Left out: this page does not know either.
   */
  readonly accountLocale?: string | null | undefined;
}

export interface Pages extends ErrorPages {
  show<V extends ViewName>(ctx: Context, view: V, locals: ViewLocals[V], options?: PageOptions): void;
  /** The language that `show` would use: for what is written to its person later. */
  localeOf(ctx: Context, uiLocales?: string, accountLocale?: string | null): string;
  /**
   * What somebody has chosen on a page of ours holds in this browser, wherever no application asks for another language; undefined: no
   * longer, since they have now said it on their account, or leave it to the browser.
   */
  chooseLocale(ctx: Context, locale: string | undefined): void;
  /** Whose language this browser's pages are in, as `accountLocale` of a page says it; null: nobody's any more. */
  noteReader(ctx: Context, accountLocale: string | null): void;
  /** An error page that carries the request's own id as its reference. */
  refuse(ctx: Context, status: number, kind: ErrorKind, more?: RefusalMore): void;
}

export interface RefusalMore {
  /** In place of the request's own id. */
  readonly reference?: string | undefined;
  readonly clientName?: string | undefined;
  readonly why?: UnreviewedReason | undefined;
  readonly code?: string | undefined;
  readonly description?: string | undefined;
  readonly detail?: RefusalDetail | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly startAgain?: string | undefined;
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  401: 'forbidden',
  403: 'forbidden',
  405: 'method',
  413: 'too-large',
  429: 'throttled',
  500: 'internal',
  503: 'unavailable',
};

const oneYear = 365 * 86_400_000;

export function createPages(deps: {
  renderer: Renderer;
  texts: Texts;
  secure: boolean;
  noteRefusal: NoteRefusal;
}): Pages {
  const { secure } = deps;
  const cookie = secure ? '__Host-gatehouse-language' : 'gatehouse-language';
  // Not signed, whatever else the engine's own context signs: it is a wish, and looked at as one.
  const cookieOptions = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true, signed: false } as const;

  // Until the browser is closed, or its person signs out: the next one at it may read another language.
  const readerCookie = secure ? '__Host-gatehouse-reader' : 'gatehouse-reader';

  const noteReader: Pages['noteReader'] = (ctx, locale) => {
    if ((ctx.cookies.get(readerCookie, { signed: false }) ?? null) !== locale)
      ctx.cookies.set(readerCookie, locale, cookieOptions);
  };

  const localeOf: Pages['localeOf'] = (ctx, uiLocales, account) =>
    deps.texts.negotiateLocale({
      uiLocales,
      chosen: ctx.cookies.get(cookie, { signed: false }),
      account: account === undefined ? ctx.cookies.get(readerCookie, { signed: false }) : (account ?? undefined),
      acceptLanguage: ctx.get('Accept-Language'),
    });

  function show<V extends ViewName>(ctx: Context, view: V, locals: ViewLocals[V], options: PageOptions = {}): void {
    const locale = options.locale ?? localeOf(ctx, options.uiLocales, options.accountLocale);
    if (options.accountLocale !== undefined) noteReader(ctx, options.accountLocale);
    hardenPage(ctx.res, secure, options.formTargets ?? (options.formTargets === null ? null : []));
    ctx.status = options.status ?? 200;
    ctx.type = 'html';
    ctx.set('Content-Language', locale);
    ctx.vary('Accept-Language, Cookie');
    const { retryAfterSeconds } = locals as { readonly retryAfterSeconds?: number | undefined };
    if (ctx.status >= 400 && retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
    ctx.body = deps.renderer.render(view, locals, { locale });
  }

  function refuse(ctx: Context, status: number, kind: ErrorKind, more: RefusalMore = {}): void {
    const { reference = noted(ctx, status, kind), ...shown } = more;
    show(ctx, 'error', { status, kind, reference, ...shown }, { status });
  }

  /** A page that refuses by itself: a form without its token. What others refuse has its record already. */
  function noted(ctx: Context, status: number, kind: ErrorKind): string {
    const caller = callerOf(ctx);
    if (status >= 500) return caller.requestId;
    const check = kind === 'form' ? 'form' : kind === 'throttled' ? 'throttled' : 'other';
    const code = kind === 'throttled' ? 'too_many_requests' : 'forbidden';
    const received = askedOf(ctx.req);
    return deps.noteRefusal(ctx.res, { endpoint: 'page', status, code, check, caller, received });
  }

  return {
    show,
    localeOf,
    noteReader,
    chooseLocale(ctx, locale) {
      if (locale !== undefined) ctx.cookies.set(cookie, locale, { ...cookieOptions, maxAge: oneYear });
      else if (ctx.cookies.get(cookie, { signed: false }) !== undefined) ctx.cookies.set(cookie, null, cookieOptions);
    },
    refuse,
    error: (ctx, status, more) => refuse(ctx, status, kinds[status] ?? 'request', more),
    notFound: (ctx) => show(ctx, 'not-found', {}, { status: 404 }),
  };
}
