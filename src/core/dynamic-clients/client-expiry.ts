/**
 * Ends clients that registered themselves and are not used: those that no person ever signed in to, and those without a
 * token for a long time. Agents register a new client with each connection, so without an end the rows would only grow.
 * A client that an operator has reviewed never expires. Part of the upkeep (core/upkeep).
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Audit } from '../kernel/audit.ts';
import type { RegistrationStore } from '../stores/registrations.ts';

export interface ClientExpiry {
  /** Deletes a batch of expired clients with all that belongs to them. Returns true if there may be more. */
  run(): Promise<boolean>;
}

/** Clients of one transaction: few enough that a request never waits long behind it. */
const batch = 200;

export function createClientExpiry(deps: {
  readonly stores: { readonly registrations: Pick<RegistrationStore, 'expire'> };
  readonly changes: Pick<ChangeLog, 'changed'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly config: { readonly registration: { readonly unused: number; readonly idle: number } };
}): ClientExpiry {
  const { unused, idle } = deps.config.registration;
  return {
    async run() {
      const now = nowSeconds();
      const times = { unusedBefore: now - unused, idleBefore: now - idle };
      const ids = await deps.stores.registrations.expire(times, batch);
      if (ids.length === 0) return false;
      await deps.changes.changed();
      deps.metrics.count('dynamic_clients_expired_total', {}, ids.length);
      await deps.audit.record('client.expired', { detail: { via: 'upkeep', count: ids.length, clients: ids } });
      return ids.length === batch;
    },
  };
}
