/**
 * Combines the items of concurrent requests into few round trips. Items that arrive while round trips are under way, or
 * in the same turns of the event loop, share the next one. A single item leaves after one turn without another item.
 */
import { nowMs } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';

interface BatcherOptions<Item, Result> {
  /** Concurrent batches, at most. */
  readonly limit: number;
  /** Items per batch, at most. */
  readonly size: number;
  /** Items that share a key never run together: a statement changes a row once, and two could deadlock. */
  readonly keys?: (item: Item) => readonly string[];
  /** One result per item, in order. If it throws, each item is sent alone, unless the database is unavailable. */
  readonly send: (items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly keys: readonly string[];
  readonly since: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An item that waited this long behind a batch that the database did not answer is rejected, instead of waiting in a
 * batch of its own. Time alone is no reason: this process may have been busy.
 */
const patienceMs = 2000;

export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): (item: Item) => Promise<Result> {
  const { limit, size, send } = options;
  const underWay = new Set<string>();
  let queue: Waiting<Item, Result>[] = [];
  let batchesUnderWay = 0;
  let scheduled = false;
  /** Number of waiting items one turn of the event loop ago. */
  let before = 0;

  function take(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    for (const waiting of queue) {
      if (batch.length < size && !waiting.keys.some((key) => underWay.has(key))) {
        for (const key of waiting.keys) underWay.add(key);
        batch.push(waiting);
      } else left.push(waiting);
    }
    queue = left;
    return batch;
  }

  async function alone(waiting: Waiting<Item, Result>): Promise<void> {
    try {
      const [result] = await send([waiting.item]);
      waiting.resolve(result as Result);
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** Returns false if the database is unavailable. */
  async function carry(batch: readonly Waiting<Item, Result>[]): Promise<boolean> {
    try {
      const results = await send(batch.map((waiting) => waiting.item));
      batch.forEach((waiting, index) => {
        waiting.resolve(results[index] as Result);
      });
      return true;
    } catch (error) {
      const final = batch.length === 1 || error instanceof Unavailable;
      for (const waiting of batch) {
        if (final) waiting.reject(error);
        else await alone(waiting);
      }
      return !(error instanceof Unavailable);
    }
  }

  function settle(batch: readonly Waiting<Item, Result>[], answered: boolean): void {
    batchesUnderWay--;
    for (const waiting of batch) for (const key of waiting.keys) underWay.delete(key);
    if (!answered) {
      const latest = nowMs() - patienceMs;
      for (const waiting of queue) if (waiting.since < latest) waiting.reject(new Unavailable('database'));
      queue = queue.filter((waiting) => waiting.since >= latest);
    }
    sendNext();
  }

  function sendNext(): void {
    scheduled = false;
    while (batchesUnderWay < limit && queue.length > 0) {
      const batch = take();
      if (batch.length === 0) return;
      batchesUnderWay++;
      void carry(batch).then((answered) => settle(batch, answered));
    }
  }

  /** Runs after this turn's sockets are read. As long as each turn brings another item, more are likely to come. */
  function gather(): void {
    if (queue.length > before && queue.length < size) {
      before = queue.length;
      setImmediate(gather);
    } else sendNext();
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, keys: options.keys?.(item) ?? [], since: nowMs(), resolve, reject });
      if (scheduled || batchesUnderWay >= limit) return;
      scheduled = true;
      before = 0;
      setImmediate(gather);
    });
}
