/** The playground, a first application for development. Its client is in playground-client.ts. */
import type { Context } from 'koa';
import { pageRoutes, type Route } from '../../http/routes.ts';
import type { Pages } from '../kit/page.ts';
import { playgroundClient } from './playground-client.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    playground: {
      readonly issuer: string;
      readonly clientId: string;
      readonly redirectUri: string;
      /** The scope of the sign-in; by default `openid profile email`. */
      readonly scope?: string | undefined;
    };
  }
}

export function playgroundRoutes({ pages, issuer }: { pages: Pages; issuer: string }): readonly Route[] {
  const show = (ctx: Context) =>
    pages.show(ctx, 'playground', { issuer, clientId: playgroundClient, redirectUri: `${issuer}/playground` });
  return pageRoutes('pages/playground', [{ path: '/playground', access: 'developer', GET: show }]);
}
