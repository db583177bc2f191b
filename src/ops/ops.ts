/** Liveness, readiness and metrics, for operators. Nothing is revealed to unauthenticated callers (security.md E8). */

import type { Context } from 'koa';
import { type Api, apiRoutes } from '../api/kit/endpoints.ts';
import { tooMany } from '../api/kit/refusals.ts';
import { Refusal, Unavailable } from '../base/errors.ts';
import type { MetricsPage } from '../base/metrics.ts';
import { digest } from '../base/secrets.ts';
import type { Core } from '../core/core.ts';
import { wordOf } from '../http/authorization.ts';
import { callerOf } from '../http/caller.ts';
import { pageRoutes, type Route } from '../http/routes.ts';
import { mayScrape } from './scraper.ts';

interface OpsDeps extends Core {
  readonly metricsPage: () => Promise<MetricsPage>;
  /** Draining: the server takes no new requests, and load balancers should use another server. */
  readonly status: { readonly draining: boolean };
}

const shapes = () => import('./shapes.ts');

/** The JSON endpoints, for the OpenAPI document. */
export const opsApi: Api = {
  name: 'ops',
  title: 'Health',
  about: 'For load balancers and monitoring.',
  failure: async () => (await shapes()).failure,
  table: {
    '/healthz': {
      GET: {
        summary: 'Check liveness',
        answers: { 200: { description: 'The process is running.', body: async () => (await shapes()).alive } },
      },
    },
    '/readyz': {
      GET: {
        summary: 'Check readiness',
        answers: {
          200: { description: 'The server and its database are ready.', body: async () => (await shapes()).ready },
          503: {
            description: 'The database does not answer, or the server is shutting down.',
            body: async () => (await shapes()).notReady,
          },
        },
      },
    },
  },
};

export function createOps(deps: OpsDeps): readonly Route[] {
  const { config } = deps;
  // An admin key also gives access to the metrics.
  const scrapeTokens = config.metrics.tokens.map(digest);
  const alive = (ctx: Context) => answer(ctx, 200, 'alive');

  const ready = async (ctx: Context) => {
    if (deps.status.draining) return answer(ctx, 503, 'draining');
    try {
      await deps.stores.ping();
      return answer(ctx, 200, 'ready');
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      ctx.set('Retry-After', '1');
      return answer(ctx, 503, 'database');
    }
  };

  const metrics = async (ctx: Context) => {
    if (!mayScrape(ctx.req, scrapeTokens)) {
      const sent = wordOf(ctx.req, 'bearer');
      const presented = sent.outcome === 'word' ? [sent.word] : [];
      const checked = await deps.adminKeys.check(presented, callerOf(ctx, 'metrics'));
      if (checked.outcome === 'throttled') throw tooMany(checked.retryAfter);
      if (checked.outcome === 'refused') {
        const wanted = 'METRICS_TOKEN or an admin key is needed as a bearer token';
        throw new Refusal('unauthorized', wanted, { 'WWW-Authenticate': 'Bearer' });
      }
    }
    const { contentType, body } = await deps.metricsPage();
    ctx.set('Content-Type', contentType);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = body;
  };

  const when = { holds: config.metrics.port === undefined, says: 'without METRICS_PORT' };
  return [
    ...apiRoutes(opsApi, 'ops', (path) => ({ handlers: { GET: path === '/healthz' ? alive : ready } })),
    ...pageRoutes('ops', [{ path: '/metrics', access: 'operator', when, GET: metrics }]),
  ];
}

function answer(ctx: Context, status: number, state: string): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { status: state };
}
