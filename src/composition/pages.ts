/** What every page is made of: texts, brand, views, and all that pages receive. */
import { join } from 'node:path';
import { withFactorLetters } from '../core/factors/factor-letters.ts';
import { createUpstream } from '../core/upstream/upstream.ts';
import { createIsDeveloper } from '../http/developer.ts';
import type { NoteRefusal } from '../http/note-refusal.ts';
import { openProviders } from '../login/open.ts';
import { createProtocol } from '../oidc/provider.ts';
import type { OpenCore } from '../open-core.ts';
import { signInAddress } from '../pages/account/sign-in-address.ts';
import { type BrandSettings, openBrand } from '../pages/kit/brand/brand.ts';
import { createCsrf } from '../pages/kit/csrf.ts';
import type { PageDeps } from '../pages/kit/deps.ts';
import { createLetIn } from '../pages/kit/let-in.ts';
import { createPages } from '../pages/kit/page.ts';
import { createRenderer } from '../pages/kit/render.ts';
import { serveStatic } from '../pages/kit/static.ts';
import { loadTexts } from '../pages/kit/texts.ts';
import { tryViews } from '../pages/kit/try-views.ts';
import { createEnginePages } from '../pages/sign-in/engine-pages.ts';
import { createSignedIn } from '../pages/sign-in/signed-in.ts';
import { composeClients } from './clients.ts';

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

/** What every page receives, and the protocol, some of whose responses are pages. */
export async function composePages(core: OpenCore, noteRefusal: NoteRefusal) {
  const { config, secrets, stores } = core;
  const { issuer } = config;
  const secure = issuer.startsWith('https:');
  const { texts, brand, statics, renderer } = await openLook(config.brand, config.viewsDir);
  const pages = createPages({ renderer, texts, secure, noteRefusal });
  const csrf = createCsrf(secrets.secretKey, issuer);
  const isDeveloper = createIsDeveloper(config.developmentPages);
  // Not in the core: a command should not want the providers' secrets.
  const providers = await openProviders(config, process.env);
  const upstream = createUpstream({ ...core, providers, audit: withFactorLetters({ ...core, providers }) });
  const protocol = createProtocol(core, createEnginePages({ pages, stores, secure, isDeveloper }), isDeveloper);
  const signInAt = (page: string) => signInAddress(issuer, page);
  const deps: PageDeps = {
    ...core,
    issuer,
    secure,
    pages,
    csrf,
    statics,
    locales: texts.locales,
    isDeveloper,
    upstream,
    signInAt,
    clients: composeClients(core, protocol),
    signedIn: createSignedIn({ provider: protocol.provider, accounts: stores.accounts }),
    letIn: createLetIn({ passes: core.passes, signInAt }),
  };
  return { deps, brand, protocol };
}
