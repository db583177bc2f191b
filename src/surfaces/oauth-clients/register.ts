/**
 * `POST /clients/register`: the admin key, the body, the three fields of this API, then what any client must satisfy (core).
 * The key comes first, so that a stranger learns nothing about what would be accepted. What is stored is what
 * core/client-metadata lets in, whatever else the body holds.
 */
import type { Context } from 'koa';
import { Refusal } from '../../base/errors.ts';
import type { JsonObject, JsonValue } from '../../core/stores.ts';
import { requireAdminKey } from '../../http/admin-key.ts';
import type { Endpoint } from '../../http/endpoints.ts';
import { factsOf } from '../../http/front-door.ts';
import { readJson } from '../../http/json-body.ts';
import type { SurfaceDeps } from '../../http/surface.ts';

/** This API's names for members of RFC 7591, for the words of a refusal. */
const ownNames: Readonly<Record<string, string>> = {
  client_name: 'app_name',
  contacts: 'contact_email',
  redirect_uris: 'redirect_url',
};

export function createRegister({ adminKeys, audit, clients }: SurfaceDeps): Endpoint {
  return async (ctx: Context) => {
    requireAdminKey(ctx, adminKeys);
    const body = await readJson(ctx);
    const made = await clients.register(metadataOf(body), { origin: 'register', owner: null });
    if (made.outcome === 'invalid') {
      const description = made.description.replace(/^\w+/, (member) => ownNames[member] ?? member);
      throw new Refusal(made.error, description);
    }
    const { address, id: requestId } = factsOf(ctx.req);
    const clientId = made.client.id;
    await audit.record('client.registered', { clientId, address, requestId, detail: { via: 'oauth-clients' } });
    ctx.body = {
      success: true,
      client_id: clientId,
      // Null for a client that authenticates without one (`none`, `private_key_jwt`).
      client_secret: made.secret ?? null,
      redirect_url: body.redirect_url,
    };
  };
}

/** Standard members are taken as they are; where one says the same as a field of this API, lists are joined and the field wins. */
function metadataOf(body: JsonObject): JsonObject {
  const { app_name: name, contact_email: contact, redirect_url: redirect, ...standard } = body;
  if (!isText(name)) throw new Refusal('invalid_client_metadata', 'app_name must be given, as a string');
  if (!isText(contact)) throw new Refusal('invalid_client_metadata', 'contact_email must be given, as a string');
  const redirects = Array.isArray(redirect) ? redirect : [redirect ?? ''];
  if (redirects.length === 0 || !redirects.every(isText)) {
    throw new Refusal('invalid_redirect_uri', 'redirect_url must be given, as a string or an array of strings');
  }
  return {
    ...standard,
    client_name: name,
    contacts: joined([contact], standard.contacts),
    redirect_uris: joined(redirects, standard.redirect_uris),
  };
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

/** What is no list is left for the core to refuse. */
function joined(own: JsonValue[], more: JsonValue | undefined): JsonValue {
  if (more === undefined || more === null) return own;
  return Array.isArray(more) ? [...own, ...more] : more;
}
