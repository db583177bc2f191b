/**
 * Signs a person in who has just set a password in this browser, and continues: at the client whose sign-in led here,
 * or at a page of this server. Both are ordinary authorizations. A pass (core/sign-in/passes) in a cookie replaces the
 * password there, once.
 */
import type { Context } from 'koa';
import { Unavailable } from '../../base/errors.ts';
import { proofSeconds } from '../../core/kernel/password-proof.ts';
import type { Passes, PassOrigin } from '../../core/sign-in/passes.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { seeOther } from '../../http/hardening.ts';

interface Onward {
  readonly after: PassOrigin;
  /** The final target: a page that the account pages' callback can reach. */
  readonly page: string;
  /** The id of the interaction that led here. It may belong to another browser. */
  readonly from?: string | undefined;
}

/** Redirects the browser. If no pass can be made, the person enters the password instead. */
export type LetIn = (ctx: Context, account: Account, onward: Onward) => Promise<void>;

/** `signInAt`: the address of a sign-in that returns to a page. */
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

// Strict: only this server's own pages spend the pass, never a link on another site.
const options = { httpOnly: true, sameSite: 'strict', path: '/', overwrite: true } as const;

function keepPass(ctx: Context, value: string): void {
  ctx.cookies.set(nameOf(ctx), value, { ...options, secure: ctx.secure, maxAge: proofSeconds * 1000 });
}

export function hasPass(ctx: Context): boolean {
  return ctx.cookies.get(nameOf(ctx)) !== undefined;
}

/** Removes the cookie. */
export function takePass(ctx: Context): string | undefined {
  const value = ctx.cookies.get(nameOf(ctx));
  if (value !== undefined) ctx.cookies.set(nameOf(ctx), null, { ...options, secure: ctx.secure });
  return value;
}

/** The prefix stops other hosts of the domain from setting this cookie. `secure` follows the issuer's scheme. */
function nameOf({ secure }: Context): string {
  return secure ? '__Host-gatehouse-pass' : 'gatehouse-pass';
}
