/**
 * Background work: purges expired rows and clients, prunes the change log, rotates signing keys by schedule. Of all
 * processes on one database, only the holder of a lease does it.
 */
import { nowMs, nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { randomToken } from '../../base/secrets.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Deliveries } from '../deliveries/deliveries.ts';
import type { ClientExpiry } from '../dynamic-clients/client-expiry.ts';
import type { Keys } from '../keys/keys.ts';
import type { Refusals } from '../refusals/refusals.ts';
import type { Stores } from '../stores/stores.ts';

const everyMs = 30_000;
const leaseMs = 90_000;
const batch = 1_000;
/** Expired rows stay a little longer: clocks differ, and a replayed code should still be recognised. */
const keepSeconds = 120;
const changeLogSeconds = 86_400;

export function createUpkeep(deps: {
  stores: Stores;
  keys: Keys;
  refusals: Pick<Refusals, 'prune'>;
  deliveries: Pick<Deliveries, 'upkeep'>;
  clientExpiry: ClientExpiry;
  changes: Pick<ChangeLog, 'changed'>;
  log: Logger;
}) {
  const holder = randomToken(9);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function once(): Promise<void> {
    const { stores } = deps;
    const now = nowMs();
    if (!(await stores.leases.acquire('upkeep', holder, now + leaseMs, now))) return;
    const before = nowSeconds() - keepSeconds;
    // Small batches with pauses, so that requests never queue behind a big delete.
    while (!stopped && (await stores.engine.purgeExpired(before, batch)) >= batch) await pause(20);
    while (!stopped && (await deps.clientExpiry.run())) await pause(20);
    await deps.refusals.prune();
    await deps.deliveries.upkeep();
    await stores.changes.prune(nowSeconds() - changeLogSeconds);
    const ids = () =>
      deps.keys
        .ring()
        .map(({ id, status }) => id + status)
        .join();
    const seen = ids();
    await deps.keys.upkeep();
    await deps.keys.load();
    // All processes must load the new keys.
    if (ids() !== seen) await deps.changes.changed();
  }

  function plan(delay: number): void {
    timer = setTimeout(async () => {
      try {
        await once();
      } catch (error) {
        deps.log.warn({ err: error }, 'upkeep failed; the next round tries again');
      }
      if (!stopped) plan(everyMs);
    }, delay);
    timer.unref();
  }

  return {
    start: () => plan(2_000),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    /** Runs one round now, for tests and the command line. */
    once,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
