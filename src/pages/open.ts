/** Opens what all pages share: texts, brand, views, and the parts of a page that are not in core. */
import { join } from 'node:path';
import type { Core } from '../core/core.ts';
import { createIsDeveloper } from '../http/developer.ts';
import type { NoteRefusal } from '../http/note-refusal.ts';
import { signInAddress } from './account/sign-in-address.ts';
import { type BrandSettings, openBrand } from './kit/brand/brand.ts';
import { createCsrf } from './kit/csrf.ts';
import { createLetIn } from './kit/let-in.ts';
import { tryMailView } from './kit/mail/mail-view.ts';
import { createPages } from './kit/page.ts';
import { createRenderer } from './kit/render.ts';
import { serveStatic } from './kit/static.ts';
import { openTexts } from './kit/texts.ts';
import { tryViews } from './kit/try-views.ts';

const root = join(import.meta.dirname, '../..');

/** Throws as `openLook` does. */
export async function openPages(core: Core, noteRefusal: NoteRefusal) {
  const { config, secrets, passes } = core;
  const { issuer } = config;
  const secure = issuer.startsWith('https:');
  const { texts, brand, statics, renderer } = await openLook(config.brand, config.viewsDir);
  const signInAt = (page: string) => signInAddress(issuer, page);
  return {
    issuer,
    secure,
    brand,
    statics,
    locales: texts.locales,
    pages: createPages({ renderer, texts, secure, noteRefusal }),
    csrf: createCsrf(secrets.secretKey, issuer),
    isDeveloper: createIsDeveloper(config.developmentPages),
    signInAt,
    letIn: createLetIn({ passes, signInAt }),
  };
}

/** Throws an error that names the file if a deployment's own view or text is invalid. */
async function openLook(settings: BrandSettings, viewsDir: string | undefined) {
  const texts = openTexts(viewsDir);
  const brand = openBrand(settings);
  const statics = serveStatic(join(root, 'public'));
  const renderer = createRenderer({ viewsDir: join(root, 'views'), overrideDir: viewsDir, brand, texts, statics });
  if (renderer.overridden.length > 0) tryViews(renderer, (await import('./states.ts')).states);
  if (renderer.overridden.includes('mail'))
    tryMailView(join(root, 'views'), viewsDir, (await import('./kit/states/mail.ts')).mailStates);
  return { texts, brand, statics, renderer };
}

/** The error in a deployment's own templates and texts; undefined if there is none. */
export async function mistakesInViews(viewsDir: string): Promise<string | undefined> {
  try {
    await openLook({ name: 'Gatehouse' }, viewsDir);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
