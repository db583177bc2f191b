/** The brand that every page carries: name, logo, colours and footer links. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { ServedFile } from '../static.ts';
import type { Theme } from './theme.ts';

/** Links of the footer, in display order. */
export const brandLinks = ['privacy', 'terms', 'support'] as const;
export type BrandLink = (typeof brandLinks)[number];

/** Validated by the settings reader. */
export interface BrandSettings extends Theme {
  readonly name: string;
  /** Paths of image files. */
  readonly logo?: string | undefined;
  readonly logoDark?: string | undefined;
  readonly links?: Readonly<Partial<Record<BrandLink, string>>> | undefined;
}

export interface Brand extends Theme {
  readonly name: string;
  readonly logo?: { readonly light: string; readonly dark?: string | undefined } | undefined;
  readonly links: readonly { readonly name: BrandLink; readonly to: string }[];
  /** The logos, by request path. */
  readonly files: ReadonlyMap<string, ServedFile>;
}

const types: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
};

/** The address holds a hash of the content, so that browsers may keep the picture. */
export function readPicture(file: string, as: string): { path: string; address: string; file: ServedFile } {
  const kind = extname(file).toLowerCase();
  const body = readFileSync(file);
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 12);
  const path = `/brand/${as}${kind}`;
  const served = { body, type: types[kind] ?? 'application/octet-stream', etag: `"${hash}"` };
  return { path, address: `${path}?v=${hash}`, file: served };
}

/** Reads the logo files once. */
export function openBrand({ name, accent, background, logo, logoDark, links = {} }: BrandSettings): Brand {
  const files = new Map<string, ServedFile>();
  const addressOf = (picture: string, as: string): string => {
    const { path, address, file } = readPicture(picture, as);
    files.set(path, file);
    return address;
  };
  return {
    name,
    accent,
    background,
    files,
    logo:
      logo === undefined
        ? undefined
        : { light: addressOf(logo, 'logo'), dark: logoDark && addressOf(logoDark, 'logo-dark') },
    links: brandLinks.flatMap((link) => {
      const to = links[link];
      return to === undefined ? [] : [{ name: link, to }];
    }),
  };
}
