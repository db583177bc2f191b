/** The cookie by which a browser is known where a person has signed in (core/known-browsers). */
import type { Context } from 'koa';
import { type BrowserValue, rememberedSeconds } from '../../core/known-browsers/known-browsers.ts';

/** What this browser says it is; anybody can send anything. */
export function browserOf(ctx: Context): string | undefined {
  return ctx.cookies.get(cookieName(ctx));
}

export function keepBrowser(ctx: Context, { value, lasting }: BrowserValue): void {
  ctx.cookies.set(cookieName(ctx), value, {
    httpOnly: true,
    sameSite: 'lax',
    secure: ctx.secure,
    path: '/',
    ...(lasting && { maxAge: rememberedSeconds * 1000 }),
    overwrite: true,
  });
}

/** No other host of the domain can plant one with the prefix. The scheme is the issuer's, by the front door. */
function cookieName({ secure }: Context): string {
  return secure ? '__Host-gatehouse-device' : 'gatehouse-device';
}
