import type { JsonObject } from '../../base/json.ts';

export interface ClientSecret {
  /** SHA-256 of the secret, base64url. It has 128 random bits or more (256 if made here): a slow hash would add nothing. */
  readonly hash: string;
  /** What an operator called it. Absent: the one made at registration, and those that `rotate` made in its place. */
  readonly name?: string;
  readonly createdAt: number;
  /** After this it is refused; null: no end. */
  readonly expiresAt: number | null;
}

/** What a program without a person presents to open a session of its own (core/api-sessions/client-sessions). */
export interface ClientToken {
  /** Its public name, for lists and revocation. */
  readonly id: string;
  /** SHA-256 of the token, base64url. */
  readonly hash: string;
  /** What an admin called it; may be empty. */
  readonly label: string;
  readonly createdAt: number;
  /** Null: until it is revoked. */
  readonly expiresAt: number | null;
}

export interface ClientRecord {
  readonly id: string;
  /** RFC 7591 metadata in its own snake_case names; never holds `client_id` or `client_secret`. */
  readonly metadata: JsonObject;
  /** The newest first; at most ten, ended ones among them. */
  readonly secrets: readonly ClientSecret[];
  /** The newest first; at most twenty. */
  readonly tokens: readonly ClientToken[];
  /** Subject of the account it belongs to, or null for one made by an admin. */
  readonly owner: string | null;
  /** Where it was made. `person`: by its owner, through a program (`POST /client`). */
  readonly origin: 'register' | 'admin' | 'cli' | 'person' | 'built-in';
  /** When an operator took responsibility for it: made it, or looked at it. Null: unreviewed. */
  readonly reviewedAt: number | null;
  /** Refused at every entry point since then: it was disabled itself, or its owner's account is disabled or gone. Never stored. */
  readonly disabledAt: number | null;
  /** Disabled itself, whatever its owner's account is. */
  readonly ownDisabledAt: number | null;
  /** Rises by one with each change of this client; 1 at creation. */
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ClientStore {
  /**
   * False where the id is taken, or the owner's account is disabled or gone, also under concurrent calls. Notes the change (see
   * ChangeStore) in the same transaction, as do update and delete.
   */
  insert(client: ClientRecord): Promise<boolean>;
  find(id: string): Promise<ClientRecord | undefined>;
  /** Replaces metadata, secrets, tokens, owner, reviewedAt and ownDisabledAt if the stored version is still `client.version - 1`. */
  update(client: ClientRecord): Promise<boolean>;
  /** Removes the client with all its grants, tokens, sessions and consents in one transaction. */
  delete(id: string): Promise<boolean>;
  /** By id, ascending, those greater than `after` ('' for the first page), `limit` at most 1000. */
  list(after: string, limit: number): Promise<ClientRecord[]>;
  /** The same of those that are this person's. */
  listOwned(owner: string, after: string, limit: number): Promise<ClientRecord[]>;
  count(): Promise<number>;
}
