/** Refusal records: why a request was refused, for the integrator and the operator who look it up by its reference. */

export interface RefusalRow {
  /** Unique; the id of the request that was refused. */
  readonly reference: string;
  /** Milliseconds: when the first and the last request of this kind were refused. */
  readonly atMs: number;
  readonly lastMs: number;
  /** How many requests this record stands for. */
  readonly times: number;
  /** For example `token`; the closed list is in core/refusals. */
  readonly endpoint: string;
  /** The client that the request named, registered here or not; null where it named none. */
  readonly clientId: string | null;
  /** Whose quota the record counts for: the id of a registered client, or '' for all others together. */
  readonly scope: string;
  readonly address: string | null;
  /** The network of the address: records are evicted by network. */
  readonly network: string;
  /** The check that failed; the closed list is in core/refusals. */
  readonly check: string;
  readonly status: number;
  /** The error code of the answer. */
  readonly error: string;
  readonly expected: string | null;
  readonly received: string | null;
  /** The nearest value that would have passed. */
  readonly nearest: string | null;
  readonly advice: string;
}

export interface RefusalRepeat {
  readonly reference: string;
  readonly times: number;
  readonly lastMs: number;
}

export interface RefusalStore {
  /** Writes new records and adds to the counts of earlier ones, in one transaction. A reference that is taken is left as it is. */
  write(rows: readonly RefusalRow[], repeats: readonly RefusalRepeat[]): Promise<void>;
  find(reference: string): Promise<RefusalRow | undefined>;
  /** Newest first, last refused before `beforeMs`; `limit` at most 1000. */
  list(filter: { readonly clientId?: string; readonly beforeMs?: number }, limit: number): Promise<RefusalRow[]>;
  /**
   * Brings a scope down to `most` records: again and again the oldest of the network that has most of them goes, so that one
   * source cannot displace what others left. Returns how many went.
   */
  trim(scope: string, most: number): Promise<number>;
  /** The same for all scopes together: the scope that has most records gives. */
  trimAll(most: number): Promise<number>;
  /** Removes at most `limit` records last refused before `beforeMs`; returns how many. */
  prune(beforeMs: number, limit: number): Promise<number>;
}
