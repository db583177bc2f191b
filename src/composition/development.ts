/**
 * Every page that only developers see. All are routes of this one router, so that none can be reached past its guard;
 * for every other request these addresses do not exist.
 */
import type { Context, Middleware, Next } from 'koa';
import Router from 'koa-router';
import { routeGallery } from '../gallery/gallery.ts';
import type { IsDeveloper } from '../http/developer.ts';
import type { Pages } from '../http/page.ts';
import type { Mailbox } from '../mail/mailbox.ts';
import { routeDevMails } from '../welcome/dev-mails.ts';
import { routePlayground } from '../welcome/playground.ts';

export interface DevelopmentDeps {
  readonly isDeveloper: IsDeveloper;
  readonly issuer: string;
  readonly pages: Pages;
  readonly locales: readonly string[];
  /** Absent where mails leave another way. */
  readonly mailbox: Mailbox | undefined;
}

export function composeDevelopmentPages({ isDeveloper, mailbox, ...deps }: DevelopmentDeps): Middleware {
  const router = new Router({ strict: true, sensitive: true });
  routePlayground(router, deps);
  routeGallery(router, deps);
  if (mailbox) routeDevMails(router, { ...deps, mailbox });
  const routes = router.routes() as Middleware;
  const guarded = (ctx: Context, next: Next) => (isDeveloper(ctx.req) ? routes(ctx, next) : next());
  return Object.assign(guarded as Middleware, { router });
}
