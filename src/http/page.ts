/** Sending a page: language, headers, status. What it says is the view's business. */
import type { Context } from 'koa';
import type { ErrorPages } from './errors.ts';
import { factsOf } from './front-door.ts';
import { hardenPage } from './hardening.ts';
import type { Renderer } from './render.ts';
import type { Texts } from './texts.ts';
import type { ErrorKind, RefusalDetail, ViewLocals, ViewName } from './views.ts';

export interface PageOptions {
  readonly status?: number;
  /** Where the answer to this page's form may lead besides this server (see hardening.ts). */
  readonly formTargets?: readonly string[] | null;
  /** One of the catalogue's, in place of whatever the reader would get. */
  readonly locale?: string | undefined;
  /** The request's `ui_locales`. */
  readonly uiLocales?: string | undefined;
  /** The language that the person has chosen on their account. */
  readonly accountLocale?: string | null | undefined;
}

export interface Pages extends ErrorPages {
  show<V extends ViewName>(ctx: Context, view: V, locals: ViewLocals[V], options?: PageOptions): void;
  /** The language that `show` would use: for what is written to its person later. */
  localeOf(ctx: Context, uiLocales?: string, accountLocale?: string | null): string;
  /**
   * What somebody has chosen on a page of ours holds in this browser, before everything else; undefined: no longer, since they
   * have now said it on their account, or leave it to the browser.
   */
  chooseLocale(ctx: Context, locale: string | undefined): void;
  /** An error page that carries the request's own id as its reference. */
  refuse(ctx: Context, status: number, kind: ErrorKind, more?: RefusalMore): void;
}

export interface RefusalMore {
  readonly clientName?: string | undefined;
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

export function createPages(deps: { renderer: Renderer; texts: Texts; secure: boolean }): Pages {
  const { secure } = deps;
  const cookie = secure ? '__Host-gatehouse-language' : 'gatehouse-language';
  // Not signed, whatever else the engine's own context signs: it is a wish, and looked at as one.
  const cookieOptions = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true, signed: false } as const;

  const localeOf: Pages['localeOf'] = (ctx, uiLocales, account) =>
    deps.texts.negotiateLocale({
      chosen: ctx.cookies.get(cookie, { signed: false }),
      uiLocales,
      account: account ?? undefined,
      acceptLanguage: ctx.get('Accept-Language'),
    });

  function show<V extends ViewName>(ctx: Context, view: V, locals: ViewLocals[V], options: PageOptions = {}): void {
    const locale = options.locale ?? localeOf(ctx, options.uiLocales, options.accountLocale);
    hardenPage(ctx.res, secure, options.formTargets ?? (options.formTargets === null ? null : []));
    ctx.status = options.status ?? 200;
    ctx.type = 'html';
    ctx.set('Content-Language', locale);
    ctx.vary('Accept-Language, Cookie');
    ctx.body = deps.renderer.render(view, locals, { locale });
  }

  function refuse(ctx: Context, status: number, kind: ErrorKind, more: RefusalMore = {}): void {
    show(ctx, 'error', { status, kind, reference: factsOf(ctx.req).id, ...more }, { status });
  }

  return {
    show,
    localeOf,
    chooseLocale(ctx, locale) {
      if (locale !== undefined) ctx.cookies.set(cookie, locale, { ...cookieOptions, maxAge: oneYear });
      else if (ctx.cookies.get(cookie, { signed: false }) !== undefined) ctx.cookies.set(cookie, null, cookieOptions);
    },
    refuse,
    error: (ctx, status, retryAfterSeconds) => refuse(ctx, status, kinds[status] ?? 'request', { retryAfterSeconds }),
    notFound: (ctx) => show(ctx, 'not-found', {}, { status: 404 }),
  };
}
