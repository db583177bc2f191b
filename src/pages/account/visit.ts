/** Somebody on their own pages: what each page is handed, and what it may answer with. */
import type { Context } from 'koa';
import type { Caller } from '../../core/kernel/caller.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import type { BrowserSession } from '../kit/browser-session.ts';
import type { Csrf } from '../kit/csrf.ts';
import type { PageOptions, Pages } from '../kit/page.ts';
import type { AccountNotice } from '../kit/view-parts.ts';
import type { ViewLocals, ViewName } from '../kit/views.ts';
import type { Note } from './flash-messages.ts';

export interface AccountLocals {
  readonly notice?: AccountNotice | undefined;
}

export interface AccountForm extends AccountLocals {
  readonly csrf: string;
}

export interface Visit {
  readonly ctx: Context;
  readonly account: Account;
  /** Of this browser. */
  readonly session: BrowserSession;
  /** What the page before left behind. */
  readonly note: Note;
}

/** On to another page by 303, so that a reload sends nothing twice. */
export interface Onward {
  readonly to: string;
  readonly note?: Note;
}

export type Show = (visit: Visit) => Promise<Onward | undefined>;
/** Shows a page itself where there is something to be mended, or nothing there. */
export type Take = (visit: Visit, form: ReadonlyMap<string, string>) => Promise<Onward | undefined>;

export interface PageParts {
  readonly pages: Pages;
  readonly csrf: Csrf;
}

type AccountViewName = Extract<ViewName, `account${string}`>;
/** What `showPage` fills in. */
type Common = 'notice' | 'csrf';

/** Every page's own way out: its language, its token, what was just done. Undefined, so that a page can end with it. */
export function showPage<V extends AccountViewName>(
  { pages, csrf }: PageParts,
  { ctx, account, note }: Visit,
  view: V,
  locals: Omit<ViewLocals[V], Common>,
  options: PageOptions = {},
): undefined {
  // What the type leaves out is put back here.
  const all = { ...locals, notice: note.notice, csrf: csrf.token(ctx) } as unknown as ViewLocals[V];
  pages.show(ctx, view, all, { accountLocale: account.locale, ...options });
}

/** What a form named is not among what is this person's (security.md E2). */
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
