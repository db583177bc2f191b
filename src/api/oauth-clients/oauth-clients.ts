/**
 * The API "OAuth clients and users" (docs/surfaces/oauth-clients.md): client registration, user information, and
 * reloading the client cache. The protocol endpoints, `/oauth/*`, are in oidc/.
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

/** RFC 6749 and RFC 7591 have one code for all malformed requests. The status is more specific. */
const standardWords: Readonly<Record<string, string>> = {
  method_not_allowed: 'invalid_request',
  payload_too_large: 'invalid_request',
  unsupported_media_type: 'invalid_request',
  // As at the token endpoint: RFC 6749 has no closer code.
  too_many_requests: 'temporarily_unavailable',
};

export function createOauthClients(deps: SurfaceDeps): Surface {
  const table: Table = {
    '/clients/register': { POST: createRegister(deps) },
    '/clients/{id}': { PATCH: createUpdate(deps) },
    '/user/info': {
      GET: createUserInfo(deps),
      OPTIONS: (ctx) => answerPreflight(ctx, 'GET, HEAD', 'Authorization, DPoP'),
    },
    '/internal/reload-clients': {
      POST: adminOperation(deps.adminKeys, {
        summary: 'Reload all clients',
        description:
          'Reads all clients from the database, for every node. Requests continue to work during the reload.',
        answers: {
          200: { description: 'All clients are loaded.', body: shapes.reloaded },
        },
        async handle(ctx, read) {
          await read.body();
          // Calls during a reload share the next one, so many calls cost at most two reloads.
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
      about: 'For admins who register clients, and for clients that read their user’s data.',
      table,
      schemes: {
        userToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT (RFC 9068)',
          description: 'A person’s access token for the user API (ISSUER/user), from /oauth/token.',
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
