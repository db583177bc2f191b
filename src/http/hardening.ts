/** The headers that keep browsers from being turned against the person (OWASP ASVS 5.0, 3.4; RFC 9700, section 4.16). */
import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';

/**
 * The policy of a page. `formTargets`: origins or schemes to which a form's answer may redirect besides this server; Chromium
 * checks each redirect after a form post against `form-action`, to the last one, so the consent page has to name the application
 * it returns to and wherever that may send the person on.
 * `null` leaves the directive out, for the engine's own self-submitting pages.
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
 * Addresses between an authorization or logout request and the return to the application. The application's page may have
 * opened this window, and wait for the answer (security.md A14). Each of these pages leads to `/language` and back.
 */
const onTheWay =
  /^\/(?:oauth\/(?:authorize|logout)(?:\/.*)?|interaction\/.+|upstream\/.+|forgot|reset|language)(?:\?.*)?$/s;

/** Whether the window at this address (path and query) stays connected with the page that opened it. Everywhere else it does not. */
export function keepsOpener(address: string): boolean {
  return onTheWay.test(address);
}

/** Everything a page carries. `secure`: the issuer is https. */
export function hardenPage(res: ServerResponse, secure: boolean, formTargets: readonly string[] | null = []): void {
  res.setHeader('Content-Security-Policy', contentSecurityPolicy(formTargets));
  res.setHeader('X-Frame-Options', 'DENY');
  // `no-referrer` would make a browser send `Origin: null` with this server's own forms.
  res.setHeader('Referrer-Policy', 'same-origin');
  res.setHeader('Cross-Origin-Opener-Policy', keepsOpener(res.req.url ?? '') ? 'unsafe-none' : 'same-origin');
  res.setHeader('Cache-Control', 'no-store');
  hardenAnswer(res, secure);
}

/** What every answer carries, JSON ones too. */
export function hardenAnswer(res: ServerResponse, secure: boolean): void {
  res.setHeader('X-Content-Type-Options', 'nosniff');
  if (secure) res.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
}

/** 303, so that the browser does not post a password on (RFC 9700, section 4.12). Nothing keeps the answer. */
export function seeOther(ctx: Pick<Context, 'status' | 'set' | 'redirect'>, to: string): void {
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(to);
}

/**
 * Where a form's answer may end that leads to this redirect URI, as CSP sources: its origin or private scheme, any https site, since
 * the application may send the person on to another of its own, and, for one on this machine, any port of it.
 */
export function formTargetsFor(redirectUri: string): readonly string[] {
  const url = URL.parse(redirectUri);
  if (!url) return [];
  if (url.origin === 'null') return [url.protocol, 'https:'];
  if (url.protocol !== 'http:') return ['https:'];
  return [url.origin, 'http://localhost:*', 'http://127.0.0.1:*', 'https:'];
}
