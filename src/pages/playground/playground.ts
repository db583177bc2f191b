/** The playground: a first application, in development. Its client is in playground-client.ts. */
import type Router from 'koa-router';
import type { Pages } from '../kit/page.ts';
import { playgroundClient } from './playground-client.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    playground: {
      readonly issuer: string;
      readonly clientId: string;
      readonly redirectUri: string;
      /** Offered for signing in; `openid profile email` unless told otherwise. */
      readonly scope?: string | undefined;
    };
  }
}

export function routePlayground(router: Router, { pages, issuer }: { pages: Pages; issuer: string }): void {
  router.get('/playground', (ctx) =>
    pages.show(ctx, 'playground', { issuer, clientId: playgroundClient, redirectUri: `${issuer}/playground` }),
  );
}
