/**
 * A person has set a password in this browser, and goes on signed in: to the application whose sign-in led here, or to
 * a page of this server. Both are ordinary authorizations; a pass (core/sign-in/passes) in a cookie stands for the
 * password there, and for nothing else.
 */
import type { Context } from 'koa';
import { Unavailable } from '../../base/errors.ts';
import { proofSeconds } from '../../core/kernel/password-proof.ts';
import type { Passes, PassOrigin } from '../../core/sign-in/passes.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { seeOther } from '../../http/hardening.ts';

interface Onward {
  readonly after: PassOrigin;
  /** Where to be in the end: a page that the account pages' callback leads to. */
  readonly page: string;
  /** The sign-in that led here, by the id of its interaction, which need not be this browser's. */
  readonly from?: string | undefined;
}

/** Sends the browser on. Where no pass can be made the person is asked for the password. */
export type LetIn = (ctx: Context, account: Account, onward: Onward) => Promise<void>;

/** `signInAt`: the way to a sign-in that comes back to this page. */
export function createLetIn({ passes, signInAt }: { passes: Passes; signInAt: (page: string) => string }): LetIn {
  return async (ctx, account, { after, page, from }) => {
    try {
      keepPass(ctx, await passes.make(account, after));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
    const login = new URLSearchParams({ prompt: 'login', login_hint: account.username });
    seeOther(ctx, from === undefined ? `${signInAt(page)}&${login}` : `/interaction/${from}/pass`);
  };
}

// Strict: it is used up by this server's own pages, and no other site's link spends it.
const options = { httpOnly: true, sameSite: 'strict', path: '/', overwrite: true } as const;

function keepPass(ctx: Context, value: string): void {
  ctx.cookies.set(nameOf(ctx), value, { ...options, secure: ctx.secure, maxAge: proofSeconds * 1000 });
}

export function hasPass(ctx: Context): boolean {
  return ctx.cookies.get(nameOf(ctx)) !== undefined;
}

/** The browser has it no more. */
export function takePass(ctx: Context): string | undefined {
  const value = ctx.cookies.get(nameOf(ctx));
  if (value !== undefined) ctx.cookies.set(nameOf(ctx), null, { ...options, secure: ctx.secure });
  return value;
}

/** No other host of the domain can plant one with the prefix. The scheme is the issuer's, by the front door. */
function nameOf({ secure }: Context): string {
  return secure ? '__Host-gatehouse-pass' : 'gatehouse-pass';
}
