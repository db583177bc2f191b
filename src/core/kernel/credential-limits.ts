/**
 * Limits on guesses at what programs prove themselves by: admin keys, client secrets, client assertions and client
 * tokens.
 *
 * Only failures count, and only they ask the shared throttle, so a right credential costs no round trip. Each process
 * counts its own failures as well, at once: it looks at no more than the limit, however many guesses come together, and
 * where several nodes share a throttle each finds out with its next failure.
 *
 * - An admin key counts for its address.
 * - A client's credential counts for client and address together: one client with an old secret does not hold back the
 *   others behind the same address. Ten times the limit holds for all clients of an address, so that inventing ids is
 *   no way around it; a client that has proved itself from there is not held back by that.
 *
 * Over the limit everything from there is refused unseen, the right credential too: an answer would tell it from a
 * wrong one.
 */
import { nowMs } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import { createLru } from '../../base/lru.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Throttle, ThrottleKey } from '../stores/throttle.ts';
import type { Audit, AuditEventName } from './audit.ts';
import type { Caller } from './caller.ts';
import { addressNetwork, adminKeyThrottleKey, clientsThrottleKey, clientThrottleKey } from './throttle-keys.ts';

/** A credential that a request presents. */
export interface Presented {
  readonly kind: 'admin_key' | 'client';
  /** The id that a client claims, whether or not there is one of it; empty: none that could be read. */
  readonly clientId?: string;
  readonly from: Caller;
}

export interface CredentialLimits {
  /** Seconds to wait before another one is looked at; 0: look at it. Asks nothing outside this process. */
  wait(presented: Presented): number;
  /**
   * Counts a wrong one. Returns the seconds to wait where it is one too many, otherwise 0. `known`: whether there is
   * such a client; ids that strangers make up are not recorded.
   */
  failed(presented: Presented, known?: boolean): Promise<number>;
  /** A client has proved itself. */
  succeeded(presented: Presented): void;
}

interface Count {
  failures: number;
  /** Milliseconds. */
  readonly closes: number;
  blockedUntil: number;
}

/** How much an address may get wrong for all its clients together, in limits of one. */
const allClients = 10;
/** Counters kept in this process, at least; the shared throttle knows those that go. */
const countsKept = 10_000;
/** Of each kind and process: guesses from many addresses must not fill the audit trail. */
const recordsAnHour = 100;

const events = {
  admin_key: { failed: 'admin_key.failed', throttled: 'admin_key.throttled' },
  client: { failed: 'client_auth.failed', throttled: 'client_auth.throttled' },
} as const satisfies Record<Presented['kind'], Record<string, AuditEventName>>;

export function createCredentialLimits(parts: {
  readonly throttle: Throttle;
  readonly audit: Pick<Audit, 'note'>;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly config: { readonly throttle: { readonly addressLimit: number; readonly window: number } };
}): CredentialLimits {
  const { throttle, audit, metrics, config } = parts;
  const limits = { address: config.throttle.addressLimit, windowSeconds: config.throttle.window };
  const counts = createLru<Count>(countsKept);
  const proved = createLru<true>(countsKept);
  /** Until the first failure there is nothing to look up. */
  let anyFailed = false;
  const record = createRecorder(audit);

  /** The narrowest first. */
  function keysOf({ kind, clientId = '', from }: Presented): readonly [ThrottleKey, ...ThrottleKey[]] {
    const network = addressNetwork(from.address);
    if (kind === 'admin_key') return [{ key: adminKeyThrottleKey(network), limit: limits.address }];
    const own = { key: clientThrottleKey(clientId, network), limit: limits.address };
    if (proved.get(own.key)) return [own];
    return [own, { key: clientsThrottleKey(network), limit: limits.address * allClients }];
  }

  function countOf(key: string, now: number): Count | undefined {
    const count = counts.get(key);
    // One that closes later than a window from now is from before the clock was set back.
    const open = count && now < count.closes && count.closes <= now + limits.windowSeconds * 1000;
    return open ? count : undefined;
  }

  function countOne({ key, limit }: ThrottleKey, now: number): Count {
    let count = countOf(key, now);
    if (count === undefined) {
      count = { failures: 0, closes: now + limits.windowSeconds * 1000, blockedUntil: 0 };
      counts.set(key, count);
    }
    count.failures += 1;
    if (count.failures >= limit) count.blockedUntil = count.closes;
    return count;
  }

  /** Seconds that the shared throttle wants; one that is away leaves it to this process's own count. */
  async function askShared(key: ThrottleKey): Promise<number> {
    try {
      const counted = await throttle.attempt([key], limits.windowSeconds);
      return counted.allowed ? 0 : counted.retryAfter;
    } catch (error) {
      if (error instanceof Unavailable) return 0;
      throw error;
    }
  }

  function wait(presented: Presented): number {
    if (!anyFailed) return 0;
    const now = nowMs();
    const until = Math.max(...keysOf(presented).map(({ key }) => countOf(key, now)?.blockedUntil ?? 0));
    return until > now ? Math.ceil((until - now) / 1000) : 0;
  }

  return {
    wait,
    succeeded(presented) {
      const [own] = keysOf(presented);
      if (presented.kind === 'client' && !proved.get(own.key)) proved.set(own.key, true);
    },
    async failed(presented, known = true) {
      const { kind } = presented;
      const already = wait(presented);
      if (already > 0) {
        metrics.count('credential_failures_total', { kind, outcome: 'throttled' });
        return already;
      }
      anyFailed = true;
      const now = nowMs();
      const keys = keysOf(presented);
      // Before anything is waited for: what comes in the meantime meets these counts.
      const made = keys.map((key, at) => ({ key, count: countOne(key, now), ofAll: at > 0 }));
      if (made.some(({ count, ofAll }) => count.failures === 1 && (ofAll || known)))
        record(events[kind].failed, presented, known);

      let retryAfter = 0;
      for (const { key, count, ofAll } of made) {
        const wanted = await askShared(key);
        if (wanted > 0) count.blockedUntil = Math.min(count.closes, Math.max(count.blockedUntil, now + wanted * 1000));
        if (count.blockedUntil > now && (ofAll || known)) record(events[kind].throttled, presented, known);
        retryAfter = Math.max(retryAfter, wanted);
      }
      const outcome = retryAfter > 0 ? 'throttled' : 'refused';
      metrics.count('credential_failures_total', { kind, outcome });
      return retryAfter;
    },
  };
}

/** Records while there is room for more, and says in the next one how many were left out. */
function createRecorder(audit: Pick<Audit, 'note'>) {
  const hours = { admin_key: { began: 0, records: 0, omitted: 0 }, client: { began: 0, records: 0, omitted: 0 } };
  return (event: AuditEventName, { kind, clientId, from }: Presented, known: boolean): void => {
    const hour = hours[kind];
    const now = nowMs();
    if (Math.abs(now - hour.began) >= 3_600_000) Object.assign(hour, { began: now, records: 0 });
    if (hour.records >= recordsAnHour) {
      hour.omitted += 1;
      return;
    }
    hour.records += 1;
    const detail = { via: from.via, ...(hour.omitted > 0 && { omitted: hour.omitted }) };
    hour.omitted = 0;
    audit.note(event, { clientId: known ? clientId : null, caller: from, detail });
  };
}
