/** Shows a mail in a browser, in development: a document of its own without scripts, forms or an origin. */
import type { Context } from 'koa';

export function showMail(ctx: Context, html: string, locale: string): void {
  ctx.status = 200;
  ctx.type = 'html';
  // A mail carries its styles. All else is off: nothing is fetched, and links open as from a mail program.
  ctx.set('Content-Security-Policy', `${policy}; sandbox allow-popups allow-popups-to-escape-sandbox`);
  ctx.set('X-Frame-Options', 'DENY');
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Referrer-Policy', 'no-referrer');
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Language', locale);
  ctx.body = html;
}

const policy = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src https:',
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');
