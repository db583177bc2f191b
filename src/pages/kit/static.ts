/**
 * The files under `public/`, read once at start and served from memory.
 *
 * A request is a map look-up by its whole path, so there is no file system behind a URL and nothing to traverse.
 * Addresses made by `url()` carry a hash of the content: they may be cached for a year, and a new release is a new
 * address. Sending the bytes, the caching headers and 304 are left to whoever mounts this.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fold } from '../../core/kernel/names.ts';
import { isPattern } from '../../core/passwords/password-pattern.ts';

export interface StaticFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

export interface StaticFiles {
  /** The file at a request path such as `/public/gatehouse.css`, without its query. */
  (path: string): StaticFile | undefined;
  /** `gatehouse.css` -> `/public/gatehouse.css?v=<hash>`. Throws for a file that is not there: that is a typing mistake. */
  url(name: string): string;
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.txt': 'text/plain; charset=utf-8',
};

/** Rules of the core that a script goes by as well: their own source is put at its end, so that there is one of each. */
const rules: Readonly<Record<string, readonly ((text: string) => unknown)[]>> = { 'strength.js': [fold, isPattern] };

export function serveStatic(publicDir: string): StaticFiles {
  const files = new Map<string, StaticFile>();
  const urls = new Map<string, string>();
  for (const entry of readdirSync(publicDir, { withFileTypes: true })) {
    const type = types[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const read = Buffer.concat([
      readFileSync(join(publicDir, entry.name)),
      Buffer.from((rules[entry.name] ?? []).map((rule) => `${rule}\n`).join('')),
    ]);
    const body = bare(extname(entry.name), read);
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 12);
    files.set(`/public/${entry.name}`, { body, type, etag: `"${hash}"` });
    urls.set(entry.name, `/public/${entry.name}?v=${hash}`);
  }
  const url = (name: string): string => {
    const found = urls.get(name);
    if (found === undefined) throw new Error(`no such file under public/: ${name}`);
    return found;
  };
  return Object.assign((path: string) => files.get(path), { url });
}

/** Without what only its authors read: a quarter of every first page. */
function bare(kind: string, file: Buffer): Buffer {
  if (kind === '.css') {
    const sheet = file.toString().replace(/\/\*[\s\S]*?\*\//g, '');
    // A line's own space, then the ends of lines behind what ends a part anyway; any other may stand for a space.
    const dense = sheet.replace(/^(\s*[\w-]+): /gm, '$1:').replace(/ ?([{};,])\s*\n\s*/g, '$1');
    return Buffer.from(dense.replace(/\s*\n\s*/g, '\n').trimStart());
  }
  // Lines that are a comment and nothing else; no text of ours runs over several lines and begins one so.
  return kind === '.js' ? Buffer.from(file.toString().replace(/^\s*\/\/.*\n/gm, '')) : file;
}
