/**
 * Cross-site request forgery: a form is good only from the browser it was given to.
 *
 * Two independent checks. The browser's own word (`Sec-Fetch-Site`, else `Origin`) must say that the post comes from this
 * server's pages; and the form must carry a token made from a random cookie of this browser, so that a browser that says
 * nothing is still held to it (OWASP ASVS 5.0, 3.5.1).
 */
import { createHmac } from 'node:crypto';
import type { Context } from 'koa';
import { deriveKey, randomToken, sameSecret } from '../../base/secrets.ts';
import { readForm } from '../../http/body.ts';
import type { Pages, RefusalMore } from './page.ts';

export interface Csrf {
  /** The token for a form on this page; sets the browser's cookie where there is none. `about`: it is good for nothing else. */
  token(ctx: Context, about?: string): string;
  /** Whether this post comes from a form of ours, about this, in this browser. */
  check(ctx: Context, token: unknown, about?: string): boolean;
}

const thirtyDays = 30 * 86_400_000;

export function createCsrf(secretKey: string, issuer: string): Csrf {
  const key = deriveKey(secretKey, 'csrf');
  const secure = issuer.startsWith('https:');
  const cookieName = secure ? '__Host-gatehouse-browser' : 'gatehouse-browser';
  // Of a fixed length, so that it runs into nothing that follows.
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
      // Only what `token` gives out, whatever the cookie says.
      if (browser === undefined || !/^[A-Za-z0-9_-]{32}$/.test(browser) || typeof token !== 'string') return false;
      return sameSecret(token, tokenOf(browser, about));
    },
  };
}

/**
 * The form of a post. Undefined if it comes from no page of ours: then it has been refused.
 * `about`: what the form must be about. `more`: what the refusal says beside.
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
