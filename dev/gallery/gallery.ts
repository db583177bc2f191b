/**
 * Shows every page in every state, in development: /gallery lists them, /gallery/<view>/<state>?locale=<tag> shows one
 * with the server's renderer, headers and style sheet. Forms and links on these pages do not work; the data is made up.
 * /gallery/mail/<name> shows a mail as mail programs get it.
 */
import type { Context, Next } from 'koa';
import type { Letter, Message } from '../../src/core/mail/mailer.ts';
import { showMail } from '../../src/pages/kit/mail/mail-page.ts';
import type { Pages } from '../../src/pages/kit/page.ts';
import { mailNames, sampleLetter } from './mails.ts';

declare module '../../src/pages/kit/views.ts' {
  interface ViewLocals {
    gallery: {
      readonly locales: readonly string[];
      /** The language of the linked pages. */
      readonly shownIn: string;
      readonly views: readonly { readonly name: string; readonly states: readonly string[] }[];
    };
  }
}

export interface GalleryDeps {
  readonly pages: Pages;
  /** The available languages. */
  readonly locales: readonly string[];
  /** Words a letter. */
  readonly word: (letter: Letter) => Promise<Message>;
}

/** The address of a state. */
export const galleryAddress = ({ view, name }: { readonly view: string; readonly name: string }): string =>
  `/gallery/${view}/${name}`;

export function createGallery({ pages, locales, word }: GalleryDeps) {
  const asked = (ctx: Context) => locales.find((locale) => locale === ctx.query.locale);
  // Loaded on the first visit, so a start does not pay for it.
  const load = async () => (await import('../../src/pages/states.ts')).states;

  const list = async (ctx: Context) => {
    const views = Object.entries(Object.groupBy(await load(), ({ view }) => view));
    const shownIn = asked(ctx) ?? pages.localeOf(ctx);
    pages.show(ctx, 'gallery', {
      locales,
      shownIn,
      views: [
        ...views.map(([name, states = []]) => ({ name, states: states.map((state) => state.name) })),
        { name: 'mail', states: mailNames },
      ],
    });
  };

  const mail = async (ctx: Context): Promise<Message | undefined> => {
    const [, name = ''] = /^\/gallery\/mail\/([a-z-]+)$/.exec(ctx.path) ?? [];
    const letter = sampleLetter(name, asked(ctx) ?? pages.localeOf(ctx));
    return letter && word(letter);
  };

  const show = async (ctx: Context, next: Next) => {
    const message = await mail(ctx);
    if (message) return showMail(ctx, message.html, message.locale);
    const state = (await load()).find((each) => galleryAddress(each) === ctx.path);
    if (!state) return next();
    pages.show(ctx, state.view, state.locals, { locale: asked(ctx) });
    return undefined;
  };

  return { list, show };
}
