/**
 * Limits on guesses at credentials of programs: admin keys, client secrets, client assertions and client tokens. Only
 * failures count and use the shared throttle, so a right credential costs no round trip. Each process also counts its
 * own failures at once, so concurrent guesses cannot pass the limit. Another node sees a full shared counter with its
 * next failure.
 * - An admin key counts for its address.
 * - A client credential counts for client and address together, so a client with an old secret does not lock out the
 *   others behind that address. All clients of an address have ten times the limit, so invented ids do not avoid it.
 *   A client that authenticated from there is exempt from the second limit.
 * Over the limit, even the right credential is refused unchecked: an answer would tell it from a wrong one.
 */
import { nowMs } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import { createLru } from '../../base/lru.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Throttle, ThrottleKey } from '../stores/volatile/throttle.ts';
import type { Audit, AuditEventName } from './audit.ts';
import type { Caller } from './caller.ts';
import { addressNetwork, adminKeyThrottleKey, clientsThrottleKey, clientThrottleKey } from './throttle-keys.ts';

/** A credential that a request presents. */
export interface Presented {
  readonly kind: 'admin_key' | 'client';
  /** The client id in the request, known or unknown. Empty: the request has no readable id. */
  readonly clientId?: string;
  readonly from: Caller;
}

export interface CredentialLimits {
  /** Returns the seconds until a credential may be checked; 0: check it now. No round trip. */
  wait(presented: Presented): number;
  /**
   * Counts a wrong credential. Returns the seconds to wait if the limit is reached, otherwise 0. `known`: the client
   * exists; invented ids are not recorded.
   */
  failed(presented: Presented, known?: boolean): Promise<number>;
  /** The client has authenticated. */
  succeeded(presented: Presented): void;
}

interface Count {
  failures: number;
  /** Milliseconds. */
  readonly closes: number;
  blockedUntil: number;
}

/** The limit of all clients of an address together, in limits of one client. */
const allClients = 10;
/** Counters kept in this process, at least. The shared throttle still has the evicted ones. */
const countsKept = 10_000;
/** Per kind and process, so that guesses from many addresses do not fill the audit trail. */
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
  /** Saves all lookups until the first failure. */
  let anyFailed = false;
  const record = createRecorder(audit);

  /** The narrowest key comes first. */
  function keysOf({ kind, clientId = '', from }: Presented): readonly [ThrottleKey, ...ThrottleKey[]] {
    const network = addressNetwork(from.address);
    if (kind === 'admin_key') return [{ key: adminKeyThrottleKey(network), limit: limits.address }];
    const own = { key: clientThrottleKey(clientId, network), limit: limits.address };
    if (proved.get(own.key)) return [own];
    return [own, { key: clientsThrottleKey(network), limit: limits.address * allClients }];
  }

  function countOf(key: string, now: number): Count | undefined {
    const count = counts.get(key);
    // A count that closes more than a window from now was made before the clock was set back.
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

  /** Returns the seconds to wait. If the shared throttle is unavailable, the count of this process decides. */
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
      // Count before the first await, so that concurrent requests see these counts.
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

/** Writes at most `recordsAnHour` records; the next one after a pause says how many were omitted. */
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
