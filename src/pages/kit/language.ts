/**
 * The page that sets the language for this browser. Every page links to it. It finds the way back by the `Referer`
 * header, so no address with a token becomes part of another address.
 */
import type { Context } from 'koa';
import { seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import { readCheckedForm } from './csrf.ts';
import type { PageDeps } from './deps.ts';

declare module './views.ts' {
  interface ViewLocals {
    language: {
      readonly csrf: string;
      /** A path of this server, to return to. */
      readonly back: string;
      /** Tags of the available languages. */
      readonly locales: readonly string[];
    };
  }
}

const path = '/language';

export function createLanguagePage({ issuer, pages, csrf, locales, signedIn }: PageDeps): readonly Route[] {
  const show = async (ctx: Context) => {
    const accountLocale = (await signedIn(ctx))?.locale;
    pages.show(ctx, 'language', { csrf: csrf.token(ctx), back: pageBefore(ctx, issuer), locales }, { accountLocale });
  };

  const choose = async (ctx: Context) => {
    const form = await readCheckedForm({ pages, csrf }, ctx);
    if (!form) return undefined;
    // Any other value means: use the browser's language.
    pages.chooseLocale(
      ctx,
      locales.find((locale) => locale === form.get('language')),
    );
    seeOther(ctx, localPath(form.get('back')) ?? '/');
    return undefined;
  };

  return pageRoutes('pages/kit', [{ path, access: 'public', GET: show, POST: choose }]);
}

function pageBefore(ctx: Context, issuer: string): string {
  const from = URL.parse(ctx.get('Referer'));
  return (from?.origin === issuer && localPath(from.pathname + from.search)) || '/';
}

/** A path on this server that a browser cannot read as another host (CWE-601), and not this page. */
function localPath(address: string | undefined): string | undefined {
  if (address === undefined || address.length > 8192 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(address)) return undefined;
  return address === path || address.startsWith(`${path}?`) ? undefined : address;
}
