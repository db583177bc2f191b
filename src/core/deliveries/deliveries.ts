/** The outbox for operators, and its upkeep. sender.ts sends it. */
import { nowMs, nowSeconds } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Audit } from '../kernel/audit.ts';
import type { DeliveryStore } from '../stores/deliveries.ts';
import { logoutKind, tryFor } from './logout-notice.ts';

/** Throws `Unavailable` if storage cannot answer. */
export interface Deliveries {
  /** Newest first. */
  list: DeliveryStore['list'];
  /** Sends one, or all of a client that wait or failed, again for a day. Returns how many. */
  retry(which: Parameters<DeliveryStore['retry']>[0]): Promise<number>;
  /** Gives up what is too old, and removes what was settled a week ago. */
  upkeep(): Promise<void>;
}

const keptDays = 7;
const batch = 1_000;
/** The last attempt comes first, even if the client rests at that time. */
const graceSeconds = 7_200;

export function createDeliveries(deps: {
  readonly stores: { readonly deliveries: DeliveryStore };
  readonly changes: Pick<ChangeLog, 'changed'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly metrics: Pick<Metrics, 'count'>;
}): Deliveries {
  const { deliveries } = deps.stores;
  return {
    list: deliveries.list,

    async retry(which) {
      const again = await deliveries.retry(which, nowMs(), nowSeconds() + tryFor);
      if (again > 0) await deps.changes.changed();
      return again;
    },

    async upkeep() {
      const now = nowSeconds();
      for (let given = batch; given >= batch; ) {
        const clients = await deliveries.giveUp(now - graceSeconds, now, batch);
        given = clients.reduce((sum, { count }) => sum + count, 0);
        for (const { clientId, count } of clients) {
          deps.metrics.count('deliveries_total', { kind: logoutKind, outcome: 'failed' }, count);
          await deps.audit.record('delivery.failed', { clientId, detail: { count, outcome: 'given up' } });
        }
      }
      while ((await deliveries.prune(now - keptDays * 86_400, batch)) >= batch);
    },
  };
}
