/**
 * The API "OAuth clients and users" (docs/surfaces/oauth-clients.md): registering applications, telling an application who its
 * user is, and reloading the client cache. The flow in between, `/oauth/*`, is the protocol's own (oidc/).
 *
 *     POST /clients/register          X-Admin-Key   register.ts
 *     PATCH /clients/{id}             X-Admin-Key   update.ts
 *     GET  /user/info?username=…      Bearer        user-info.ts
 *     POST /internal/reload-clients   X-Admin-Key   here
 *
 * Every error is `{"success": false, "error", "error_description"}`.
 */

import { callerOf } from '../../http/caller.ts';
import { answerPreflight } from '../../http/cors.ts';
import { adminOperation } from '../kit/admin-key.ts';
import { createEndpoints, type Table } from '../kit/endpoints.ts';
import { schemasOf } from '../kit/operation.ts';
import type { Surface, SurfaceDeps } from '../kit/surface.ts';
import { createRegister } from './register.ts';
import { createUpdate } from './update.ts';
import { createUserInfo } from './user-info.ts';

const shapes = schemasOf(() => import('./shapes.ts'));

/** RFC 6749 and 7591 have one word for a request that is wrong in itself; the status says more. */
const standardWords: Readonly<Record<string, string>> = {
  method_not_allowed: 'invalid_request',
  payload_too_large: 'invalid_request',
  unsupported_media_type: 'invalid_request',
  // As at the token endpoint, where RFC 6749 has no nearer word for it.
  too_many_requests: 'temporarily_unavailable',
};

export function createOauthClients(deps: SurfaceDeps): Surface {
  const table: Table = {
    '/clients/register': { POST: createRegister(deps) },
    '/clients/{id}': { PATCH: createUpdate(deps) },
    '/user/info': {
      GET: createUserInfo(deps),
      OPTIONS: (ctx) => answerPreflight(ctx, 'GET, HEAD', 'Authorization'),
    },
    '/internal/reload-clients': {
      POST: adminOperation(deps.adminKeys, {
        summary: 'Re-read every client',
        description: 'From the database, on every node. No request fails or misses a client while it runs.',
        answers: {
          200: { description: 'All are loaded.', body: shapes.reloaded },
        },
        async handle(ctx, read) {
          await read.body();
          // Calls that come while a reload runs share the next one, so that asking often costs no more than asking twice.
          const loaded = await deps.cached.reload();
          const caller = callerOf(ctx, 'oauth-clients');
          await deps.audit.record('client.cache_reloaded', { caller, detail: { loaded } });
          ctx.body = { success: true, clients_loaded: loaded };
        },
      }),
    },
  };

  return createEndpoints(
    {
      name: 'oauth-clients',
      title: 'OAuth clients and users',
      about: 'For the admins who register applications, and for applications that ask who their user is.',
      table,
      schemes: {
        userToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT (RFC 9068)',
          description: 'An access token of a person for the user API (ISSUER/user), from /oauth/token.',
        },
      },
      failure: shapes.failure,
      errorBody: ({ code, message }) => ({
        success: false,
        error: standardWords[code] ?? code,
        error_description: message,
      }),
    },
    deps,
  );
}
