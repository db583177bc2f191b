/**
 * What is changed anywhere (another node, the command line, a worker without Redis), seen here within a second. One rule for
 * everything this process keeps copies of: a copy is served only while the last successful look at the log of changes began
 * less than a second ago. A timer looks every 400 ms, a message on the channel makes it look sooner, and whoever finds the last
 * look too old waits for a new one, or gets `Unavailable`, because nobody can know.
 *
 * Who keeps copies is a `Follower`. A look is: ask for the newest number; where it has moved, read what lies between, let
 * every follower prepare (it may wait), then have all of them drop their copies in one turn of the event loop: whoever looks
 * something up sees all of these changes or none.
 */
import type { ChangeChannel } from '../stores/change-channel.ts';
import type { ChangeKind, ChangeStore } from '../stores/changes.ts';

type Change = { readonly seq: number; readonly kind: ChangeKind; readonly id: string };

interface Follower {
  /** What it keeps copies of; it hears of no other changes. */
  readonly kinds: readonly ChangeKind[];
  /** There is news: what was read before may be older than it. */
  begin?(): void;
  /** Reads what it will need to take the news in. When it throws, the look fails and is made again. */
  prepare?(news: readonly Change[] | undefined): Promise<void>;
  /** Drops what has changed; undefined: anything may have. Must not wait. */
  take(news: readonly Change[] | undefined): void;
  /** Belongs to every look, with or without news. */
  after?(): Promise<void>;
}

type ChangeListener = (id: string | undefined) => void | Promise<void>;

export interface ChangeLog {
  /** Undefined where copies may be served now; otherwise wait for it first. Throws `Unavailable`. */
  recent(): Promise<void> | undefined;
  /** Looks, beginning after this call. Throws `Unavailable`. */
  check(): Promise<void>;
  /** For whoever has written something that others copy: takes it in here and tells the other processes. Never throws: the write is done. */
  changed(): Promise<void>;
  /** Before the first look. */
  follow(follower: Follower): void;
  /** Calls `listener` after changes of this kind: with the id, or with undefined where any of them may have changed. One that fails is called again. */
  onChange(kind: ChangeKind, listener: ChangeListener): () => void;
  /** Every change up to this number has been taken in; -1 before the first look. */
  seq(): number;
  /** Takes in what has been noted by now, within the look that is under way. */
  catchUp(): Promise<void>;
  /** All changes after `seq`, or undefined where the log does not say or it is too many. */
  since(seq: number): Promise<readonly Change[] | undefined>;
  /** Begins to look regularly; resolves after the first look. */
  start(): Promise<void>;
  close(): void;
}

const freshMs = 1000;
const lookEveryMs = 400;
const pageSize = 1000;
/** Further behind than this it is cheaper to start over than to replay. */
const replayLimit = 10_000;

export function createChangeLog(deps: {
  readonly changes: Pick<ChangeStore, 'latest' | 'since'>;
  readonly channel: ChangeChannel;
}): ChangeLog {
  const { changes, channel } = deps;
  const followers: Follower[] = [];
  const listeners = new Set<{ kind: ChangeKind; call: ChangeListener; owed: boolean }>();
  let seq = -1;
  // Ages are measured on the monotonic clock: a step of the wall clock must not keep a dead client alive.
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
    // Nothing below waits.
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
    // Not waited for, or a listener that itself looks at the log would wait for itself.
    void (async () => listener.call(id))().catch(() => {
      listener.owed = true;
    });
  }

  async function lookAgain(asked: number): Promise<void> {
    await looks.current();
    // The look that was under way may itself have begun too long ago; one that begins now is always recent enough for this call.
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
      // If this look fails, no copy is served before one succeeds, and that one sees the change.
      await check().catch(() => {});
      channel.publish();
    },
    follow: (follower) => void followers.push(follower),
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
 * Runs `task` at most once at a time. `next` is a run that begins after the call, shared by all who ask before it begins;
 * `current` is the one under way, if there is one.
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
