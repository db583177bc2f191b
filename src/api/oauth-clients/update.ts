/**
 * `PATCH /clients/{id}`: part of the metadata of a client (RFC 7396 over RFC 7591), for the same callers as registering. What
 * only an operator's own tools may set stays as it is.
 */
import type { JsonObject } from '../../base/json.ts';
import { mergePatch, metadataTold, recordChange } from '../../core/clients/client-changes.ts';
import { callerOf } from '../../http/caller.ts';
import { adminOperation } from '../kit/admin-key.ts';
import { schemasOf } from '../kit/operation.ts';
import { changeRefusal } from '../kit/refusals.ts';
import type { SurfaceDeps } from '../kit/surface.ts';

const shapes = schemasOf(() => import('./shapes.ts'));

export const createUpdate = ({ adminKeys, audit, clients }: SurfaceDeps) =>
  adminOperation(adminKeys, {
    summary: 'Change an application',
    description:
      'A JSON merge patch (RFC 7396): what is not named stays. With `version` only if it still has that one.',
    params: { id: 'Its `client_id`.' },
    body: shapes.change,
    answers: {
      200: { description: 'As it is now.', body: shapes.changed },
      400: 'As for a registration.',
      403: 'The server itself makes this client.',
      404: 'There is no such client.',
      409: 'It has another version. Nothing is changed.',
    },
    async handle(ctx, read) {
      const { version: ifVersion, ...patch } = (await read.body()) as JsonObject & { version?: number };
      const { id } = ctx.params as { id: string };
      const changed = await clients.patch(id, (stored) => mergePatch(stored, patch), { by: 'register', ifVersion });
      if (changed.outcome !== 'updated') throw changeRefusal(changed);
      await recordChange(audit, changed, callerOf(ctx, 'oauth-clients'));
      const { client, secret, dropped } = changed;
      ctx.body = {
        ...metadataTold(client, dropped),
        success: true,
        client_id: id,
        version: client.version,
        client_secret: secret,
      };
    },
  });
