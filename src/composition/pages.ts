/** What every page is made of: texts, brand, views, and the guard of its forms. */
import { join } from 'node:path';
import { tryViews } from '../gallery/try-views.ts';
import { type BrandSettings, openBrand } from '../http/brand.ts';
import { createCsrf } from '../http/csrf.ts';
import { createPages } from '../http/page.ts';
import { createRenderer } from '../http/render.ts';
import { serveStatic } from '../http/static.ts';
import { loadTexts } from '../http/texts.ts';
import type { Ground } from './ground.ts';

const root = join(import.meta.dirname, '../..');

/** Texts, brand and views. Throws, naming the file, where one of a deployment's own cannot be shown. */
export async function openLook(settings: BrandSettings, viewsDir: string | undefined) {
  const texts = loadTexts(join(root, 'views/texts'), viewsDir && join(viewsDir, 'texts'));
  const brand = openBrand(settings);
  const statics = serveStatic(join(root, 'public'));
  const renderer = createRenderer({ viewsDir: join(root, 'views'), overrideDir: viewsDir, brand, texts, statics });
  if (renderer.overridden.length > 0) tryViews(renderer, (await import('../gallery/states.ts')).states);
  return { texts, brand, statics, renderer };
}

export async function composePages({ config, secrets, noteRefusal }: Ground) {
  const secure = config.issuer.startsWith('https:');
  const { texts, brand, statics, renderer } = await openLook(config.brand, config.viewsDir);
  const pages = createPages({ renderer, texts, secure, noteRefusal });
  const csrf = createCsrf(secrets.secretKey, config.issuer);
  return { texts, brand, statics, secure, pages, csrf };
}
