/**
 * Where somebody chooses the language of the pages for this browser. Every page leads here, and from here back: by the `Referer` of
 * that link, so that no address with a token in it stands in another one.
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
      /** A path of this server: where to go on. */
      readonly back: string;
      /** Tags of the languages there are. */
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
    // Anything that is not a language of ours is the wish to leave it to the browser.
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

/** A path on this server and nothing a browser could take for another's address (CWE-601); not this page again. */
function localPath(address: string | undefined): string | undefined {
  if (address === undefined || address.length > 8192 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(address)) return undefined;
  return address === path || address.startsWith(`${path}?`) ? undefined : address;
}
