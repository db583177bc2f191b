/** Every page that only developers see: for every other request the route table knows none of these addresses. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Next } from 'koa';
import { pageRoutes, type Route } from '../http/routes.ts';
import type { Mailbox } from '../mail/mailbox.ts';
import type { Pages } from '../pages/kit/page.ts';
import { devMailsRoutes } from '../pages/playground/dev-mails.ts';
import { playgroundRoutes } from '../pages/playground/playground.ts';

/** Not part of the product: an image of it has no such folder. */
const galleryFile = join(import.meta.dirname, '../../dev/gallery/gallery.ts');

export interface DevelopmentDeps {
  readonly config: { readonly developmentPages: boolean };
  readonly issuer: string;
  readonly pages: Pages;
  readonly locales: readonly string[];
  /** Absent where mails leave another way. */
  readonly mailbox: Mailbox | undefined;
}

export async function composeDevelopmentPages(deps: DevelopmentDeps): Promise<readonly Route[]> {
  const shown = deps.config.developmentPages && existsSync(galleryFile);
  const gallery = shown ? (await import('../../dev/gallery/gallery.ts')).createGallery(deps) : undefined;
  const when = { holds: shown, says: 'in development' };
  const nothing = (_ctx: Context, next: Next) => next();
  return [
    ...playgroundRoutes(deps),
    ...pageRoutes('dev/gallery', [
      { path: '/gallery', access: 'developer', when, GET: gallery?.list ?? nothing },
      { path: '/gallery/:view/:state', access: 'developer', when, GET: gallery?.show ?? nothing },
    ]),
    ...devMailsRoutes(deps),
  ];
}
