/** Pictures that a deployment provides and this server serves: a brand's logo, a provider's mark. */
import { readFileSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';

const mostBytes = 100_000;

/** The first characters of each kind of picture. */
const beginnings: Readonly<Record<string, RegExp>> = {
  '.svg': /^\uFEFF?\s*<(\?xml|!--|!doctype svg|svg)/i,
  '.png': /^\u0089PNG\r\n/,
  '.webp': /^RIFF[\s\S]{4}WEBP/,
};

export const pictureWanted = `the path of an SVG, PNG or WebP picture of at most ${mostBytes / 1000} KB`;

/** The absolute path of a usable picture, otherwise undefined. */
export function pictureAt(path: string): string | undefined {
  const kind = extname(path).toLowerCase();
  const beginning = beginnings[kind];
  if (beginning === undefined) return undefined;
  const bytes = read(path);
  if (bytes === undefined) return undefined;
  const start = bytes.subarray(0, 200).toString(kind === '.svg' ? 'utf8' : 'latin1');
  return beginning.test(start) ? resolve(path) : undefined;
}

function read(path: string): Buffer | undefined {
  try {
    const found = statSync(path);
    return found.isFile() && found.size <= mostBytes ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}
