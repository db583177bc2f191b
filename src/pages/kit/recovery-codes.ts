/** Sends recovery codes as a file. */
import type { Context } from 'koa';

export function sendRecoveryCodes(ctx: Context, codes: readonly string[]): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.attachment('recovery-codes.txt');
  ctx.type = 'text/plain; charset=utf-8';
  ctx.body = `${codes.join('\r\n')}\r\n`;
}
