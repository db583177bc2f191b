/** A client record in the engine's words, and the comparison of its secret. */
import type { AdapterPayload, Provider } from 'oidc-provider';
import { nowSeconds } from '../base/clock.ts';
import type { CachedClients } from '../core/cached-clients.ts';
import { verifySecret } from '../core/clients.ts';
import type { ClientRecord } from '../core/stores.ts';

/** The engine hashes what it is given to find its own copy again, so the same record must give the same object. */
const known = new WeakMap<ClientRecord, AdapterPayload>();

export function engineClient(record: ClientRecord): AdapterPayload {
  let payload = known.get(record);
  if (!payload) {
    payload = {
      ...record.metadata,
      client_id: record.id,
      // The engine wants a secret to be there; it never compares this one (see below) and no symmetric algorithm is enabled.
      ...(record.secrets[0] ? { client_secret: record.secrets[0].hash } : {}),
    };
    known.set(record, payload);
  }
  return payload;
}

/** Client secrets are stored as hashes: the comparison is ours, and during a rotation it knows both. */
export function compareHashedSecrets(provider: Provider, clients: CachedClients): void {
  provider.Client.prototype.compareClientSecret = async function compareClientSecret(presented: string) {
    const record = await clients.find(this.clientId);
    return record !== undefined && verifySecret(record, presented, nowSeconds());
  };
}
