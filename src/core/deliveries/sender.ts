/**
 * Sends what waits in the outbox. Each process has a sender. A claim makes sure that one process at a time sends to a
 * client, one delivery after the other. So a client that hangs holds one connection and delays no other client, and a
 * process that dies loses nothing: its claims lapse, and another process sends again. A delivery may so come twice.
 *
 * It looks after a commit of this process, after the note of another one in the change log, when a delivery is due, and
 * now and then.
 */
import { nowMs } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { createLru } from '../../base/lru.ts';
import type { Metrics } from '../../base/metrics.ts';
import { randomToken } from '../../base/secrets.ts';
import { type ChangeLog, oneAtATime } from '../changes/change-log.ts';
import type { DeliveryStore } from '../stores/deliveries.ts';
import { type AttemptDeps, createAttempts } from './attempts.ts';

interface DeliverySender {
  start(): void;
  /** Takes up no further delivery, and waits at most `seconds` for those on their way. */
  stop(seconds: number): Promise<void>;
  /** Sends everything that is due now. */
  once(): Promise<void>;
}

interface SenderDeps extends Omit<AttemptDeps, 'signal' | 'deliveries'> {
  readonly deliveries: DeliveryStore;
  readonly changes: Pick<ChangeLog, 'onChange'>;
  readonly metrics: Pick<Metrics, 'count' | 'set'>;
  readonly log: Logger;
}

/** Clients to which one process sends at the same time. */
const atOnce = 16;
const batch = 20;
/** Longer than a few attempts; renewed when half of it has passed. */
const claimMs = 15_000;
/** Also the longest delay after a process died. */
const everyMs = 15_000;
/** Commits of a moment share one look. */
const soonMs = 10;
const troubleMs = 5_000;
/** Counting reads every waiting delivery. */
const countEveryMs = 5_000;

export function createDeliverySender(deps: SenderDeps): DeliverySender {
  const { deliveries, log, metrics } = deps;
  const ending = new AbortController();
  const attempt = createAttempts({ ...deps, signal: ending.signal });
  const holder = randomToken(9);
  const active = new Map<string, Promise<void>>();
  /** Clients at which something went wrong here, and until when they are left alone. */
  const troubled = createLru<number>(1_000);
  let state: 'new' | 'started' | 'stopped' = 'new';
  let timer: NodeJS.Timeout | undefined;
  let plannedMs = Number.POSITIVE_INFINITY;
  let countedMs = 0;
  const unsubscribe: (() => void)[] = [];

  const looks = oneAtATime(async () => {
    const waiting = await deliveries.waitingClients();
    if (state === 'stopped') return;
    const now = nowMs();
    let next = now + everyMs;
    for (const { clientId, dueMs, claimedUntilMs } of waiting) {
      if (active.has(clientId)) continue;
      const ready = Math.max(dueMs, claimedUntilMs, troubled.get(clientId) ?? 0);
      if (ready > now) next = Math.min(next, ready);
      // A client that is done makes room, and looks again.
      else if (active.size < atOnce) begin(clientId);
    }
    plan(next - now);
    if (waiting.length > 0 && now - countedMs < countEveryMs) return;
    countedMs = now;
    metrics.set('deliveries_waiting', {}, waiting.length === 0 ? 0 : await deliveries.countWaiting());
  });

  function begin(clientId: string): void {
    const sending = send(clientId)
      .catch((err: unknown) => {
        troubled.set(clientId, nowMs() + troubleMs);
        log.warn({ err, clientId }, 'deliveries to the client stopped; they go on in a moment');
      })
      .finally(() => {
        active.delete(clientId);
        // What was written since the last read is found by this look.
        plan(soonMs);
      });
    active.set(clientId, sending);
  }

  async function send(clientId: string): Promise<void> {
    let claimedUntil = 0;
    const claim = async (): Promise<boolean> => {
      const now = nowMs();
      if (claimedUntil - now > claimMs / 2) return true;
      claimedUntil = now + claimMs;
      return deliveries.claim(clientId, holder, claimedUntil, now);
    };
    if (!(await claim())) return;
    for (;;) {
      const due = await deliveries.due(clientId, nowMs(), batch);
      for (const delivery of due) {
        if (!(await claim())) return;
        const after = state === 'stopped' ? 'stopped' : await attempt(delivery);
        if (after === 'stopped') return deliveries.release(clientId, holder);
        if (after !== 'next') return deliveries.rest(clientId, holder, nowMs() + after.restMs);
      }
      if (due.length < batch) return deliveries.release(clientId, holder);
    }
  }

  function plan(ms: number): void {
    if (state !== 'started') return;
    const at = performance.now() + ms;
    if (at >= plannedMs) return;
    clearTimeout(timer);
    plannedMs = at;
    timer = setTimeout(look, Math.max(0, ms)).unref();
  }

  async function look(): Promise<void> {
    plannedMs = Number.POSITIVE_INFINITY;
    try {
      await looks.next();
    } catch (err) {
      log.debug({ err }, 'the outbox could not be read; it is read again in a moment');
      plan(troubleMs);
    }
  }

  const wake = (): void => plan(soonMs);

  return {
    start() {
      state = 'started';
      unsubscribe.push(deliveries.onWritten(wake), deps.changes.onChange('delivery', wake));
      // What an earlier process left.
      plan(1_000);
    },
    async stop(seconds) {
      state = 'stopped';
      clearTimeout(timer);
      for (const each of unsubscribe) each();
      const all = Promise.all(active.values());
      const deadline = setTimeout(() => ending.abort(), seconds * 1000);
      await all;
      clearTimeout(deadline);
    },
    async once() {
      do {
        await Promise.all(active.values());
        await looks.next();
      } while (active.size > 0);
    },
  };
}
