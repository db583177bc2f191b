/** A client in the engine's form, and the comparison of its secret. */
import Provider, { type AdapterPayload, type KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { verifySecret } from '../../core/clients/client-secrets.ts';
import { storedLoopbackPorts } from '../../core/clients/metadata/client-policy.ts';
import { uriRules, webUriMistake } from '../../core/clients/metadata/client-uris.ts';
import type { CredentialLimits } from '../../core/kernel/credential-limits.ts';
import { consentSnapshot } from '../../core/metadata-clients/consent-snapshot.ts';
import { isDocumentUrl } from '../../core/metadata-clients/document-url.ts';
import type { MetadataClients } from '../../core/metadata-clients/metadata-clients.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { callerOf } from '../../http/caller.ts';
import { onBehalfOf } from '../requests/on-behalf.ts';
import { mayLook, noteUnknownClient } from './credentials.ts';

export interface ClientDeps {
  readonly clients: CachedClients;
  readonly config: { readonly protocol: { readonly requirePushedAuthorizationRequests: boolean } };
  readonly metadataClients: Pick<MetadataClients, 'current' | 'find'>;
}

/** Where a client begins something: its document must be current. Elsewhere a copy is good enough. */
const waitsForDocument: ReadonlySet<string | undefined> = new Set([
  'authorization',
  'pushed_authorization_request',
  'device_authorization',
  'token',
]);

function describedClient({ metadataClients }: ClientDeps, ctx: KoaContextWithOIDC, id: string) {
  const { address } = callerOf(ctx);
  const waits = waitsForDocument.has(ctx.oidc?.route);
  return waits ? metadataClients.current(id, address) : metadataClients.find(id, address);
}

/** From the cache. A disabled client is unknown. */
export async function findClient(deps: ClientDeps, id: string): Promise<AdapterPayload | undefined> {
  const { ctx } = Provider;
  const record = await (ctx && isDocumentUrl(id) ? describedClient(deps, ctx, id) : deps.clients.find(id));
  if (record?.disabledAt === null)
    return engineClient(record, deps.config.protocol.requirePushedAuthorizationRequests && mustPushHere(record));
  noteUnknownClient(id);
  return undefined;
}

/**
 * Who is meant if the server requires pushed requests of all. This server's own pages push nothing. A request on behalf
 * of a user passes no browser.
 */
function mustPushHere({ origin }: ClientRecord): boolean {
  const { ctx } = Provider;
  return origin !== 'built-in' && !(ctx && onBehalfOf(ctx));
}

/** The engine finds its own copy by a hash of the payload, so the same record must give the same object. */
const known = {
  all: new WeakMap<ClientRecord, AdapterPayload>(),
  pushing: new WeakMap<ClientRecord, AdapterPayload>(),
};

function engineClient(record: ClientRecord, mustPush: boolean): AdapterPayload {
  const payloads = mustPush ? known.pushing : known.all;
  let payload = payloads.get(record);
  if (!payload) {
    payload = {
      ...engineMetadata(record.metadata),
      client_id: record.id,
      // After the stored metadata, so that a client cannot set these members itself.
      reviewed: record.reviewedAt !== null,
      made_by_person: record.origin === 'person',
      made_by_register: record.origin === 'register',
      ...(mustPush && { require_pushed_authorization_requests: true }),
      made_by_itself: record.origin === 'dynamic',
      document_snapshot: consentSnapshot(record),
      // The engine requires a secret. It never compares this one (see below), and symmetric algorithms are off.
      ...(record.secrets[0] ? { client_secret: record.secrets[0].hash } : {}),
    };
    payloads.set(record, payload);
  }
  return payload;
}

/**
 * The engine refuses a request for one scope too many, and all scopes of APIs. So it does not learn the registered
 * scopes: requested-scopes.ts and resources.ts leave out what is not among them.
 */
export function engineMetadata({ scope, ...metadata }: JsonObject): JsonObject {
  const own = {
    ...withLogout(metadata),
    application_type: engineType(metadata),
    // Clients registered earlier may have no such member.
    loopback_ports: storedLoopbackPorts(metadata),
  };
  return typeof scope === 'string' ? { ...own, registered_scope: scope } : own;
}

/**
 * The engine puts `sid` into ID tokens of clients that require it. Here, all clients with a back-channel logout URI get
 * it, so that a logout token names the session. A URI that an earlier version stored unchecked does not count.
 */
function withLogout({ backchannel_logout_uri: uri, ...metadata }: JsonObject): JsonObject {
  const usable = typeof uri === 'string' && webUriMistake(uri, uriRules.backchannel_logout_uri) === undefined;
  return {
    ...metadata,
    ...(usable && { backchannel_logout_uri: uri }),
    backchannel_logout_session_required: usable,
  };
}

/**
 * The engine uses the type only to check redirect URIs, which core has already checked. `web` allows http on any host;
 * private-use schemes need `native`. The other effects of the type are configured or overridden elsewhere.
 */
function engineType({ redirect_uris: uris, post_logout_redirect_uris: logout }: JsonObject): 'native' | 'web' {
  const all = [uris ?? [], logout ?? []].flat();
  return all.every((uri) => /^https?:/i.test(String(uri))) ? 'web' : 'native';
}

/** The outbox sends the tokens (core/deliveries) after the end is stored. The engine would wait for clients. */
export function leaveLogoutsToOutbox(provider: Provider): void {
  Object.assign(provider.Client.prototype, { backchannelLogout: async () => {} });
}

/** Secrets are stored as hashes, so this server compares them. During a rotation, both secrets match. */
export function compareHashedSecrets(provider: Provider, clients: CachedClients, limits: CredentialLimits): void {
  provider.Client.prototype.compareClientSecret = async function compareClientSecret(presented: string) {
    const record = await clients.find(this.clientId);
    mayLook(limits, this.clientId);
    return record !== undefined && verifySecret(record, presented, nowSeconds());
  };
}
