/**
 * Describes every active JSON endpoint, for programs and for people:
 *
 *     GET /openapi.json      the OpenAPI document, built by the first request and then served from memory
 *     GET /openapi           all APIs with their operations
 *     GET /openapi/{name}    one API in full (views.ts)
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Context, Next } from 'koa';
import { hardenAnswer } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import type { Pages } from '../../pages/kit/page.ts';
import type { Api } from '../kit/endpoints.ts';
import { buildOpenApi, type OpenApi } from '../kit/openapi.ts';
import { inFull, overview } from './views.ts';

interface ReferenceDeps {
  readonly issuer: string;
  readonly config: { readonly brandName: string };
  readonly pages: Pages;
  readonly apis: readonly Api[];
}

interface Made {
  readonly document: OpenApi;
  readonly body: Buffer;
  readonly etag: string;
}

export function createReference({ issuer, config, pages, apis }: ReferenceDeps): readonly Route[] {
  let made: Promise<Made> | undefined;
  const ready = (): Promise<Made> => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };

  async function make(): Promise<Made> {
    const manifest = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
    const document = await buildOpenApi({ title: config.brandName, version: manifest.version, issuer, apis });
    const body = Buffer.from(JSON.stringify(document));
    return { document, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 12)}"` };
  }

  const document = async (ctx: Context) => {
    const { body, etag } = await ready();
    hardenAnswer(ctx.res, issuer.startsWith('https:'));
    // Public and the same for all callers, so documentation on other origins may read it.
    ctx.set({ 'Cache-Control': 'public, max-age=300', ETag: etag, 'Access-Control-Allow-Origin': '*' });
    ctx.set('Content-Type', 'application/json; charset=utf-8');
    ctx.status = 200;
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = body;
  };

  const overviewPage = async (ctx: Context) => {
    pages.show(ctx, 'openapi', overview((await ready()).document, apis));
  };

  const apiPage = async (ctx: Context, next: Next) => {
    const api = apis.find(({ name }) => name === ctx.params.name);
    if (!api) return next();
    const { document } = await ready();
    pages.show(ctx, 'openapi-api', inFull(document, api, apis));
    return undefined;
  };

  return pageRoutes('api/reference', [
    { path: '/openapi.json', access: 'public', GET: document },
    { path: '/openapi', access: 'public', GET: overviewPage },
    { path: '/openapi/:name', access: 'public', GET: apiPage },
  ]);
}
