/** Refusal records say why a request was refused. Integrators and operators look them up by reference. */

export interface RefusalRow {
  /** Unique: the id of the refused request. */
  readonly reference: string;
  /** When the first request of this kind was refused, and in `lastMs` the last; milliseconds. */
  readonly atMs: number;
  readonly lastMs: number;
  /** Number of requests that this record covers. */
  readonly times: number;
  /** For example `token`. core/refusals lists all endpoints. */
  readonly endpoint: string;
  /** The client id in the request, registered or not. Null: the request had none. */
  readonly clientId: string | null;
  /** The quota that the record counts for: a registered client's id, or '' for all other requests. */
  readonly scope: string;
  readonly address: string | null;
  /** Network of the address. Records are evicted by network. */
  readonly network: string;
  /** The check that failed. core/refusals lists all checks. */
  readonly check: string;
  readonly status: number;
  /** Error code of the response. */
  readonly error: string;
  readonly expected: string | null;
  readonly received: string | null;
  /** The closest value that would have passed. */
  readonly nearest: string | null;
  readonly advice: string;
}

export interface RefusalRepeat {
  readonly reference: string;
  readonly times: number;
  readonly lastMs: number;
}

export interface RefusalStore {
  /**
   * Writes new records and adds to the counts of stored ones, in one transaction. Keeps a record whose reference
   * exists.
   */
  write(rows: readonly RefusalRow[], repeats: readonly RefusalRepeat[]): Promise<void>;
  find(reference: string): Promise<RefusalRow | undefined>;
  /** Records last refused before `beforeMs`, newest first; `limit` is at most 1000. */
  list(filter: { readonly clientId?: string; readonly beforeMs?: number }, limit: number): Promise<RefusalRow[]>;
  /**
   * Trims a scope to `most` records and returns how many it removed. Each time it removes the oldest record of the
   * network with the most records, so that one source cannot displace the records of others.
   */
  trim(scope: string, most: number): Promise<number>;
  /** As `trim`, over all scopes: removes from the scope with the most records. */
  trimAll(most: number): Promise<number>;
  /** Removes up to `limit` records last refused before `beforeMs`. Returns how many. */
  prune(beforeMs: number, limit: number): Promise<number>;
}
