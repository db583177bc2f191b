import type { ClientRecord } from '../clients.ts';

/** A cache shared by all processes. If it is down, slow or holds invalid data, reads miss; nothing throws. */
export interface ClientCache {
  /** Undefined if the cache cannot be reached. */
  state(): Promise<{ generation: number; appliedSeq: number } | undefined>;
  get(generation: number, id: string): Promise<ClientRecord | undefined>;
  /** Never replaces an entry that has a higher version. */
  put(generation: number, client: ClientRecord): Promise<void>;
  remove(generation: number, ids: readonly string[]): Promise<void>;
  /** Records that the cache reflects all changes up to `seq`. Never lowers the number. */
  markApplied(seq: number): Promise<void>;
  /** Makes `generation` the current one. Never lowers it. */
  raiseGeneration(generation: number, appliedSeq: number): Promise<void>;
}
