/**
 * The endpoints of an API surface, as a table: path, then method, then what answers. Whatever goes wrong on one of these
 * paths is answered in the surface's own format, for browsers too; paths that are not in the table are left to others.
 */
import type { Context, Middleware } from 'koa';
import Router from 'koa-router';
import { Refusal } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { wordsFor } from './errors.ts';
import { hardenAnswer } from './hardening.ts';

export type Endpoint = (ctx: Context) => void | Promise<void>;

/** A row with GET answers HEAD as well; OPTIONS says what there is, unless the row has an answer of its own. */
export type Row = Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS', Endpoint>>>;

export interface EndpointsOptions {
  readonly log: Logger;
  /** The issuer is https. */
  readonly secure: boolean;
  /** The body of an error. `code` is one of base/errors' codes, `temporarily_unavailable` or `server_error`. */
  readonly errorBody: (failure: { status: number; code: string; message: string }) => object;
}

export function createEndpoints(table: Readonly<Record<string, Row>>, options: EndpointsOptions): Middleware {
  const router = new Router({ strict: true, sensitive: true });
  for (const [path, row] of Object.entries(table)) {
    const endpoints = new Map(Object.entries(row));
    const { GET } = row;
    if (GET) endpoints.set('HEAD', GET);
    const allow = [...[...endpoints.keys()].filter((method) => method !== 'OPTIONS'), 'OPTIONS'].join(', ');
    if (!endpoints.has('OPTIONS')) endpoints.set('OPTIONS', (ctx) => sayMethods(ctx, allow));
    router.all(path, async (ctx) => {
      await answer(ctx as Context, endpoints, allow, options);
    });
  }
  return router.routes() as Middleware;
}

async function answer(
  ctx: Context,
  endpoints: ReadonlyMap<string, Endpoint>,
  allow: string,
  { log, secure, errorBody }: EndpointsOptions,
): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  hardenAnswer(ctx.res, secure);
  try {
    const endpoint = endpoints.get(ctx.method);
    if (!endpoint) throw new Refusal('method_not_allowed', `this endpoint takes ${allow}`, { Allow: allow });
    await endpoint(ctx);
  } catch (error) {
    const failure = wordsFor(error, log, ctx);
    ctx.set(failure.headers);
    ctx.status = failure.status;
    ctx.body = errorBody(failure);
  }
}

function sayMethods(ctx: Context, allow: string): void {
  ctx.set('Allow', allow);
  ctx.status = 204;
}
