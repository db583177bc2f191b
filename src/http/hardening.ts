/** Response headers that protect users in their browsers (OWASP ASVS 5.0, 3.4; RFC 9700, section 4.16). */
import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';

/**
 * `formTargets`: origins or schemes that a form's response may redirect to; Chromium checks every redirect after a form
 * post against `form-action`. `null` omits the directive, for the engine's self-submitting pages.
 */
function contentSecurityPolicy(formTargets: readonly string[] | null = []): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' https: data:",
    "connect-src 'self'",
    ...(formTargets === null ? [] : [["form-action 'self'", ...formTargets].join(' ')]),
    "frame-ancestors 'none'",
    "object-src 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/**
 * Addresses from an authorization or logout request to the return, where the application's page may have opened this
 * window and wait (security.md A14). These pages also lead to `/language` and back.
 */
const onTheWay =
  /^\/(?:oauth\/(?:authorize|logout)(?:\/.*)?|interaction\/.+|upstream\/.+|forgot|reset|language)(?:\?.*)?$/s;

/** Whether the window at this address (path and query) stays connected to the page that opened it. */
export function keepsOpener(address: string): boolean {
  return onTheWay.test(address);
}

/** Sets all headers of a page. `secure`: the issuer is https. */
export function hardenPage(res: ServerResponse, secure: boolean, formTargets: readonly string[] | null = []): void {
  res.setHeader('Content-Security-Policy', contentSecurityPolicy(formTargets));
  res.setHeader('X-Frame-Options', 'DENY');
  // `no-referrer` would make a browser send `Origin: null` with this server's own forms.
  res.setHeader('Referrer-Policy', 'same-origin');
  res.setHeader('Cross-Origin-Opener-Policy', keepsOpener(res.req.url ?? '') ? 'unsafe-none' : 'same-origin');
  res.setHeader('Cache-Control', 'no-store');
  hardenAnswer(res, secure);
}

/** Sets the headers that every response carries, JSON too. */
export function hardenAnswer(res: ServerResponse, secure: boolean): void {
  res.setHeader('X-Content-Type-Options', 'nosniff');
  if (secure) res.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
}

/** A 303 makes the browser drop a posted password (RFC 9700, section 4.12). The response is not cached. */
export function seeOther(ctx: Pick<Context, 'status' | 'set' | 'redirect'>, to: string): void {
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(to);
}

/**
 * CSP sources for a form whose response leads to this redirect URI: its origin or private scheme; any https site,
 * because the application may redirect further; and any loopback port if the URI is on loopback.
 */
export function formTargetsFor(redirectUri: string): readonly string[] {
  const url = URL.parse(redirectUri);
  if (!url) return [];
  if (url.origin === 'null') return [url.protocol, 'https:'];
  if (url.protocol !== 'http:') return ['https:'];
  return [url.origin, 'http://localhost:*', 'http://127.0.0.1:*', 'https:'];
}
