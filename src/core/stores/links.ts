import type { JsonObject } from '../../base/json.ts';

/** A one-time link: set-up, invitation, e-mail confirmation, password reset. */
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
  /** Removes the link. Of concurrent calls exactly one gets the row. */
  take(key: string): Promise<LinkRow | undefined>;
  /** Removes all links of one account, for any purpose. */
  removeOf(subject: string): Promise<void>;
  removeAll(purpose: string): Promise<void>;
}
