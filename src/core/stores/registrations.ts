import type { ClientRecord } from './clients.ts';

/** What clients that register themselves may ask for. Null: what the settings say. */
export interface RegistrationPolicy {
  readonly scopes: readonly string[] | null;
  /** Hosts of redirect URIs; `*.example.com` names all hosts below it. */
  readonly redirectHosts: readonly string[] | null;
  /** Private-use schemes, besides those of the settings. */
  readonly redirectSchemes: readonly string[];
  readonly grants: readonly string[] | null;
  /** The operator vouches for these clients: they are reviewed at once and do not expire. */
  readonly reviewed: boolean;
}

/** An operator's token with which clients register themselves (RFC 7591, section 3). */
export interface InitialToken {
  /** Its public name, for lists and revocation. */
  readonly id: string;
  /** SHA-256 of the token, base64url. */
  readonly hash: string;
  /** The operator's name for it; may be empty. */
  readonly label: string;
  readonly policy: RegistrationPolicy;
  /** Null: no limit. */
  readonly usesMax: number | null;
  readonly uses: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
}

/** The registration of a client that registered itself. It ends with the client. */
export interface Registration {
  readonly clientId: string;
  /** SHA-256 of the registration access token (RFC 7592), base64url. */
  readonly tokenHash: string;
  /** Id of the initial access token, which may be revoked by now. Null: registration was open. */
  readonly initialToken: string | null;
  /** Of the initial access token, at the registration. Null: the settings alone. */
  readonly policy: RegistrationPolicy | null;
  readonly createdAt: number;
  /** The last token, with a precision of an hour. Null: the client never completed an authorization. */
  readonly lastUsedAt: number | null;
}

export interface ExpiryTimes {
  /** A client without any token or consent expires if it was registered before. */
  readonly unusedBefore: number;
  /** Another client expires if its last token and the last use of each consent are before. */
  readonly idleBefore: number;
}

export interface RegistrationStore {
  /**
   * Inserts the client and its registration, and counts a use of the initial token, in one transaction. Writes nothing
   * if the id is taken, `most` clients are registered, or the token is used up, expired or gone. Exact under concurrent
   * calls.
   */
  insert(
    client: ClientRecord,
    registration: Registration,
    most: number,
  ): Promise<'inserted' | 'taken' | 'full' | 'spent'>;
  find(clientId: string): Promise<Registration | undefined>;
  /** Moves `lastUsedAt` forward. Ignores clients without a registration. */
  touch(marks: readonly { readonly clientId: string; readonly at: number }[]): Promise<void>;
  count(): Promise<number>;
  /**
   * Deletes at most `limit` unreviewed clients that have expired, with all that belongs to them, in one transaction.
   * Returns their ids.
   */
  expire(times: ExpiryTimes, limit: number): Promise<string[]>;

  insertToken(token: InitialToken): Promise<void>;
  findToken(hash: string): Promise<InitialToken | undefined>;
  /** The newest first. */
  listTokens(limit: number): Promise<InitialToken[]>;
  /** Returns false if there is none. Clients that used it stay. */
  removeToken(id: string): Promise<boolean>;
}
