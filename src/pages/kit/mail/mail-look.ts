/** Opens what mails look like: the texts, the brand and the view of mails. The command line sends mails too. */
import { extname, join } from 'node:path';
import type { MailContent } from '../../../core/mail/mail-content.ts';
import { type Brand, type BrandSettings, openBrand } from '../brand/brand.ts';
import { openTexts } from '../texts.ts';
import { mailColours } from './mail-colours.ts';
import { openMailView } from './mail-view.ts';

const viewsDir = join(import.meta.dirname, '../../../../views');

export function openMailLook(config: {
  readonly brand: BrandSettings;
  readonly issuer: string;
  readonly viewsDir?: string | undefined;
}) {
  const brand = openBrand(config.brand);
  const view = openMailView(viewsDir, config.viewsDir);
  const look = { logo: logoOf(brand, config.issuer), colours: mailColours(brand.accent) };
  return {
    catalogue: openTexts(config.viewsDir),
    links: brand.links,
    html: (content: MailContent) => view({ ...content, ...look }),
  };
}

/** Mail programs show PNG, and few of them SVG or WebP. They reach no address of a developer's machine. */
function logoOf({ logo }: Brand, issuer: string) {
  if (logo === undefined || !issuer.startsWith('https:')) return undefined;
  const shown = (path: string | undefined) =>
    path !== undefined && extname(new URL(path, issuer).pathname) === '.png' ? issuer + path : undefined;
  const light = shown(logo.light);
  return light === undefined ? undefined : { light, dark: shown(logo.dark) };
}
