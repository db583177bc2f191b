/**
 * `POST /clients/register`: checks the admin key, the body, the three fields of this API, then the rules for all
 * clients (core). Callers without a key learn nothing about valid input. Only metadata that
 * core/clients/metadata/client-metadata accepts is stored.
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

/** This API's names for members of RFC 7591, for error messages. */
const ownNames: Readonly<Record<string, string>> = {
  client_name: 'app_name',
  contacts: 'contact_email',
  redirect_uris: 'redirect_url',
};
const own = inOwnNames(ownNames);

export const createRegister = ({ adminKeys, audit, clients }: SurfaceDeps) =>
  adminOperation(adminKeys, {
    summary: 'Register a client',
    description:
      'The client works on every node within a second. It is confidential, unless the metadata says otherwise.',
    body: shapes.registration,
    answers: {
      200: {
        description: 'The client is registered. No other response shows the secret.',
        body: shapes.registered,
      },
      400: '`invalid_redirect_uri`: `redirect_url` is missing or not allowed. `invalid_client_metadata`: another field is missing or invalid. `invalid_request`: the body is malformed.',
    },
    onInvalid: refused,
    async handle(ctx, read) {
      const { app_name, contact_email, redirect_url, ...standard } = (await read.body()) as Registration;
      // If a standard member and a field of this API mean the same, lists are joined and otherwise the field wins.
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
        // Null for a client that authenticates without a secret (`none`, `private_key_jwt`).
        client_secret: made.secret ?? null,
        redirect_url,
        // RFC 7591, section 3.2.1. Clients that send only this API's fields get only its four members.
        ...(made.dropped.length > 0 && metadataTold(made.client, made.dropped)),
      };
    },
  });

/** The body after validation. */
type Registration = JsonObject & { app_name: string; contact_email: string; redirect_url: string | string[] };

function refused({ member, message }: Mistake): Refusal {
  const redirect = ownNames[member] === 'redirect_url' || member === 'redirect_url';
  return new Refusal(redirect ? 'invalid_redirect_uri' : 'invalid_client_metadata', own(message));
}

function joined(own: JsonValue[], more: JsonValue | undefined): JsonValue {
  if (more === undefined || more === null) return own;
  return Array.isArray(more) ? [...own, ...more] : more;
}
