/**
 * The API "OAuth clients and users" (docs/surfaces/oauth-clients.md): registering applications, telling an application who its
 * user is, and reloading the client cache. The flow in between, `/oauth/*`, is the protocol's own (oidc/).
 *
 *     POST /clients/register          X-Admin-Key   register.ts
 *     GET  /user/info?username=…      Bearer        user-info.ts
 *     POST /internal/reload-clients   X-Admin-Key   here
 *
 * Every error is `{"success": false, "error", "error_description"}`.
 */
import { requireAdminKey } from '../../http/admin-key.ts';
import { answerPreflight } from '../../http/cors.ts';
import { createEndpoints } from '../../http/endpoints.ts';
import { factsOf } from '../../http/front-door.ts';
import { ignoreBody } from '../../http/json-body.ts';
import type { Surface, SurfaceDeps } from '../../http/surface.ts';
import { createRegister } from './register.ts';
import { createUserInfo } from './user-info.ts';

/** RFC 6749 and 7591 have one word for a request that is wrong in itself; the status says more. */
const standardWords: Readonly<Record<string, string>> = {
  method_not_allowed: 'invalid_request',
  payload_too_large: 'invalid_request',
  unsupported_media_type: 'invalid_request',
};

export function createOauthClients(deps: SurfaceDeps): Surface {
  const table = {
    '/clients/register': { POST: createRegister(deps) },
    '/user/info': {
      GET: createUserInfo(deps),
      OPTIONS: (ctx) => answerPreflight(ctx, 'GET, HEAD', 'Authorization'),
    },
    '/internal/reload-clients': {
      async POST(ctx) {
        requireAdminKey(ctx, deps.adminKeys);
        await ignoreBody(ctx);
        // Calls that come while a reload runs share the next one, so that asking often costs no more than asking twice.
        const loaded = await deps.reloadClients();
        const { address, id: requestId } = factsOf(ctx.req);
        await deps.audit.record('client.cache_reloaded', { address, requestId, detail: { loaded } });
        ctx.body = { success: true, clients_loaded: loaded };
      },
    },
  } satisfies Parameters<typeof createEndpoints>[0];

  return {
    name: 'oauth-clients',
    routes: createEndpoints(table, {
      log: deps.log,
      secure: deps.config.issuer.startsWith('https:'),
      errorBody: ({ code, message }) => ({
        success: false,
        error: standardWords[code] ?? code,
        error_description: message,
      }),
    }),
  };
}
