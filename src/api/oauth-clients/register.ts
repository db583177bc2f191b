/**
 * `POST /clients/register`: the admin key, the body, the three fields of this API, then what any client must satisfy (core).
 * The key comes first, so that a stranger learns nothing about what would be accepted. What is stored is what
 * core/clients/client-metadata lets in, whatever else the body holds.
 */
import { Refusal } from '../../base/errors.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { metadataTold } from '../../core/clients/client-changes.ts';
import { callerOf } from '../../http/caller.ts';
import { adminOperation } from '../kit/admin-key.ts';
import { type Mistake, schemasOf } from '../kit/operation.ts';
import { inOwnNames } from '../kit/refusals.ts';
import type { SurfaceDeps } from '../kit/surface.ts';

const shapes = schemasOf(() => import('./shapes.ts'));

/** This API's names for members of RFC 7591, for the words of a refusal. */
const ownNames: Readonly<Record<string, string>> = {
  client_name: 'app_name',
  contacts: 'contact_email',
  redirect_uris: 'redirect_url',
};
const own = inOwnNames(ownNames);

export const createRegister = ({ adminKeys, audit, clients }: SurfaceDeps) =>
  adminOperation(adminKeys, {
    summary: 'Register an application',
    description:
      'The client works on every node within a second. It is confidential unless the metadata says otherwise.',
    body: shapes.registration,
    answers: {
      200: {
        description: 'It is registered. This is the only answer that ever shows the secret.',
        body: shapes.registered,
      },
      400: '`invalid_redirect_uri`: `redirect_url` is missing or not allowed. `invalid_client_metadata`: another field is. `invalid_request`: the body as a whole.',
    },
    onInvalid: refused,
    async handle(ctx, read) {
      const { app_name, contact_email, redirect_url, ...standard } = (await read.body()) as Registration;
      // Where a standard member says the same as a field of this API, lists are joined and the field wins.
      const made = await clients.register(
        {
          ...standard,
          client_name: app_name,
          contacts: joined([contact_email], standard.contacts),
          redirect_uris: joined([redirect_url].flat(), standard.redirect_uris),
        },
        { origin: 'register', owner: null },
      );
      if (made.outcome === 'invalid') throw new Refusal(made.error, own(made.description));
      const caller = callerOf(ctx, 'oauth-clients');
      const clientId = made.client.id;
      await audit.record('client.registered', { clientId, caller, detail: { via: caller.via } });
      ctx.body = {
        success: true,
        client_id: clientId,
        // Null for a client that authenticates without one (`none`, `private_key_jwt`).
        client_secret: made.secret ?? null,
        redirect_url,
        // RFC 7591, section 3.2.1. Programs of this API's own get its four fields, as ever.
        ...(made.dropped.length > 0 && metadataTold(made.client, made.dropped)),
      };
    },
  });

/** The body as the schema lets it through: JSON, with these three. */
type Registration = JsonObject & { app_name: string; contact_email: string; redirect_url: string | string[] };

function refused({ member, message }: Mistake): Refusal {
  const redirect = ownNames[member] === 'redirect_url' || member === 'redirect_url';
  return new Refusal(redirect ? 'invalid_redirect_uri' : 'invalid_client_metadata', own(message));
}

function joined(own: JsonValue[], more: JsonValue | undefined): JsonValue {
  if (more === undefined || more === null) return own;
  return Array.isArray(more) ? [...own, ...more] : more;
}
