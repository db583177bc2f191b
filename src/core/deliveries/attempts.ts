/** One attempt of a delivery: makes the message, sends it, stores the outcome and reports it. */
import { nowMs, nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { createLru } from '../../base/lru.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { CachedClients } from '../clients/cached-clients.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Outgoing } from '../outgoing/outgoing.ts';
import type { ClientRecord } from '../stores/clients.ts';
import type { Attempted, Delivery, DeliveryStore } from '../stores/deliveries.ts';
import { restMs, retryMs } from './backoff.ts';
import type { DeliveryKind, Message } from './delivery-kind.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export interface AttemptDeps {
  readonly deliveries: Pick<DeliveryStore, 'attempted'>;
  readonly clients: Pick<CachedClients, 'find'>;
  readonly outgoing: Outgoing;
  readonly kinds: Readonly<Record<string, DeliveryKind>>;
  readonly audit: Pick<Audit, 'note'>;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly log: Logger;
  /** Ends requests under way. */
  readonly signal: AbortSignal;
}

/** `next`: send the next delivery. `stopped`: nothing is stored. */
type After = 'next' | 'stopped' | { readonly restMs: number };

/** For the whole request, from the name to the headers of the answer. */
const timeoutMs = 5_000;
const clientsMax = 10_000;
const unknownMs = 60_000;

export function createAttempts(deps: AttemptDeps): (delivery: Delivery) => Promise<After> {
  const { deliveries, metrics, log, audit } = deps;
  const failures = createLru<number>(clientsMax);
  const troubles = createLru<Exclude<Verdict['outcome'], 'delivered'>>(clientsMax);

  /** Once per client and change of its state, because a client that is down fails for each session. */
  function report({ clientId, kind }: Delivery, { outcome, words }: Verdict): void {
    const before = troubles.get(clientId);
    if (outcome === 'delivered') {
      if (before !== undefined) log.info({ clientId, kind }, 'deliveries to the client work again');
      troubles.delete(clientId);
    } else if (outcome !== before) {
      troubles.set(clientId, outcome);
      const what = outcome === 'again' ? 'cannot be delivered and is tried again' : 'is refused and given up';
      log.warn({ clientId, kind, why: words }, `a message to the client ${what}; see: deliveries list`);
    }
  }

  async function store(delivery: Delivery, outcome: Attempted): Promise<void> {
    const { kind, clientId, id, facts } = delivery;
    const { next, lastOutcome } = outcome;
    const stored = await deliveries.attempted(delivery, outcome);
    metrics.count('deliveries_total', { kind, outcome: typeof next === 'string' ? next : 'retried' });
    if (next !== 'failed' || stored === 'merged') return;
    const { sub: subject } = facts;
    audit.note('delivery.failed', {
      clientId,
      subject: typeof subject === 'string' ? subject : null,
      detail: { kind, delivery: id, attempts: delivery.attempts + 1, outcome: lastOutcome },
    });
  }

  /** The message, or why it is no longer wanted. */
  function made(
    kind: DeliveryKind,
    delivery: Delivery,
    client: ClientRecord | undefined,
  ): Message | { readonly dropped: string } {
    if (client === undefined) return { dropped: 'the client is deleted' };
    return client.disabledAt === null ? kind(delivery, client) : { dropped: 'the client is disabled' };
  }

  return async (delivery) => {
    const kind = deps.kinds[delivery.kind];
    if (kind === undefined) {
      // A newer version wrote it, and runs beside this one.
      const next = { dueMs: nowMs() + unknownMs };
      await store(delivery, { lastOutcome: 'a process does not know the kind', lastAt: nowSeconds(), next });
      return 'next';
    }
    const client = await deps.clients.find(delivery.clientId);
    const message = made(kind, delivery, client);
    if ('dropped' in message) {
      await store(delivery, { lastOutcome: message.dropped, lastAt: nowSeconds(), next: 'dropped' });
      return 'next';
    }
    const answer = await deps.outgoing.fetch({
      ...message,
      method: 'POST',
      reviewed: typeof client?.reviewedAt === 'number',
      timeoutMs,
      // The status says everything, so a long body is never read.
      ignoreBody: true,
      signal: deps.signal,
    });
    if (answer.outcome === 'failed' && deps.signal.aborted) return 'stopped';

    const verdict = verdictOf(answer, nowMs());
    report(delivery, verdict);
    const done = { lastOutcome: verdict.words, lastAt: nowSeconds() };
    if (verdict.outcome !== 'again') {
      failures.delete(delivery.clientId);
      await store(delivery, { ...done, next: verdict.outcome });
      return 'next';
    }
    const inRow = (failures.get(delivery.clientId) ?? 0) + 1;
    failures.set(delivery.clientId, inRow);
    const isLast = nowSeconds() >= delivery.giveUpAt;
    const wait = Math.max(retryMs(delivery.attempts), verdict.askedMs);
    const dueMs = Math.min(nowMs() + wait, delivery.giveUpAt * 1000);
    await store(delivery, { ...done, next: isLast ? 'failed' : { dueMs } });
    return { restMs: Math.max(restMs(inRow), verdict.askedMs) };
  };
}
