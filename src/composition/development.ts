/**
 * Every page that only developers see. All are routes of this one router, so that none can be reached past its guard;
 * for every other request these addresses do not exist.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Middleware, Next } from 'koa';
import Router from 'koa-router';
import type { IsDeveloper } from '../http/developer.ts';
import type { Mailbox } from '../mail/mailbox.ts';
import type { Pages } from '../pages/kit/page.ts';
import { routeDevMails } from '../pages/playground/dev-mails.ts';
import { routePlayground } from '../pages/playground/playground.ts';

/** Not part of the product: an image of it has no such folder. */
const gallery = join(import.meta.dirname, '../../dev/gallery/gallery.ts');

export interface DevelopmentDeps {
  readonly isDeveloper: IsDeveloper;
  readonly config: { readonly developmentPages: boolean };
  readonly issuer: string;
  readonly pages: Pages;
  readonly locales: readonly string[];
  /** Absent where mails leave another way. */
  readonly mailbox: Mailbox | undefined;
}

export async function composeDevelopmentPages({ isDeveloper, mailbox, ...deps }: DevelopmentDeps): Promise<Middleware> {
  const router = new Router({ strict: true, sensitive: true });
  routePlayground(router, deps);
  if (deps.config.developmentPages && existsSync(gallery))
    (await import('../../dev/gallery/gallery.ts')).routeGallery(router, deps);
  if (mailbox) routeDevMails(router, { ...deps, mailbox });
  const routes = router.routes() as Middleware;
  const guarded = (ctx: Context, next: Next) => (isDeveloper(ctx.req) ? routes(ctx, next) : next());
  return Object.assign(guarded as Middleware, { router });
}
