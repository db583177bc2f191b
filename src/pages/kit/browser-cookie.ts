/** The cookie that identifies a browser in which a person has signed in (core/known-browsers). */
import type { Context } from 'koa';
import { type BrowserValue, rememberedSeconds } from '../../core/known-browsers/known-browsers.ts';

/** Untrusted: a browser can send any value. */
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

/** The prefix stops other hosts of the domain from setting this cookie. `secure` follows the issuer's scheme. */
function cookieName({ secure }: Context): string {
  return secure ? '__Host-gatehouse-device' : 'gatehouse-device';
}
