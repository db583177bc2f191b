/** Tells the other processes to look at the change log sooner than they would by themselves. A lost message costs at most a second. */
export interface ChangeChannel {
  publish(): void;
  subscribe(listener: () => void): () => void;
}
