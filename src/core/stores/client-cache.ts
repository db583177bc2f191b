import type { ClientRecord } from './clients.ts';

/** A cache shared by processes. Down, slow or poisoned is a miss, never an error. */
export interface ClientCache {
  /** What the cache knows about itself; undefined where it cannot be reached. */
  state(): Promise<{ generation: number; appliedSeq: number } | undefined>;
  get(generation: number, id: string): Promise<ClientRecord | undefined>;
  /** Never replaces an entry of a higher version. */
  put(generation: number, client: ClientRecord): Promise<void>;
  remove(generation: number, ids: readonly string[]): Promise<void>;
  /** Changes up to `seq` have been removed from the cache. Never goes back. */
  markApplied(seq: number): Promise<void>;
  /** Makes `generation` the current one. Never goes back. */
  raiseGeneration(generation: number, appliedSeq: number): Promise<void>;
}
