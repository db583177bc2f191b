import type { JsonObject } from '../../base/json.ts';

export interface ClientSecret {
  /** SHA-256 of the secret, base64url. A secret has at least 128 random bits, so a slow hash would add nothing. */
  readonly hash: string;
  /**
   * The operator's name for it. Absent for the secret from registration and for those that `rotate` put in its place.
   */
  readonly name?: string;
  readonly createdAt: number;
  /** Refused after this time. Null: never expires. */
  readonly expiresAt: number | null;
}

/** A program presents it to open a session without a user (core/api-sessions/client-sessions). */
export interface ClientToken {
  /** Its public name, for lists and revocation. */
  readonly id: string;
  /** SHA-256 of the token, base64url. */
  readonly hash: string;
  /** The administrator's name for it; may be empty. */
  readonly label: string;
  readonly createdAt: number;
  /** Null: valid until revoked. */
  readonly expiresAt: number | null;
}

export interface ClientRecord {
  readonly id: string;
  /** RFC 7591 metadata under its own names, without `client_id` and `client_secret`. */
  readonly metadata: JsonObject;
  /** Newest first, at most ten, expired ones included. */
  readonly secrets: readonly ClientSecret[];
  /** Newest first, at most twenty. */
  readonly tokens: readonly ClientToken[];
  /** Subject of the account that owns it. Null: an administrator's. */
  readonly owner: string | null;
  /**
   * How it was registered. `person`: by its owner, through `POST /client`. `dynamic`: by itself (RFC 7591). `metadata`:
   * by the document at its id.
   */
  readonly origin: 'register' | 'admin' | 'cli' | 'person' | 'dynamic' | 'metadata' | 'built-in';
  /** When an operator registered or reviewed it. Null: unreviewed. */
  readonly reviewedAt: number | null;
  /**
   * Refused everywhere since then: the client is disabled, or its owner is disabled or gone. Computed, never stored.
   */
  readonly disabledAt: number | null;
  /** When the client itself was disabled, whatever the state of its owner. */
  readonly ownDisabledAt: number | null;
  /** Of a client of origin `metadata`. */
  readonly document?: ClientDocument | null;
  /** 1 at creation; each change raises it by one. */
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The state of the document that describes a client. Times in seconds since the epoch. */
export interface ClientDocument {
  /** When the last good copy was read. */
  readonly fetchedAt: number;
  readonly freshUntil: number;
  /** The first fetch without success since then. */
  readonly failingSince: number | null;
  /** The document is gone or invalid. */
  readonly ended: { readonly at: number; readonly reason: string } | null;
  /** An operator gave this copy. It is never fetched. */
  readonly pinned?: true;
}

export interface ClientStore {
  /**
   * Returns false if the id is taken, or the owner is disabled or gone, also under concurrent calls. Notes the change
   * (ChangeStore) in the same transaction, as `update` and `delete` do.
   */
  insert(client: ClientRecord): Promise<boolean>;
  find(id: string): Promise<ClientRecord | undefined>;
  /**
   * Replaces everything but id, origin and createdAt, if the stored version is still `client.version - 1`.
   * `endConsents`: also removes the client's consents, grants and tokens, in the same transaction.
   */
  update(client: ClientRecord, options?: { readonly endConsents?: boolean }): Promise<boolean>;
  /** Removes the client with its grants, tokens, sessions and consents, in one transaction. */
  delete(id: string): Promise<boolean>;
  /** Clients with an id greater than `after` ('' for the first page), ascending; `limit` is at most 1000. */
  list(after: string, limit: number): Promise<ClientRecord[]>;
  /** As `list`, of one owner. */
  listOwned(owner: string, after: string, limit: number): Promise<ClientRecord[]>;
  count(): Promise<number>;
}
