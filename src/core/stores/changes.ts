/**
 * The kind decides what `id` holds: a client id, an API identifier, an account's subject; for an ended session its uid,
 * a blank, and its subject or client; for a reload the generation that it filled; for a token see EndedTokenStore; for
 * deliveries that were written their number.
 */
export type ChangeKind = 'client' | 'api' | 'key' | 'reload' | 'account' | 'session' | 'token' | 'delivery';

/**
 * The change log. An entry is written in the transaction of its change. Numbers have no gaps and follow the order in
 * which changes become visible, so a reader that has seen number n has seen every change up to n.
 */
export interface ChangeStore {
  /** The newest number; 0 for an empty log. One cheap read. */
  latest(): Promise<number>;
  /**
   * Changes after `seq`, ascending, at most 1000. Undefined if the log was pruned past `seq` or is another database's.
   */
  since(seq: number): Promise<{ seq: number; kind: ChangeKind; id: string }[] | undefined>;
  note(kind: ChangeKind, id: string): Promise<number>;
  /** Deletes changes noted before this time (seconds). */
  prune(before: number): Promise<void>;
}
