/**
 * Refusal records: an integrator or operator looks up a reference and finds what was checked, expected and received,
 * and what would have passed. Every entry point calls `note`.
 *
 * The response never waits for a record: records are written in batches, and dropped if the database is slow or down.
 * limits.ts bounds what one process writes. The table keeps 500 records of one client, 1,000 of all unregistered
 * clients, 20,000 in total, for 30 days.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { createLru } from '../../base/lru.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Caller } from '../kernel/caller.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import type { RefusalRepeat, RefusalRow, RefusalStore } from '../stores/refusals.ts';
import { type CheckName, checks, type EndpointName } from './checks.ts';
import { createRefusalLimits } from './limits.ts';

export const refusalBounds = {
  perClient: 500,
  unknownClients: 1_000,
  all: 20_000,
  days: 30,
} as const;

/** What an entry point knows about a refusal. Contains no secret, code, token, verifier or password (see shown.ts). */
export interface Refused {
  readonly endpoint: EndpointName;
  readonly check: CheckName;
  readonly status: number;
  /** The error code of the response. */
  readonly error: string;
  /** As the request sent it. */
  readonly clientId?: string | undefined;
  /** The client is registered here: the record counts for the client's quota. */
  readonly known?: boolean;
  /** Their request id becomes the reference. */
  readonly caller: Caller;
  readonly expected?: string | undefined;
  readonly received?: string | undefined;
  readonly nearest?: string | undefined;
  /** Replaces the check's own advice. */
  readonly advice?: string | undefined;
  /** Looks up the nearest value in the database. Called only for a record that is written, after the response. */
  readonly look?: (() => Promise<string | undefined>) | undefined;
}

export interface Refusals {
  /** Never throws or waits. Returns the reference of this refusal. */
  note(refused: Refused): string;
  /** Also finds records that this process has not written yet. Throws `Unavailable`. */
  find(reference: string): Promise<RefusalRow | undefined>;
  list: RefusalStore['list'];
  /** Removes records older than the bound; called by upkeep. */
  prune(): Promise<void>;
  /** Writes the waiting records. */
  close(): Promise<void>;
}

/** Records that may wait for a slow database; more are dropped. */
const waitingMax = 500;
/** Records after which a scope, and the whole table, is counted. */
const trimEvery = 25;
const trimAllEvery = 200;
const pruneBatch = 1_000;
const textMax = 600;

interface Waiting {
  row: RefusalRow;
  readonly look: Refused['look'];
}

export function createRefusals(parts: { store: RefusalStore; log: Logger; metrics: Metrics }): Refusals {
  const { store, log, metrics } = parts;
  const limits = createRefusalLimits();
  let waiting = new Map<string, Waiting>();
  /** Records that are being written. */
  let writing = new Map<string, Waiting>();
  const repeats = new Map<string, RefusalRepeat>();
  /** Records of a scope since its last count; a forgotten scope is counted at once. */
  const sinceTrim = createLru<number>(1_000);
  let running: Promise<void> | undefined;
  let written = 0;

  function repeat(reference: string, lastMs: number): void {
    const record = waiting.get(reference);
    if (record) {
      record.row = { ...record.row, times: record.row.times + 1, lastMs };
      return;
    }
    const before = repeats.get(reference);
    if (!before && repeats.size >= waitingMax) return;
    repeats.set(reference, { reference, times: (before?.times ?? 0) + 1, lastMs });
    running ??= run();
  }

  /** Trims so far below the bound that the bound holds until the next count. */
  async function trim(scope: string): Promise<void> {
    const count = (sinceTrim.get(scope) ?? trimEvery - 1) + 1;
    sinceTrim.set(scope, count % trimEvery);
    if (count < trimEvery) return;
    const most = scope === '' ? refusalBounds.unknownClients : refusalBounds.perClient;
    await store.trim(scope, most - trimEvery);
  }

  async function completed({ row, look }: Waiting): Promise<RefusalRow> {
    const nearest = look && (await look().catch(() => undefined));
    return nearest === undefined ? row : { ...row, nearest };
  }

  async function write(): Promise<void> {
    const batch = [...waiting.values()];
    const counts = [...repeats.values()];
    writing = waiting;
    waiting = new Map();
    repeats.clear();
    try {
      const rows = await Promise.all(batch.map(completed));
      await store.write(rows, counts);
      for (const { scope } of rows) await trim(scope);
      const before = written;
      written += rows.length;
      if (Math.floor(before / trimAllEvery) !== Math.floor(written / trimAllEvery) || before === 0) {
        await store.trimAll(refusalBounds.all - trimAllEvery);
      }
    } catch (error) {
      metrics.count('refusals_dropped_total', {}, batch.length);
      log.debug({ err: error, records: batch.length }, 'refusal records were dropped');
    }
    writing = new Map();
  }

  async function run(): Promise<void> {
    // Gathers the records of the same moment, so that many repeats become few statements.
    await sleep(20, undefined, { ref: false });
    while (waiting.size > 0 || repeats.size > 0) {
      await write();
      if (repeats.size > 0) await sleep(250, undefined, { ref: false });
    }
    running = undefined;
  }

  return {
    note(refused) {
      const { endpoint, check, status, error, clientId, known = false } = refused;
      const { address = '', requestId = '' } = refused.caller;
      metrics.count('refusals_total', { endpoint, check });
      const atMs = nowMs();
      const scope = known && clientId !== undefined ? clientId : '';
      const network = addressNetwork(address);
      const verdict = limits.judge(`${scope}|${network}|${endpoint}|${check}`, requestId, atMs);
      if (verdict.kind === 'repeat') {
        repeat(verdict.reference, atMs);
        return verdict.reference;
      }
      if (verdict.kind === 'drop' || waiting.size >= waitingMax) {
        metrics.count('refusals_dropped_total', {});
        return requestId;
      }
      const row: RefusalRow = {
        reference: requestId,
        atMs,
        lastMs: atMs,
        times: 1,
        endpoint,
        clientId: clientId === undefined ? null : cut(clientId),
        scope,
        address: cut(address),
        network,
        check,
        status,
        error,
        expected: cutOrNull(refused.expected),
        received: cutOrNull(refused.received),
        nearest: cutOrNull(refused.nearest),
        advice: cut(refused.advice ?? checks[check].advice),
      };
      const { reference, expected, received, nearest, advice } = row;
      log.info(
        {
          reference,
          requestId,
          endpoint,
          clientId: row.clientId,
          address,
          check,
          status,
          error,
          expected,
          received,
          nearest,
          advice,
        },
        'a request was refused',
      );
      waiting.set(requestId, { row, look: refused.look });
      running ??= run();
      return requestId;
    },

    async find(reference) {
      return (waiting.get(reference) ?? writing.get(reference))?.row ?? (await store.find(reference));
    },

    list: (filter, limit) => store.list(filter, limit),

    async prune() {
      const before = nowMs() - refusalBounds.days * 86_400_000;
      while ((await store.prune(before, pruneBatch)) >= pruneBatch) await sleep(20);
    },

    async close() {
      await running;
    },
  };
}

/** A column takes no U+0000, no lone surrogate, and a bounded length. */
function cut(text: string): string {
  return text.slice(0, textMax).toWellFormed().replaceAll('\0', '\uFFFD');
}

function cutOrNull(text: string | undefined): string | null {
  return text === undefined ? null : cut(text);
}
