/** What every page is made of: texts, brand, views, and the guard of its forms. */
import { join } from 'node:path';
import type { Core } from '../core/core.ts';
import type { NoteRefusal } from '../http/note-refusal.ts';
import { type BrandSettings, openBrand } from '../pages/kit/brand/brand.ts';
import { createCsrf } from '../pages/kit/csrf.ts';
import { createPages } from '../pages/kit/page.ts';
import { createRenderer } from '../pages/kit/render.ts';
import { serveStatic } from '../pages/kit/static.ts';
import { loadTexts } from '../pages/kit/texts.ts';
import { tryViews } from '../pages/kit/try-views.ts';

const root = join(import.meta.dirname, '../..');

/** Texts, brand and views. Throws, naming the file, where one of a deployment's own cannot be shown. */
export async function openLook(settings: BrandSettings, viewsDir: string | undefined) {
  const texts = loadTexts(join(root, 'views/texts'), viewsDir && join(viewsDir, 'texts'));
  const brand = openBrand(settings);
  const statics = serveStatic(join(root, 'public'));
  const renderer = createRenderer({ viewsDir: join(root, 'views'), overrideDir: viewsDir, brand, texts, statics });
  if (renderer.overridden.length > 0) tryViews(renderer, (await import('../pages/states.ts')).states);
  return { texts, brand, statics, renderer };
}

export async function composePages({ config, secrets }: Core, noteRefusal: NoteRefusal) {
  const secure = config.issuer.startsWith('https:');
  const { texts, brand, statics, renderer } = await openLook(config.brand, config.viewsDir);
  const pages = createPages({ renderer, texts, secure, noteRefusal });
  const csrf = createCsrf(secrets.secretKey, config.issuer);
  return { texts, brand, statics, secure, pages, csrf };
}
