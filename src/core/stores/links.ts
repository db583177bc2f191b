import type { JsonObject } from '../../base/json.ts';

/** One-time links: set-up, later invitations and resets. */
export interface LinkRow {
  /** SHA-256 of the link's token. */
  readonly key: string;
  readonly purpose: string;
  readonly subject: string | null;
  readonly detail: JsonObject;
  readonly expiresAt: number;
}

export interface LinkStore {
  insert(link: LinkRow): Promise<void>;
  find(key: string): Promise<LinkRow | undefined>;
  /** Removes it; of concurrent calls exactly one gets the row. */
  take(key: string): Promise<LinkRow | undefined>;
  /** Those of one account, whatever for. */
  removeOf(subject: string): Promise<void>;
  removeAll(purpose: string): Promise<void>;
}
