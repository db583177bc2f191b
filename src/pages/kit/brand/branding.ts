/** Serves the logos of the brand and of providers, and style sheets with the colours of the brand or a client. */
import type { Context, Next } from 'koa';
import { pageRoutes, type Route } from '../../../http/routes.ts';
import type { ServedFile } from '../static.ts';
import { themeAt, themeSheet } from './theme.ts';

/** `files`: pictures by request path. */
export function createBranding(files: ReadonlyMap<string, ServedFile>): readonly Route[] {
  const file = async (ctx: Context, next: Next) => {
    const picture = files.get(ctx.path);
    const theme = picture ? undefined : themeAt(ctx.path);
    if (!picture && !theme) return next();
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Cache-Control', ctx.query.v === undefined ? 'no-cache' : 'public, max-age=31536000, immutable');
    if (theme) answer(ctx, themeSheet(theme), 'text/css; charset=utf-8');
    if (picture) {
      // An SVG opened by itself is a document of this origin. The policy stops any script in it.
      ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox");
      ctx.set('ETag', picture.etag);
      answer(ctx, picture.body, picture.type);
      if (ctx.fresh) ctx.status = 304;
    }
    return undefined;
  };

  return pageRoutes('pages/kit', [{ path: '/brand/:file', access: 'public', GET: file }]);
}

function answer(ctx: Context, body: string | Buffer, type: string): void {
  ctx.status = 200;
  ctx.set('Content-Type', type);
  ctx.body = body;
}
