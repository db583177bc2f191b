/** The gallery's routes. Its pages are in dev/, which is not part of the product: an image has no such folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Next } from 'koa';
import { pageRoutes, type Route } from '../../http/routes.ts';
import type { PageDeps } from '../kit/deps.ts';

const file = join(import.meta.dirname, '../../../dev/gallery/gallery.ts');

export const hasGallery = ({ config }: Pick<PageDeps, 'config'>): boolean =>
  config.developmentPages && existsSync(file);

export async function galleryRoutes(deps: PageDeps): Promise<readonly Route[]> {
  const shown = hasGallery(deps);
  const gallery = shown ? (await import('../../../dev/gallery/gallery.ts')).createGallery(deps) : undefined;
  const when = { holds: shown, says: 'in development' };
  const nothing = (_ctx: Context, next: Next) => next();
  return pageRoutes('dev/gallery', [
    { path: '/gallery', access: 'developer', when, GET: gallery?.list ?? nothing },
    { path: '/gallery/:view/:state', access: 'developer', when, GET: gallery?.show ?? nothing },
  ]);
}
