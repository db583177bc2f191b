/** The playground: a first application, in development. Its client is in playground-client.ts. */
import type Router from 'koa-router';
import type { Pages } from '../kit/page.ts';
import { playgroundClient } from './playground-client.ts';

export function routePlayground(router: Router, { pages, issuer }: { pages: Pages; issuer: string }): void {
  router.get('/playground', (ctx) =>
    pages.show(ctx, 'playground', { issuer, clientId: playgroundClient, redirectUri: `${issuer}/playground` }),
  );
}
