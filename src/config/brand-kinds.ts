/**
 * The kinds of value that make a brand. These values go into every page and style sheet, so each kind accepts only
 * exact forms.
 */
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { file, type Kind } from './kinds.ts';

/** `#rrggbb` in lower case; `#rgb` is expanded. */
export const colour: Kind<string> = {
  wanted: 'a colour as `#rrggbb`',
  parse: (text) => {
    if (!/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text)) return undefined;
    const digits = text.slice(1).toLowerCase();
    return `#${digits.length === 6 ? digits : digits.replace(/./g, '$&$&')}`;
  },
};

export const background: Kind<readonly string[]> = {
  wanted: 'a colour as `#rrggbb`, or two with a space between them for a gradient',
  parse: (text) => {
    const ends = text.split(/\s+/).map(colour.parse);
    return ends.length <= 2 && ends.every((end) => end !== undefined) ? ends : undefined;
  },
};

const mostBytes = 100_000;
/** The first characters of each kind of picture. */
const beginnings: Readonly<Record<string, RegExp>> = {
  '.svg': /^\uFEFF?\s*<(\?xml|!--|!doctype svg|svg)/i,
  '.png': /^\u0089PNG\r\n/,
  '.webp': /^RIFF[\s\S]{4}WEBP/,
};

export const picture: Kind<string> = {
  wanted: `the path of an SVG, PNG or WebP picture of at most ${mostBytes / 1000} KB`,
  parse: (text) => {
    const path = file.parse(text) && resolve(text);
    const beginning = beginnings[extname(text).toLowerCase()];
    if (path === undefined || beginning === undefined) return undefined;
    const bytes = read(path);
    if (bytes === undefined || bytes.length > mostBytes) return undefined;
    const svg = extname(text).toLowerCase() === '.svg';
    return beginning.test(bytes.subarray(0, 200).toString(svg ? 'utf8' : 'latin1')) ? path : undefined;
  },
};

const linkNames = ['privacy', 'terms', 'support'] as const;
type Links = Readonly<Partial<Record<(typeof linkNames)[number], string>>>;

/** `privacy=https://… terms=https://… support=mailto:…`: any of these, each at most once. */
export const links: Kind<Links> = {
  wanted: '`privacy=`, `terms=` and `support=` with https or mailto addresses, separated by spaces',
  parse: (text) => {
    const found: Partial<Record<(typeof linkNames)[number], string>> = {};
    for (const part of text.split(/\s+/)) {
      const at = part.indexOf('=');
      const name = linkNames.find((known) => known === part.slice(0, at));
      const to = part.slice(at + 1);
      if (name === undefined || found[name] !== undefined || !isLink(to)) return undefined;
      found[name] = to;
    }
    return found;
  },
};

function isLink(to: string): boolean {
  const url = URL.parse(to);
  if (!url || !/^[\x21-\x7e]+$/.test(to) || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'mailto:' && /^[^@]+@[^@]+$/.test(url.pathname));
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
