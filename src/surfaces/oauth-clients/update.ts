/**
 * `PATCH /clients/{id}`: part of the metadata of a client (RFC 7396 over RFC 7591), for the same callers as registering. What
 * only an operator's own tools may set stays as it is.
 */
import { Refusal } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { audited, mergePatch } from '../../core/client-changes.ts';
import { adminOperation } from '../../http/admin-key.ts';
import { callerOf } from '../../http/caller.ts';
import { type Mistake, schemasOf } from '../../http/operation.ts';
import type { SurfaceDeps } from '../../http/surface.ts';

const shapes = schemasOf(() => import('./shapes.ts'));

export const createUpdate = ({ adminKeys, audit, clients }: SurfaceDeps) =>
  adminOperation(adminKeys, {
    summary: 'Change an application',
    description:
      'By JSON Merge Patch (RFC 7396): what is not named stays, null removes a member. Every node knows within a second. ' +
      'A client that becomes public loses its secrets.',
    params: { id: 'Its `client_id`.' },
    body: shapes.change,
    answers: {
      200: { description: 'As it is now, with all its metadata.', body: shapes.changed },
      400: '`invalid_redirect_uri`: a redirect URI is not allowed. `invalid_client_metadata`: another member is not. `invalid_request`: the body as a whole.',
      403: 'The server itself makes this client.',
      404: 'There is no such client.',
      409: 'The client has another version than the one in the body. Nothing is changed.',
    },
    onInvalid: refused,
    async handle(ctx, read) {
      const { version: ifVersion, ...asked } = (await read.body()) as JsonObject & { version?: number };
      const { metadataMembers } = await import('../../core/client-members-shape.ts');
      const patch = Object.fromEntries(Object.entries(asked).filter(([name]) => metadataMembers.includes(name)));
      const { id } = ctx.params as { id: string };
      const changed = await clients.patch(id, (stored) => mergePatch(stored, patch), { by: 'register', ifVersion });
      if (changed.outcome === 'unknown') throw new Refusal('not_found', 'there is no such client');
      if (changed.outcome === 'built-in') throw new Refusal('forbidden', 'the server itself makes this client');
      if (changed.outcome === 'conflict')
        throw new Refusal('conflict', `the client is at version ${changed.version}: read it again`);
      if (changed.outcome === 'invalid') throw new Refusal(changed.error, changed.description);
      const { client, change, dropped, secret } = changed;
      const { members, ...values } = audited(change);
      if (Array.isArray(members) && members.length > 0) {
        const { address, requestId } = callerOf(ctx);
        const secrets = { ...(dropped > 0 && { secrets_dropped: dropped }), ...(secret && { secret_made: true }) };
        const detail = { via: 'oauth-clients', version: client.version, members, ...values, ...secrets };
        await audit.record('client.updated', { clientId: id, address, requestId, detail });
      }
      ctx.body = {
        ...client.metadata,
        success: true,
        client_id: id,
        version: client.version,
        ...(secret === undefined ? {} : { client_secret: secret }),
      };
    },
  });

function refused({ member, message }: Mistake): Refusal {
  return new Refusal(member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata', message);
}
