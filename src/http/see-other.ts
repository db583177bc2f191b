import type { Context } from 'koa';

/** 303, so that the browser does not post a password on (RFC 9700, section 4.12). Nothing keeps the answer. */
export function seeOther(ctx: Pick<Context, 'status' | 'set' | 'redirect'>, to: string): void {
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(to);
}
