/** A client as the engine finds it, in the engine's words, and the comparison of its secret. */
import type { AdapterPayload, Provider } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { storedLoopbackPorts } from '../../core/clients/client-policy.ts';
import { verifySecret } from '../../core/clients/client-secrets.ts';
import type { CredentialLimits } from '../../core/kernel/credential-limits.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { engineScopes } from '../requests/scopes.ts';
import { mayLook, noteUnknownClient } from './credentials.ts';

export interface ClientDeps {
  readonly clients: CachedClients;
}

/** From memory, and never a disabled one. */
export async function findClient({ clients }: ClientDeps, id: string): Promise<AdapterPayload | undefined> {
  const record = await clients.find(id);
  if (record?.disabledAt === null) return engineClient(record);
  noteUnknownClient(id);
  return undefined;
}

/** The engine hashes what it is given to find its own copy again, so the same record must give the same object. */
const known = new WeakMap<ClientRecord, AdapterPayload>();

function engineClient(record: ClientRecord): AdapterPayload {
  let payload = known.get(record);
  if (!payload) {
    payload = {
      ...engineMetadata(record.metadata),
      client_id: record.id,
      // Last but for the secret, and no members of the stored metadata: a client cannot say this of itself.
      reviewed: record.reviewedAt !== null,
      made_by_person: record.origin === 'person',
      made_by_register: record.origin === 'register',
      // The engine wants a secret to be there; it never compares this one (see below) and no symmetric algorithm is enabled.
      ...(record.secrets[0] ? { client_secret: record.secrets[0].hash } : {}),
    };
    known.set(record, payload);
  }
  return payload;
}

/**
 * The engine knows only its own scopes and refuses a client that is registered for an API's. It gets the ones it knows; resources.ts
 * holds the client to all of them by `registered_scope`. A client with none of the engine's gets the one that means nothing without
 * another, since no `scope` at all would mean every one.
 */
export function engineMetadata(metadata: JsonObject): JsonObject {
  const { scope } = metadata;
  const own = {
    ...metadata,
    application_type: engineType(metadata),
    // Of a client from before too, which has none.
    loopback_ports: storedLoopbackPorts(metadata),
  };
  if (typeof scope !== 'string') return own;
  const known = scope.split(' ').filter((name) => engineScopes.includes(name));
  return { ...own, scope: known.join(' ') || 'offline_access', registered_scope: scope };
}

/**
 * To the engine the type says only which redirect URIs there may be, and core has decided that. As `web` it takes http on any
 * name; `native` it needs for private-use schemes. What else it does with the type is configured or overridden here.
 */
function engineType({ redirect_uris: uris, post_logout_redirect_uris: logout }: JsonObject): 'native' | 'web' {
  const all = [uris ?? [], logout ?? []].flat();
  return all.every((uri) => /^https?:/i.test(String(uri))) ? 'web' : 'native';
}

/** Client secrets are stored as hashes: the comparison is ours, and during a rotation it knows both. */
export function compareHashedSecrets(provider: Provider, clients: CachedClients, limits: CredentialLimits): void {
  provider.Client.prototype.compareClientSecret = async function compareClientSecret(presented: string) {
    const record = await clients.find(this.clientId);
    mayLook(limits, this.clientId);
    return record !== undefined && verifySecret(record, presented, nowSeconds());
  };
}
