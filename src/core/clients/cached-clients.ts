/**
 * A cache of clients and APIs: copies in this process, then the shared cache (if there is one), then SQL. Copies are
 * served only while the change log is recent (core/changes/change-log), so a change made anywhere shows here within a
 * second, or `Unavailable` is thrown. Three races shape the code:
 * - A slow read must not restore a copy that a change has dropped: a load that began before the drop is not kept.
 * - The shared cache is used only after the latest look has asked how far it has caught up. During a look it is not
 *   used, and a load that spans a look is not written to it (ClientCache.put refuses the rest).
 * - A client deleted while the cache was unreachable is still in it. The process that finds the cache behind removes
 *   what has changed since, before any read.
 */
import { nowMs } from '../../base/clock.ts';
import { createLru } from '../../base/lru.ts';
import type { Metrics } from '../../base/metrics.ts';
import { type ChangeLog, oneAtATime } from '../changes/change-log.ts';
import type { ApiRecord, ApiStore } from '../stores/apis.ts';
import type { ChangeStore } from '../stores/changes.ts';
import type { ClientRecord, ClientStore } from '../stores/clients.ts';
import type { ClientCache } from '../stores/volatile/client-cache.ts';
import { withinCeiling } from './metadata/scope-ceiling.ts';

export interface CachedClients {
  /**
   * Disabled clients included, at most a second behind the database. Throws `Unavailable` if no copy may be served and
   * the database does not answer. A returned object never changes.
   */
  find(id: string): Promise<ClientRecord | undefined>;
  /** The stored APIs as of the last look; the same array until they change. Empty before the first look. */
  apis(): readonly ApiRecord[];
  /**
   * Reads all clients from the database into the shared cache, makes all processes drop their copies, and returns the
   * number of clients. Concurrent calls share the next run. If it throws `Unavailable`, nothing was dropped.
   */
  reload(): Promise<number>;
}

interface CachedClientsDeps {
  readonly clients: Pick<ClientStore, 'find' | 'list'>;
  readonly apis: Pick<ApiStore, 'list'>;
  readonly changes: Pick<ChangeStore, 'note'>;
  readonly log: ChangeLog;
  readonly cache?: ClientCache | undefined;
  /** The scopes that clients which registered themselves may have at most. Undefined: all. */
  readonly scopeCeiling?: readonly string[] | undefined;
  /** The maximum of copies in this process, and of unknown ids. */
  readonly copies?: number;
  /** Counts each answered lookup; lookups that share a load count once. */
  readonly metrics?: Pick<Metrics, 'count'>;
}

type CacheState = { readonly generation: number; readonly appliedSeq: number };

/** The shared cache as one look found it. Each look makes a new object, so another identity means another look. */
interface Shared {
  readonly generation: number;
}

interface Load {
  readonly began: number;
  result: Promise<ClientRecord | undefined>;
  /** The client may have changed since the load began. */
  overtaken: boolean;
}

const pageSize = 1000;

const noClient: Promise<undefined> = Promise.resolve(undefined);
/** The form of an id. Other texts must not reach the database, where text cannot hold U+0000. */
const possibleId = /^[\x21-\x7e]{1,255}$/;

export function createCachedClients(deps: CachedClientsDeps): CachedClients {
  const { clients, changes, log, cache, metrics } = deps;
  const copies = createLru<Promise<ClientRecord>>(deps.copies ?? 10_000);
  const unknown = createLru<true>(deps.copies ?? 10_000);
  const loads = new Map<string, Load>();
  let shared: Shared | undefined;
  /** The newest generation of the shared cache that this process has seen. */
  let generationSeen = 0;
  /** The state of the shared cache when it was last trusted. */
  let believed = { generation: 0, appliedSeq: 0 };
  let apis: readonly ApiRecord[] = [];

  // ---- looking things up --------------------------------------------------------------------------------------------

  // Not async: a hit returns the stored promise.
  function find(id: string): Promise<ClientRecord | undefined> {
    const asked = performance.now();
    const look = log.recent();
    return look === undefined ? (known(id) ?? load(id, asked)) : look.then(() => known(id) ?? load(id, asked));
  }

  /** The copy, or `noClient` if the id is known to be unknown. Returns undefined if a load is needed. */
  function known(id: string): Promise<ClientRecord | undefined> | undefined {
    const copy = copies.get(id);
    if (copy !== undefined) {
      metrics?.count('client_lookups_total', { from: 'process' });
      return copy;
    }
    if (!unknown.get(id) && possibleId.test(id)) return undefined;
    metrics?.count('client_lookups_total', { from: 'none' });
    return noClient;
  }

  async function load(id: string, asked: number): Promise<ClientRecord | undefined> {
    const running = loads.get(id) ?? beginLoad(id, shared);
    const client = await running.result;
    if (!running.overtaken) return client;
    // The result may be too old for this call. A load from SQL that begins now is recent enough, even if overtaken.
    const again = loads.get(id);
    return again && again.began > asked ? again.result : beginLoad(id, undefined).result;
  }

  function beginLoad(id: string, from: Shared | undefined): Load {
    const load: Load = { began: performance.now(), overtaken: false, result: noClient };
    load.result = read().finally(() => {
      if (loads.get(id) === load) loads.delete(id);
    });
    loads.set(id, load);
    return load;

    async function read(): Promise<ClientRecord | undefined> {
      const kept = from && cache ? await cache.get(from.generation, id) : undefined;
      const stored = kept ?? (await clients.find(id));
      metrics?.count('client_lookups_total', { from: kept ? 'redis' : stored ? 'sql' : 'none' });
      const client = stored && withinCeiling(stored, deps.scopeCeiling);
      if (load.overtaken) return client;
      if (client) copies.set(id, Promise.resolve(client));
      else unknown.set(id, true);
      if (stored && !kept && from && from === shared) void cache?.put(from.generation, stored);
      return client;
    }
  }

  function drop(id: string): void {
    copies.delete(id);
    unknown.delete(id);
    const load = loads.get(id);
    if (load) load.overtaken = true;
    loads.delete(id);
  }

  function dropAll(): void {
    copies.clear();
    unknown.clear();
    for (const load of loads.values()) load.overtaken = true;
    loads.clear();
  }

  // ---- the change log -----------------------------------------------------------------------------------------------

  log.follow({
    kinds: ['client', 'api', 'reload'],
    begin() {
      shared = undefined;
    },
    async prepare(news) {
      if (news === undefined || news.some((change) => change.kind === 'api' || change.kind === 'reload')) {
        apis = await deps.apis.list();
      }
    },
    take(news) {
      if (news === undefined) dropAll();
      for (const { kind, id } of news ?? []) {
        if (kind === 'client') drop(id);
        if (kind === 'reload') dropAll();
      }
    },
    async after() {
      if (!cache) return;
      // Until the cache has answered, no request reads or writes it: see the header.
      shared = undefined;
      shared = await believe(cache);
    },
  });

  // ---- the shared cache ---------------------------------------------------------------------------------------------

  /** Asks how far the cache has caught up, updates it if it is behind the log, and returns it if it can be trusted. */
  async function believe(cache: ClientCache): Promise<Shared | undefined> {
    let state = await cache.state();
    if (state === undefined) return undefined;
    generationSeen = Math.max(generationSeen, state.generation);
    // The cache went back in time (flushed, or an old replica took over), so copies from it may be outdated.
    if (isBefore(state, believed)) dropAll();
    // Another process was faster than this look, or the cache belongs to another database.
    if (state.appliedSeq > log.seq()) await log.catchUp();
    if (state.appliedSeq > log.seq()) await startOver(cache, state.generation);
    else if (state.appliedSeq < log.seq()) await catchUp(cache, state);
    else return trust(state);
    state = await cache.state();
    return state && state.appliedSeq >= log.seq() ? trust(state) : undefined;
  }

  function trust(state: CacheState): Shared {
    believed = state;
    return { generation: state.generation };
  }

  async function catchUp(cache: ClientCache, state: CacheState): Promise<void> {
    const missed = await log.since(state.appliedSeq);
    // A reload names the generation that it filled. Entries of older generations are those that it replaces.
    const reloadMissed = missed?.some(({ kind, id }) => kind === 'reload' && !(Number(id) <= state.generation));
    const last = missed?.at(-1);
    if (missed === undefined || last === undefined || reloadMissed) return startOver(cache, state.generation);
    const ids = new Set(missed.filter(({ kind }) => kind === 'client').map(({ id }) => id));
    await cache.remove(state.generation, [...ids]);
    await cache.markApplied(last.seq);
  }

  /** An empty generation holds no outdated entries. */
  async function startOver(cache: ClientCache, generation: number): Promise<void> {
    await cache.raiseGeneration(generationAfter(generation), log.seq());
  }

  const reloads = oneAtATime(async () => {
    await log.check();
    const from = log.seq();
    const generation = generationAfter(generationSeen);
    let loaded = 0;
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: ClientRecord[] = await clients.list(after, pageSize);
      loaded += page.length;
      if (cache) await Promise.all(page.map((client) => cache.put(generation, client)));
      after = page.length < pageSize ? undefined : page.at(-1)?.id;
    }
    // The read began after `from`, so the cache counts as caught up to `from`: the next look removes later changes.
    await cache?.raiseGeneration(generation, from);
    await changes.note('reload', String(generation));
    await log.changed();
    return loaded;
  });

  return { find, apis: () => apis, reload: reloads.next };
}

function isBefore(a: CacheState, b: CacheState): boolean {
  return a.generation < b.generation || (a.generation === b.generation && a.appliedSeq < b.appliedSeq);
}

/** A number that was never used before, even if a flushed cache has forgotten the last one. */
function generationAfter(generation: number): number {
  return Math.max(generation + 1, nowMs());
}
