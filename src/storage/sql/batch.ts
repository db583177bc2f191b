/**
 * Carries what concurrent requests ask for in few trips: items that arrive while the trips under way are out, or in the same
 * turns of the event loop, go together in the next one. An item alone leaves after one turn that brought no other.
 */
import { nowMs } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';

interface BatcherOptions<Item, Result> {
  /** Batches under way at the same time, at most. */
  readonly limit: number;
  /** Items in one batch, at most. */
  readonly size: number;
  /** Items that share a key are never under way at the same time: a statement cannot change one row twice, nor two lock rows in turns. */
  readonly keys?: (item: Item) => readonly string[];
  /** Answers in the order of the items. When it throws, each item is sent again alone, unless the database is unavailable. */
  readonly send: (items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly keys: readonly string[];
  readonly since: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** An item that has waited this long behind batches that hang is refused, instead of hanging in a batch of its own. */
const patienceMs = 2000;

export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): (item: Item) => Promise<Result> {
  const { limit, size, send } = options;
  const underWay = new Set<string>();
  let queue: Waiting<Item, Result>[] = [];
  let batchesUnderWay = 0;
  let scheduled = false;
  /** How many were waiting a turn of the event loop ago. */
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

  async function carry(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await send(batch.map((waiting) => waiting.item));
      batch.forEach((waiting, index) => {
        waiting.resolve(results[index] as Result);
      });
    } catch (error) {
      const final = batch.length === 1 || error instanceof Unavailable;
      for (const waiting of batch) {
        if (final) waiting.reject(error);
        else await alone(waiting);
      }
    }
  }

  function settle(batch: readonly Waiting<Item, Result>[]): void {
    batchesUnderWay--;
    for (const waiting of batch) for (const key of waiting.keys) underWay.delete(key);
    const latest = nowMs() - patienceMs;
    if (queue[0] !== undefined && queue[0].since < latest) {
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
      void carry(batch).then(() => settle(batch));
    }
  }

  /** After the sockets of this turn have been read. While each turn brings another, more are likely on their way. */
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
