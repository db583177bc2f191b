/**
 * Protects forms against cross-site request forgery. A form is valid only in the browser that received it.
 *
 * Two independent checks: `Sec-Fetch-Site`, or else `Origin`, must name this server; and the form must carry a token
 * that is derived from a random cookie of this browser. The token also protects browsers that send neither header
 * (OWASP ASVS 5.0, 3.5.1).
 */
import { createHmac } from 'node:crypto';
import type { Context } from 'koa';
import { deriveKey, randomToken, sameSecret } from '../../base/secrets.ts';
import { readForm } from '../../http/body.ts';
import type { Pages, RefusalMore } from './page.ts';

export interface Csrf {
  /**
   * Returns the token for a form, and sets the browser's cookie if it has none. `about` binds the token to one purpose.
   */
  token(ctx: Context, about?: string): string;
  /** True if the post comes from a form of this server, for the same `about`, in this browser. */
  check(ctx: Context, token: unknown, about?: string): boolean;
}

const thirtyDays = 30 * 86_400_000;

export function createCsrf(secretKey: string, issuer: string): Csrf {
  const key = deriveKey(secretKey, 'csrf');
  const secure = issuer.startsWith('https:');
  const cookieName = secure ? '__Host-gatehouse-browser' : 'gatehouse-browser';
  // `browser` has a fixed length, so the boundary to `about` is unambiguous.
  const tokenOf = (browser: string, about: string) =>
    createHmac('sha256', key).update(browser).update(about).digest('base64url');

  return {
    token(ctx, about = '') {
      let browser = ctx.cookies.get(cookieName);
      if (browser === undefined || !/^[A-Za-z0-9_-]{32}$/.test(browser)) {
        browser = randomToken(24);
        ctx.cookies.set(cookieName, browser, {
          httpOnly: true,
          sameSite: 'lax',
          secure,
          path: '/',
          maxAge: thirtyDays,
          overwrite: true,
        });
      }
      return tokenOf(browser, about);
    },
    check(ctx, token, about = '') {
      const site = ctx.get('Sec-Fetch-Site');
      if (site !== '' ? site !== 'same-origin' : ctx.get('Origin') !== '' && ctx.get('Origin') !== issuer) return false;
      const browser = ctx.cookies.get(cookieName);
      // Accepts only values of the format that `token` sets.
      if (browser === undefined || !/^[A-Za-z0-9_-]{32}$/.test(browser) || typeof token !== 'string') return false;
      return sameSecret(token, tokenOf(browser, about));
    },
  };
}

/**
 * Reads the form of a post. Returns undefined, after an error page, if the check fails.
 *
 * `about`: see `Csrf.token`. `more`: further content of the error page.
 */
export async function readCheckedForm(
  { pages, csrf }: { readonly pages: Pages; readonly csrf: Csrf },
  ctx: Context,
  { about, more }: { readonly about?: string; readonly more?: () => Promise<RefusalMore> } = {},
): Promise<ReadonlyMap<string, string> | undefined> {
  const form = await readForm(ctx);
  if (csrf.check(ctx, form.get('csrf'), about)) return form;
  pages.refuse(ctx, 403, 'form', await more?.());
  return undefined;
}
