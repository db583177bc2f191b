/**
 * `PATCH /clients/{id}`: changes client metadata (RFC 7396 over RFC 7591), for admins. Members that only the command
 * line may set stay unchanged.
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
    summary: 'Change a client',
    description:
      'A JSON merge patch (RFC 7396). Absent members stay. `version`: change only if the client still has it.',
    params: { id: 'The `client_id`.' },
    body: shapes.change,
    answers: {
      200: { description: 'The client after the change.', body: shapes.changed },
      400: 'As for a registration.',
      403: 'The client is built in.',
      404: 'The client does not exist.',
      409: 'The client has another version. Nothing is changed.',
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
