/**
 * The files under `public/`, read at start and served from memory.
 *
 * A request is a map look-up by its full path, so path traversal is impossible. URLs from `url()` carry a content hash
 * and may be cached for a year. `sendStatic` sends the body, compressed for browsers that accept it.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Context } from 'koa';
import { fold } from '../../core/kernel/names.ts';
import { isMostly, isPattern, nameParts, passwordLength } from '../../core/passwords/password-pattern.ts';

export interface ServedFile {
  readonly body: Buffer;
  readonly type: string;
  /** Weak, where the same tag stands for the compressed body too (RFC 9110, section 8.8.3.3). */
  readonly etag: string;
}

interface StaticFile extends ServedFile {
  /** The body in gzip, a third of the bytes. Compressed on the first request, so that the start does not wait. */
  gzipped(): Buffer;
}

export interface StaticFiles {
  /** The file at a request path such as `/public/gatehouse.css`, without the query. */
  (path: string): StaticFile | undefined;
  /** `gatehouse.css` -> `/public/gatehouse.css?v=<hash>`. Throws if there is no such file. */
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

/** Functions of core that a script also needs. Their source is appended to the script, so each rule exists once. */
const rules: Readonly<Record<string, readonly ((text: string, other: string) => unknown)[]>> = {
  'strength.js': [fold, passwordLength, nameParts, isMostly, isPattern],
};

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
    files.set(`/public/${entry.name}`, { body, gzipped: once(() => gzipSync(body)), type, etag: `W/"${hash}"` });
    urls.set(entry.name, `/public/${entry.name}?v=${hash}`);
  }
  const url = (name: string): string => {
    const found = urls.get(name);
    if (found === undefined) throw new Error(`no such file under public/: ${name}`);
    return found;
  };
  return Object.assign((path: string) => files.get(path), { url });
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** These files are the same for all, so their size reveals no secret. Pages are not compressed (BREACH). */
export function sendStatic(ctx: Context, file: StaticFile): void {
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Cache-Control', ctx.query.v === undefined ? 'no-cache' : 'public, max-age=31536000, immutable');
  ctx.set('ETag', file.etag);
  ctx.set('Content-Type', file.type);
  ctx.vary('Accept-Encoding');
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  const compressed = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (compressed) ctx.set('Content-Encoding', 'gzip');
  ctx.body = compressed ? file.gzipped() : file.body;
}

/** Removes comments and indentation, a quarter of the bytes of a first visit. */
function bare(kind: string, file: Buffer): Buffer {
  if (kind === '.css') {
    const sheet = file.toString().replace(/\/\*[\s\S]*?\*\//g, '');
    // Removes the space after a property's colon, then line ends after `{`, `}`, `;` and `,`.
    const dense = sheet.replace(/^(\s*[\w-]+): /gm, '$1:').replace(/ ?([{};,])\s*\n\s*/g, '$1');
    return Buffer.from(dense.replace(/\s*\n\s*/g, '\n').trimStart());
  }
  // Removes whole-line comments. No string in these scripts has a line that starts with `//`.
  return kind === '.js' ? Buffer.from(file.toString().replace(/^\s*\/\/.*\n/gm, '')) : file;
}
