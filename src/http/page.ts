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
  /** The request's `ui_locales`. */
  readonly uiLocales?: string | undefined;
  /** The language that the person has chosen on their account. */
  readonly accountLocale?: string | null | undefined;
}

export interface Pages extends ErrorPages {
  show<V extends ViewName>(ctx: Context, view: V, locals: ViewLocals[V], options?: PageOptions): void;
  /** The language that `show` would use: for what is written to its person later. */
  localeOf(ctx: Context, uiLocales?: string, accountLocale?: string | null): string;
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

export function createPages(deps: { renderer: Renderer; texts: Texts; secure: boolean }): Pages {
  const localeOf: Pages['localeOf'] = (ctx, uiLocales, account) =>
    deps.texts.negotiateLocale({ uiLocales, account: account ?? undefined, acceptLanguage: ctx.get('Accept-Language') });

  function show<V extends ViewName>(ctx: Context, view: V, locals: ViewLocals[V], options: PageOptions = {}): void {
    const locale = localeOf(ctx, options.uiLocales, options.accountLocale);
    hardenPage(ctx.res, deps.secure, options.formTargets ?? (options.formTargets === null ? null : []));
    ctx.status = options.status ?? 200;
    ctx.type = 'html';
    ctx.set('Content-Language', locale);
    ctx.body = deps.renderer.render(view, locals, { locale });
  }

  function refuse(ctx: Context, status: number, kind: ErrorKind, more: RefusalMore = {}): void {
    show(ctx, 'error', { status, kind, reference: factsOf(ctx.req).id, ...more }, { status });
  }

  return {
    show,
    localeOf,
    refuse,
    error: (ctx, status, retryAfterSeconds) => refuse(ctx, status, kinds[status] ?? 'request', { retryAfterSeconds }),
    notFound: (ctx) => show(ctx, 'not-found', {}, { status: 404 }),
  };
}
