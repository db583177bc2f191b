/** A request to an account page: its input, and its possible responses. */
import type { Context } from 'koa';
import type { Caller } from '../../core/kernel/caller.ts';
import { displayName } from '../../core/kernel/names.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import type { BrowserSession } from '../kit/browser-session.ts';
import type { Csrf } from '../kit/csrf.ts';
import type { PageOptions, Pages } from '../kit/page.ts';
import type { AccountNotice, Viewer } from '../kit/view-parts.ts';
import type { ViewLocals, ViewName } from '../kit/views.ts';
import type { Note } from './flash-messages.ts';

export interface AccountLocals {
  readonly viewer: Viewer;
  readonly notice?: AccountNotice | undefined;
}

export interface AccountForm extends AccountLocals {
  readonly csrf: string;
}

export interface Visit {
  readonly ctx: Context;
  readonly account: Account;
  /** The session of this browser. */
  readonly session: BrowserSession;
  /** The flash message of the previous page. */
  readonly note: Note;
}

/** Redirects with 303, so that a reload does not repeat a POST. */
export interface Onward {
  readonly to: string;
  readonly note?: Note;
}

export type Show = (visit: Visit) => Promise<Onward | undefined>;
/** Shows a page itself to report mistakes, or if something was not found. */
export type Take = (visit: Visit, form: ReadonlyMap<string, string>) => Promise<Onward | undefined>;

interface PageParts {
  readonly pages: Pages;
  readonly csrf: Csrf;
}

type AccountViewName = Extract<ViewName, `account${string}`>;
/** The locals that `showPage` adds. */
type Common = 'viewer' | 'notice' | 'csrf';

/** Shows a page with the person, their language, the CSRF token and the notice. Returns undefined for tail calls. */
export function showPage<V extends AccountViewName>(
  { pages, csrf }: PageParts,
  { ctx, account, note }: Visit,
  view: V,
  locals: Omit<ViewLocals[V], Common>,
  options: PageOptions = {},
): undefined {
  // Adds the locals that the type omits.
  const viewer = { name: displayName(account), username: account.username };
  const all = { ...locals, viewer, notice: note.notice, csrf: csrf.token(ctx) } as unknown as ViewLocals[V];
  pages.show(ctx, view, all, { accountLocale: account.locale, ...options });
}

/** For an id in a form that is not the person's (security.md E2). */
export function notThere({ pages }: PageParts, { ctx }: Visit): undefined {
  pages.notFound(ctx);
}

export function callerIn({ ctx, account }: Visit, pages: Pages): Caller {
  return {
    ...callerOf(ctx, 'account'),
    browser: browserOf(ctx),
    locale: pages.localeOf(ctx, undefined, account.locale),
  };
}
