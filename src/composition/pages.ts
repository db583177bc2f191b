/** What every page is made of: texts, brand, views, and the guard of its forms. */
import { join } from 'node:path';
import { tryViews } from '../gallery/try-views.ts';
import { openBrand } from '../http/brand.ts';
import { createCsrf } from '../http/csrf.ts';
import { createPages } from '../http/page.ts';
import { createRenderer } from '../http/render.ts';
import { serveStatic } from '../http/static.ts';
import { loadTexts } from '../http/texts.ts';
import type { Ground } from './ground.ts';

const root = join(import.meta.dirname, '../..');

export async function composePages({ config, secrets }: Ground) {
  const secure = config.issuer.startsWith('https:');
  const texts = loadTexts(join(root, 'views/texts'), config.viewsDir && join(config.viewsDir, 'texts'));
  const brand = openBrand(config.brand);
  const statics = serveStatic(join(root, 'public'));
  const renderer = createRenderer({
    viewsDir: join(root, 'views'),
    overrideDir: config.viewsDir,
    brand,
    texts,
    statics,
  });
  if (renderer.overridden.length > 0) tryViews(renderer, (await import('../gallery/states.ts')).states);
  const pages = createPages({ renderer, texts, secure });
  const csrf = createCsrf(secrets.secretKey, config.issuer);
  return { texts, brand, statics, secure, pages, csrf };
}
