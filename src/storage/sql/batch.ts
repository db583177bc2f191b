/**
 * Carries what concurrent requests ask for in few trips: items that arrive while the trips under way are out, or in the same
 * turns of the event loop, go together in the next one. An item alone leaves after one turn that brought nobody else.
 */
import { nowMs } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';

export interface Flights<Item, Result> {
  /** Flights under way at the same time, at most. */
  readonly limit: number;
  /** Items in one flight, at most. */
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

/** Somebody who has waited this long while flights hung is told so, instead of hanging in a flight of his own as well. */
const patienceMs = 2000;

export function createFlights<Item, Result>(options: Flights<Item, Result>): (item: Item) => Promise<Result> {
  const { limit, size, send } = options;
  const underWay = new Set<string>();
  let queue: Waiting<Item, Result>[] = [];
  let flying = 0;
  let scheduled = false;
  /** How many were waiting a turn of the event loop ago. */
  let before = 0;

  function board(): Waiting<Item, Result>[] {
    const boarded: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    for (const waiting of queue) {
      if (boarded.length < size && !waiting.keys.some((key) => underWay.has(key))) {
        for (const key of waiting.keys) underWay.add(key);
        boarded.push(waiting);
      } else left.push(waiting);
    }
    queue = left;
    return boarded;
  }

  async function alone(waiting: Waiting<Item, Result>): Promise<void> {
    try {
      const [result] = await send([waiting.item]);
      waiting.resolve(result as Result);
    } catch (error) {
      waiting.reject(error);
    }
  }

  async function fly(boarded: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await send(boarded.map((waiting) => waiting.item));
      boarded.forEach((waiting, index) => {
        waiting.resolve(results[index] as Result);
      });
    } catch (error) {
      const final = boarded.length === 1 || error instanceof Unavailable;
      for (const waiting of boarded) {
        if (final) waiting.reject(error);
        else await alone(waiting);
      }
    }
  }

  function land(boarded: readonly Waiting<Item, Result>[]): void {
    flying--;
    for (const waiting of boarded) for (const key of waiting.keys) underWay.delete(key);
    const late = nowMs() - patienceMs;
    if (queue[0] !== undefined && queue[0].since < late) {
      for (const waiting of queue) if (waiting.since < late) waiting.reject(new Unavailable('database'));
      queue = queue.filter((waiting) => waiting.since >= late);
    }
    depart();
  }

  function depart(): void {
    scheduled = false;
    while (flying < limit && queue.length > 0) {
      const boarded = board();
      if (boarded.length === 0) return;
      flying++;
      void fly(boarded).then(() => land(boarded));
    }
  }

  /** After the sockets of this turn have been read. While each turn brings somebody else, more are likely on their way. */
  function boarding(): void {
    if (queue.length > before && queue.length < size) {
      before = queue.length;
      setImmediate(boarding);
    } else depart();
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, keys: options.keys?.(item) ?? [], since: nowMs(), resolve, reject });
      if (scheduled || flying >= limit) return;
      scheduled = true;
      before = 0;
      setImmediate(boarding);
    });
}
