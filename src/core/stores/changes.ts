/**
 * What `id` is: of a client its id, of an account its subject, of an ended session its uid, a space, and the subject or client
 * whose it was; of a reload the generation of the shared cache that it filled; of a token what EndedTokenStore says.
 */
export type ChangeKind = 'client' | 'api' | 'key' | 'reload' | 'account' | 'session' | 'token';

/**
 * A log of changes, written in the transaction of the change itself, numbered without gaps in the order in which they
 * become visible: whoever has seen number n has seen every change up to n.
 */
export interface ChangeStore {
  /** The newest number; 0 for an empty log. One cheap read. */
  latest(): Promise<number>;
  /** Changes after `seq`, ascending, at most 1000; undefined where the log does not reach from there: pruned, or another database. */
  since(seq: number): Promise<{ seq: number; kind: ChangeKind; id: string }[] | undefined>;
  note(kind: ChangeKind, id: string): Promise<number>;
  /** Forgets changes noted before this time (seconds). */
  prune(before: number): Promise<void>;
}
