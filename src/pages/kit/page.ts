/** Sends a page: language, headers and status. The views hold the content. */
import type { Context } from 'koa';
import { callerOf } from '../../http/caller.ts';
import type { ErrorPages } from '../../http/errors.ts';
import { hardenPage } from '../../http/hardening.ts';
import { askedOf, type NoteRefusal } from '../../http/note-refusal.ts';
import type { Renderer } from './render.ts';
import type { Texts } from './texts.ts';
import type { ViewLocals, ViewName } from './views.ts';

export const errorKinds = [
  /** The redirect URI is missing or not registered. */
  'redirect',
  'unknown-client',
  /** Any other error in the authorization request. */
  'request',
  /** A form without its token, or from another site. */
  'form',
  'forbidden',
  'throttled',
  'method',
  'too-large',
  /** The database or another dependency is unavailable: 503. */
  'unavailable',
  'internal',
  /** The request of an unreviewed client ended in an error: this page replaces the redirect. */
  'unreviewed',
] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** Why a person stays here instead of being redirected to an unreviewed client. */
export const unreviewedReasons = ['cancelled', 'silent', 'request'] as const;
export type UnreviewedReason = (typeof unreviewedReasons)[number];

export interface RefusalDetail {
  /** The failed check: a sentence or a parameter name. */
  readonly check: string;
  readonly received?: string | undefined;
  /** Where `received` begins to differ from `expected`. The page marks the rest. */
  readonly receivedMarkFrom?: number | undefined;
  readonly expected?: string | undefined;
  readonly advice?: string | undefined;
}

declare module './views.ts' {
  interface ViewLocals {
    error: {
      readonly status: number;
      readonly kind: ErrorKind;
      /** The id to search for in the logs. */
      readonly reference: string;
      readonly clientName?: string | undefined;
      /** Set for the kind `unreviewed`. */
      readonly why?: UnreviewedReason | undefined;
      /** `error` and `error_description` of the protocol. */
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
  /** Where the response to this page's form may redirect, besides this server (see hardening.ts). */
  readonly formTargets?: readonly string[] | null;
  /** A locale of the catalogue; overrides the negotiation. */
  readonly locale?: string | undefined;
  /** The `ui_locales` parameter of the request. */
  readonly uiLocales?: string | undefined;
  /**
   * The language on the account. Later pages of the same browser that do not know the account use it too. Null: the
   * account has none. Absent: this page does not know the account.
   */
  readonly accountLocale?: string | null | undefined;
}

export interface Pages extends ErrorPages {
  show<V extends ViewName>(ctx: Context, view: V, locals: ViewLocals[V], options?: PageOptions): void;
  /** The language that `show` would use, for mails that are sent later. */
  localeOf(ctx: Context, uiLocales?: string, accountLocale?: string | null): string;
  /**
   * Stores a person's choice of language in this browser. A client's `ui_locales` takes precedence. Undefined removes
   * the choice: it is on the account now, or the browser's language applies.
   */
  chooseLocale(ctx: Context, locale: string | undefined): void;
  /** Remembers the account's language in this browser. Null: the account has none, or is signed out. */
  noteReader(ctx: Context, accountLocale: string | null): void;
  /** Shows an error page with the request id as its reference. */
  refuse(ctx: Context, status: number, kind: ErrorKind, more?: RefusalMore): void;
}

export interface RefusalMore {
  /** Replaces the request id. */
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
  // Not signed: the value is an untrusted preference and is validated.
  const cookieOptions = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true, signed: false } as const;

  // Ends with the browser session or the sign-out: the next user may read another language.
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

  /** Records a refusal that a page itself makes. Other refusals are recorded where they occur. */
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
