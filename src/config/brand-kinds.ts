/**
 * The kinds of value that make a brand. These values go into every page and style sheet, so each kind accepts only
 * exact forms.
 */
import { pictureAt, pictureWanted } from '../base/picture.ts';
import type { Kind } from './kinds.ts';

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

export const picture: Kind<string> = { wanted: pictureWanted, parse: pictureAt };

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
