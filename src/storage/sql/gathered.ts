/**
 * Concurrent calls about one row, in few statements. Without this, a burst of requests with one code or token queues up
 * in the database, and its last requests wait for all others.
 */
import { Unavailable } from '../../base/errors.ts';
import type { CommitOutcome, StoredToken, Unit } from '../../core/stores/engine.ts';

/**
 * Calls with a key whose work is under way share the next run, which begins after them. Of the calls that share a run,
 * the first gets its result and the others get false.
 */
export function gathered(work: (key: string) => Promise<boolean>): (key: string) => Promise<boolean> {
  const runs = new Map<string, { readonly running: Promise<boolean>; next?: Promise<boolean> }>();

  async function begin(key: string): Promise<boolean> {
    const run: { readonly running: Promise<boolean>; next?: Promise<boolean> } = { running: work(key) };
    runs.set(key, run);
    try {
      return await run.running;
    } finally {
      if (run.next === undefined) runs.delete(key);
    }
  }

  return (key) => {
    const run = runs.get(key);
    if (run === undefined) return begin(key);
    if (run.next !== undefined) return run.next.then(() => false);
    run.next = run.running.then(
      () => begin(key),
      () => begin(key),
    );
    return run.next;
  };
}

/**
 * Of concurrent units that first consume one key, the first is sent. If it consumes the key, or finds it consumed, that
 * decides the others too. Otherwise each is sent.
 */
export function oncePerKey(
  commit: (unit: Unit) => Promise<CommitOutcome>,
  read: (key: string) => Promise<StoredToken | undefined>,
): (unit: Unit) => Promise<CommitOutcome> {
  const underWay = new Map<string, Promise<CommitOutcome>>();
  return async (unit) => {
    const key = unit.consume?.[0]?.key;
    if (key === undefined) return commit(unit);
    const first = underWay.get(key);
    if (first === undefined) {
      const own = commit(unit);
      underWay.set(key, own);
      return own.finally(() => underWay.delete(key));
    }
    const outcome = await first.catch((error: unknown) => {
      if (error instanceof Unavailable) throw error;
      // The database rejected that unit alone.
      return undefined;
    });
    if (outcome === undefined) return commit(unit);
    if (outcome.outcome === 'committed') return { outcome: 'spent', token: await read(key) };
    return outcome.token?.key === key ? outcome : commit(unit);
  };
}
