/**
 * Clients from memory. Looking one up asks this process's own copies, then the shared cache (if there is one), then SQL;
 * the APIs are held here too. It decides how old a copy may be and nothing else: it never writes a client.
 *
 * One rule: own copies are served only while the last successful look at the change log began less than a second ago. A
 * timer looks every 400 ms, a message on the channel makes it look sooner, and a look-up that finds the last look too old
 * waits for a new one. So a client that was changed or deleted anywhere (another node, the CLI, a worker without Redis) is
 * refused here within a second, or `Unavailable` is thrown because nobody can know.
 *
 *     find ── looked < 1 s ago ── own copy ── shared cache, if it has caught up with the log ── SQL
 *     look ── latest? ── since(seq): drop those copies ── shared cache behind the log? remove those, mark it caught up
 *
 * Three races decide the details below:
 * - A slow read must not bring back what a change has just dropped: a load that began before the drop is not kept.
 * - The shared cache is believed only after it was asked, in the same look, how far it has caught up. While a look is under
 *   way it is not used at all, and what was loaded across a look is not written to it (ClientCache.put refuses the rest).
 * - A client deleted while the cache was out of reach is still in it afterwards: whoever sees that it is behind removes what
 *   has changed since, before anybody reads from it.
 */
import { nowMs } from '../../base/clock.ts';
import { createLru } from '../../base/lru.ts';
import type { Metrics } from '../../base/metrics.ts';
import { type ChangeLog, oneAtATime } from '../changes/change-log.ts';
import type { ApiRecord, ApiStore } from '../stores/apis.ts';
import type { ChangeStore } from '../stores/changes.ts';
import type { ClientCache } from '../stores/client-cache.ts';
import type { ClientRecord, ClientStore } from '../stores/clients.ts';

export interface CachedClients {
  /**
   * The client, disabled ones included, at most a second behind the database; undefined where there is none.
   * Throws `Unavailable` where neither a copy may be served nor the database answers. An object once returned never changes.
   */
  find(id: string): Promise<ClientRecord | undefined>;
  /** The stored APIs as of the last look; the same array until they change. Empty before the first look. */
  apis(): readonly ApiRecord[];
  /**
   * Reads every client from the database into the shared cache, has every process drop its copies, and returns how many
   * there are. Calls that come while one runs share the next run. Throws `Unavailable`; then nothing has been dropped.
   */
  reload(): Promise<number>;
}

interface CachedClientsDeps {
  readonly clients: Pick<ClientStore, 'find' | 'list'>;
  readonly apis: Pick<ApiStore, 'list'>;
  readonly changes: Pick<ChangeStore, 'note'>;
  readonly log: ChangeLog;
  readonly cache?: ClientCache | undefined;
  /** Copies kept in this process, and unknown ids remembered. */
  readonly copies?: number;
  /** Counts each look-up that is answered; those that wait for one load are one. */
  readonly metrics?: Pick<Metrics, 'count'>;
}

type CacheState = { readonly generation: number; readonly appliedSeq: number };

/** The shared cache as one look found it. A new object for each look: its identity says whether another look came between. */
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

const nobody: Promise<undefined> = Promise.resolve(undefined);
/** What may be an id at all: the rest must not reach a database (text there cannot hold U+0000). */
const possibleId = /^[\x21-\x7e]{1,255}$/;

export function createCachedClients(deps: CachedClientsDeps): CachedClients {
  const { clients, changes, log, cache, metrics } = deps;
  const copies = createLru<Promise<ClientRecord>>(deps.copies ?? 10_000);
  const unknown = createLru<true>(deps.copies ?? 10_000);
  const loads = new Map<string, Load>();
  let shared: Shared | undefined;
  /** The newest generation of the shared cache that this process has heard of. */
  let generationSeen = 0;
  /** The state in which it was last believed. */
  let believed = { generation: 0, appliedSeq: 0 };
  let apis: readonly ApiRecord[] = [];

  // ---- looking things up --------------------------------------------------------------------------------------------

  // Not an async function: a hit returns a promise that is already there.
  function find(id: string): Promise<ClientRecord | undefined> {
    const asked = performance.now();
    const look = log.recent();
    return look === undefined ? (known(id) ?? load(id, asked)) : look.then(() => known(id) ?? load(id, asked));
  }

  /** What is known without asking: the copy, or that there is nobody of this name. */
  function known(id: string): Promise<ClientRecord | undefined> | undefined {
    const copy = copies.get(id);
    if (copy !== undefined) {
      metrics?.count('client_lookups_total', { from: 'process' });
      return copy;
    }
    if (!unknown.get(id) && possibleId.test(id)) return undefined;
    metrics?.count('client_lookups_total', { from: 'none' });
    return nobody;
  }

  async function load(id: string, asked: number): Promise<ClientRecord | undefined> {
    const running = loads.get(id) ?? beginLoad(id, shared);
    const client = await running.result;
    if (!running.overtaken) return client;
    // It may be an older state than this call is entitled to. One that begins now and reads SQL is not, whatever overtakes it.
    const again = loads.get(id);
    return again && again.began > asked ? again.result : beginLoad(id, undefined).result;
  }

  function beginLoad(id: string, from: Shared | undefined): Load {
    const load: Load = { began: performance.now(), overtaken: false, result: nobody };
    load.result = read().finally(() => {
      if (loads.get(id) === load) loads.delete(id);
    });
    loads.set(id, load);
    return load;

    async function read(): Promise<ClientRecord | undefined> {
      const kept = from && cache ? await cache.get(from.generation, id) : undefined;
      const client = kept ?? (await clients.find(id));
      metrics?.count('client_lookups_total', { from: kept ? 'redis' : client ? 'sql' : 'none' });
      if (load.overtaken) return client;
      if (client) copies.set(id, Promise.resolve(client));
      else unknown.set(id, true);
      if (client && !kept && from && from === shared) void cache?.put(from.generation, client);
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
      // From here until the cache has answered nobody reads from it or writes to it: see the top.
      shared = undefined;
      shared = await believe(cache);
    },
  });

  // ---- the shared cache ---------------------------------------------------------------------------------------------

  /** Asks the cache how far it is, brings it up to the log if it is behind, and returns it if it may be believed. */
  async function believe(cache: ClientCache): Promise<Shared | undefined> {
    let state = await cache.state();
    if (state === undefined) return undefined;
    generationSeen = Math.max(generationSeen, state.generation);
    // It has gone back in time (flushed, or an old replica took over): so may what was read from it since the last look.
    if (isBefore(state, believed)) dropAll();
    // Somebody was quicker than this look; or the cache remembers another database.
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
    // A reload names the generation that it filled. An older one here is what the database was re-read to get rid of.
    const reloadMissed = missed?.some(({ kind, id }) => kind === 'reload' && !(Number(id) <= state.generation));
    const last = missed?.at(-1);
    if (missed === undefined || last === undefined || reloadMissed) return startOver(cache, state.generation);
    const ids = new Set(missed.filter(({ kind }) => kind === 'client').map(({ id }) => id));
    await cache.remove(state.generation, [...ids]);
    await cache.markApplied(last.seq);
  }

  /** An empty generation knows nothing, so it knows nothing wrong. */
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
    // Read from `from` on, so caught up to there and no further: what has changed meanwhile is removed by whoever looks next.
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

/** Never a number that was in use before, even where a flushed cache has forgotten which one that was. */
function generationAfter(generation: number): number {
  return Math.max(generation + 1, nowMs());
}
