/**
 * Wakes the other processes to read the change log before their next poll. A lost message delays them by at most a
 * second.
 */
export interface ChangeChannel {
  publish(): void;
  subscribe(listener: () => void): () => void;
}
