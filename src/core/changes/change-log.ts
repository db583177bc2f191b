/**
 * Shows changes made by other processes (nodes, the command line) here within a second. This process serves a copy only
 * if the last successful look at the change log began less than a second ago. A timer looks every 400 ms, and a message
 * on the channel makes it look sooner. If the last look is too old, callers wait for a new one or get `Unavailable`.
 *
 * A `Follower` keeps copies. A look asks for the newest number. If that has moved, it reads the changes in between,
 * lets each follower prepare (it may wait), then makes all of them drop their copies in one turn of the event loop. So
 * a reader sees all of these changes or none.
 */

import type { ChangeKind, ChangeStore } from '../stores/changes.ts';
import type { ChangeChannel } from '../stores/volatile/change-channel.ts';

type Change = { readonly seq: number; readonly kind: ChangeKind; readonly id: string };

interface Follower {
  /** The kinds of its copies; it gets no other changes. */
  readonly kinds: readonly ChangeKind[];
  /** There are changes: reads that began before may be outdated. */
  begin?(): void;
  /** Reads what `take` needs. If it throws, the look fails and runs again. */
  prepare?(news: readonly Change[] | undefined): Promise<void>;
  /** Drops copies of the changes; undefined: drop all. Must not wait. */
  take(news: readonly Change[] | undefined): void;
  /** Runs in each look, with or without changes. */
  after?(): Promise<void>;
}

type ChangeListener = (id: string | undefined) => void | Promise<void>;

export interface ChangeLog {
  /** Undefined: copies may be served now. Otherwise wait for the promise first. Throws `Unavailable`. */
  recent(): Promise<void> | undefined;
  /** Makes a look that begins after this call. Throws `Unavailable`. */
  check(): Promise<void>;
  /**
   * Call after a write to copied data: takes the change in and tells other processes. Never throws: the write is done.
   */
  changed(): Promise<void>;
  /** Throws after `start`. */
  follow(follower: Follower): void;
  /**
   * Calls `listener` after changes of this kind: with the id, or with undefined if any may have changed. A failed call
   * is repeated.
   */
  onChange(kind: ChangeKind, listener: ChangeListener): () => void;
  /** All changes up to this number are taken in; -1 before the first look. */
  seq(): number;
  /** Takes in the changes noted by now, within the current look. */
  catchUp(): Promise<void>;
  /** All changes after `seq`, or undefined if there are too many or the log no longer has them. */
  since(seq: number): Promise<readonly Change[] | undefined>;
  /** Starts regular looks; resolves after the first. */
  start(): Promise<void>;
  close(): void;
}

const freshMs = 1000;
const lookEveryMs = 400;
const pageSize = 1000;
/** Beyond this, dropping all copies is cheaper than a replay. */
const replayLimit = 10_000;

export function createChangeLog(deps: {
  readonly changes: Pick<ChangeStore, 'latest' | 'since'>;
  readonly channel: ChangeChannel;
}): ChangeLog {
  const { changes, channel } = deps;
  const followers: Follower[] = [];
  const listeners = new Set<{ kind: ChangeKind; call: ChangeListener; owed: boolean }>();
  let seq = -1;
  // Ages use the monotonic clock: a step of the wall clock must not keep a deleted client alive.
  let lookedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe: (() => void) | undefined;

  const looks = oneAtATime(async () => {
    const began = performance.now();
    await catchUp();
    for (const follower of followers) await follower.after?.();
    for (const listener of listeners) if (listener.owed) notify(listener, undefined);
    lookedAt = began;
  });
  const check = looks.next;

  async function catchUp(): Promise<void> {
    const latest = await changes.latest();
    if (latest === seq) return;
    for (const follower of followers) follower.begin?.();
    const news = seq < 0 || latest < seq ? undefined : await since(seq);
    const concerned = followers.flatMap((follower) => {
      const own = news?.filter(({ kind }) => follower.kinds.includes(kind));
      return own?.length === 0 ? [] : [{ follower, own }];
    });
    for (const { follower, own } of concerned) await follower.prepare?.(own);
    // Nothing below awaits.
    for (const { follower, own } of concerned) follower.take(own);
    const first = seq < 0;
    seq = news?.at(-1)?.seq ?? latest;
    if (first) return;
    for (const listener of listeners) {
      if (news === undefined) notify(listener, undefined);
      for (const { kind, id } of news ?? []) if (kind === listener.kind) notify(listener, id);
    }
  }

  async function since(from: number): Promise<readonly Change[] | undefined> {
    const all: Change[] = [];
    for (let at = from; all.length < replayLimit; ) {
      const page = await changes.since(at);
      if (page === undefined) return undefined;
      all.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) return all;
      at = last.seq;
    }
    return undefined;
  }

  function notify(listener: { call: ChangeListener; owed: boolean }, id: string | undefined): void {
    listener.owed = false;
    // Not awaited, or a listener that looks at the log would wait for itself.
    void (async () => listener.call(id))().catch(() => {
      listener.owed = true;
    });
  }

  async function lookAgain(asked: number): Promise<void> {
    await looks.current();
    // The current look may have begun too long ago; a look that begins now is recent enough for this call.
    if (asked - lookedAt >= freshMs) await check();
  }

  const lookQuietly = (): void => void check().catch(() => {});

  return {
    recent() {
      const asked = performance.now();
      return asked - lookedAt < freshMs ? undefined : lookAgain(asked);
    },
    check,
    async changed() {
      // If this look fails, no copy is served until a look succeeds, and that one sees the change.
      await check().catch(() => {});
      channel.publish();
    },
    follow(follower) {
      // It would keep copies from before and never hear of them.
      if (timer || seq >= 0) throw new Error('A follower of the change log comes after its first look.');
      followers.push(follower);
    },
    onChange(kind, call) {
      const listener = { kind, call, owed: false };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    seq: () => seq,
    catchUp,
    since,
    async start() {
      if (timer) return;
      unsubscribe = channel.subscribe(lookQuietly);
      timer = setInterval(() => void looks.current().catch(() => {}), lookEveryMs);
      timer.unref();
      await check();
    },
    close() {
      clearInterval(timer);
      timer = undefined;
      unsubscribe?.();
    },
  };
}

/**
 * Runs `task` at most once at a time. `next` returns a run that begins after the call, shared by all callers until it
 * begins; `current` returns the active run, or starts one.
 */
export function oneAtATime<T>(task: () => Promise<T>): { next(): Promise<T>; current(): Promise<T> } {
  let running: Promise<T> | undefined;
  let queued: Promise<T> | undefined;

  function current(): Promise<T> {
    running ??= task().finally(() => {
      running = undefined;
    });
    return running;
  }

  function next(): Promise<T> {
    if (!running) return current();
    queued ??= running
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        queued = undefined;
        return current();
      });
    return queued;
  }

  return { next, current };
}
