/** Serves the logo of a client, which this server has fetched (core/client-logos). */
import type { Context } from 'koa';
import { isDocumentUrl } from '../../core/metadata-clients/document-url.ts';
import { callerOf } from '../../http/caller.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import type { PageDeps } from '../kit/deps.ts';
import { logoPath } from '../kit/interaction/client-view.ts';

type Deps = Pick<PageDeps, 'cached' | 'metadataClients' | 'clientLogos'>;

export function createClientLogo({ cached, metadataClients, clientLogos }: Deps): readonly Route[] {
  async function show(ctx: Context): Promise<void> {
    const { client_id: id } = ctx.query;
    const { address } = callerOf(ctx);
    const given = typeof id === 'string' ? id : '';
    const client = await (isDocumentUrl(given) ? metadataClients.current(given, address) : cached.find(given));
    const logo = client?.disabledAt === null ? await clientLogos.find(client, address) : undefined;
    ctx.set('Cache-Control', logo ? 'public, max-age=3600' : 'no-store');
    // The usual answer at an address where there is nothing.
    if (!logo) return;
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
    // An SVG opened by itself is a document of this origin. The policy stops any script in it.
    ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    ctx.status = 200;
    ctx.set('Content-Type', logo.type);
    ctx.body = logo.body;
  }

  return pageRoutes('pages/client-logo', [{ path: logoPath, access: 'public', GET: show }]);
}
