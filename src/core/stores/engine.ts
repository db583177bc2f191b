import type { Account } from './accounts.ts';
import type { AuditEvent } from './audit.ts';
import type { EndedPart } from './deliveries.ts';

/** Codes, tokens, interactions and the engine's other records that a caller presents by value. */
export interface TokenRow {
  /** SHA-256 of the value that the holder presents, base64url. The payload never holds the value. */
  readonly key: string;
  /** The engine's model name: AuthorizationCode, RefreshToken, AccessToken, ClientCredentials, Interaction … */
  readonly kind: string;
  /** JSON text. */
  readonly payload: string;
  readonly grantId: string | null;
  readonly clientId: string | null;
  readonly subject: string | null;
  readonly sessionUid: string | null;
  /** Null: does not expire by itself. */
  readonly expiresAt: number | null;
}

export interface StoredToken extends TokenRow {
  readonly consumedAt: number | null;
  /** Key of the refresh token that replaced this one. */
  readonly successorKey: string | null;
  /** The successor's value, sealed under a key derived from this token's value. */
  readonly successorSealed: string | null;
  /** How often the successor was returned again. */
  readonly repeats: number;
  /** The value of `repeats` at which that was noted as unusual. */
  readonly repeatsNoted: number | null;
  /** Whether the successor has been used. */
  readonly successorConsumed: boolean;
}

export interface GrantRow {
  /** The engine's grant id: a name, not a credential. */
  readonly id: string;
  readonly clientId: string;
  readonly subject: string;
  readonly payload: string;
  readonly expiresAt: number;
}

/** A grant to write. */
export interface GrantPut extends GrantRow {
  /**
   * What must still exist, so that a concurrent revocation is not undone. `grant`: the grant itself. `consent`: the
   * stored consent that the grant is made from. Left out: the user consents now.
   */
  readonly rests?: 'grant' | 'consent' | undefined;
}

/** Where a session comes from. Shown to its user; also decides which sessions end together. */
export interface SessionOrigin {
  /** `browser`, or the name of the API surface. */
  readonly door: string;
  /** The client of a session without a user. */
  readonly clientId: string | null;
  /** IP address and user agent of the latest sign-in or refresh. */
  readonly address: string | null;
  readonly userAgent: string | null;
}

interface SessionRow {
  /** SHA-256 of the cookie's value; for an API session, of a value that only this server can derive. */
  readonly key: string;
  /** Stays when the cookie's value rotates. One row per uid. */
  readonly uid: string;
  readonly subject: string | null;
  /** JSON text. */
  readonly payload: string;
  /** Client id -> grant id, to read a session together with the requesting client's grant. */
  readonly grants: Readonly<Record<string, string>>;
  /** Client id -> `sid`, the session's name in the ID tokens of that client. */
  readonly sids: Readonly<Record<string, string>>;
  readonly expiresAt: number;
  readonly origin: SessionOrigin;
}

/** A session to write. */
export interface SessionPut extends SessionRow {
  /**
   * The payload that this one was made from; null for a new session. The row is written only if it still holds that
   * payload, so that a request cannot restore an ended session, and two tabs cannot undo each other's changes.
   */
  readonly before: string | null;
  /** Clients whose part of the session ends with this write; those with a back-channel logout URI get a delivery. */
  readonly left?: readonly EndedPart[];
}

export interface StoredSession extends SessionRow {
  /** Start of the absolute lifetime. Later writes of the same uid keep it. */
  readonly createdAt: number;
  readonly lastSeenAt: number | null;
}

/** A token and everything that decides whether it is valid, read by one statement. */
export interface TokenBundle {
  readonly token: StoredToken;
  readonly grant: GrantRow | undefined;
  readonly account: Account | undefined;
  /** The session of `token.sessionUid`. */
  readonly session: StoredSession | undefined;
}

export interface SessionBundle {
  readonly session: StoredSession;
  readonly account: Account | undefined;
  /** The session's grant for the requested client. */
  readonly grant: GrantRow | undefined;
}

interface Consumption {
  readonly key: string;
  readonly at: number;
  readonly successor?: { readonly key: string; readonly sealed: string };
}

/**
 * What one request writes, atomically. The outcome is `spent`, and nothing is written, if `account` has changed, an
 * existing session is gone, what a grant rests on is gone, or a token names a grant that is neither stored nor in
 * `grants`. A revocation during the commit may leave a token without its grant or session. Readers refuse such a token.
 */
export interface Unit {
  /**
   * The account must still exist, be enabled and have this password hash. The commit locks it, so that a password
   * change comes either before the sign-in, which then fails, or after it, and then ends its session.
   */
  readonly account?: { readonly subject: string; readonly passwordHash: string | null };
  /**
   * The single-use tokens that this request consumes, each once. The unit commits only if all of them are unused. Only
   * the first may have a successor.
   */
  readonly consume?: readonly Consumption[];
  /** A consumed token that returns its successor again: counts it. `elsewhere`: to a second network. */
  readonly repeat?: { readonly key: string; readonly elsewhere: boolean };
  /** Inserted or replaced by key, never a consumed one. A replaced row keeps `consumedAt` and its successor. */
  readonly tokens?: readonly TokenRow[];
  readonly grants?: readonly GrantPut[];
  /** A session with a new key and a stored uid replaces that row: the old cookie value stops working. */
  readonly sessions?: readonly SessionPut[];
  /** Audit records, stored if and only if the unit commits (core/kernel/audit `carried`). */
  readonly audit?: readonly AuditEvent[];
}

export interface Shared {
  readonly repeats: number;
  /** To a second network. */
  readonly elsewhere: boolean;
}

export type CommitOutcome =
  /** `overtaken`: all but the session was written, because another request changed it. Read it again and merge. */
  | {
      readonly outcome: 'committed';
      readonly overtaken?: true;
      /** At the one `repeat` of a token that makes it unusual: more than two before it, or one to a second network. */
      readonly shared?: Shared;
    }
  /**
   * Nothing was written: `token`, the first of those to consume that was used before; or (undefined) a token or another
   * precondition of the unit is gone.
   */
  | { readonly outcome: 'spent'; readonly token: StoredToken | undefined };

export interface GrantBundle {
  readonly grant: GrantRow;
  readonly account: Account | undefined;
  readonly session: StoredSession | undefined;
}

export interface EngineStore {
  /**
   * Commits one unit atomically and durably. Concurrent units may share a statement or transaction, but never fail each
   * other. Of concurrent units that consume the same key, exactly one commits, with all keys of that unit.
   */
  commit(unit: Unit): Promise<CommitOutcome>;
  /** May return an expired row: the reader checks. One round trip. */
  readToken(key: string): Promise<TokenBundle | undefined>;
  /** One round trip. */
  readSession(key: string, clientId: string | undefined): Promise<SessionBundle | undefined>;
  readSessionByUid(uid: string): Promise<SessionBundle | undefined>;
  /** The grant, its account, and the session with this uid, in one round trip. */
  readGrant(id: string, sessionUid?: string): Promise<GrantBundle | undefined>;
  /**
   * For replay detection. Returns false if the key is stored and unexpired at `now`. Of concurrent calls one gets true.
   */
  insertOnce(row: TokenRow, now: number): Promise<boolean>;
  deleteToken(key: string): Promise<void>;
  /**
   * Ends the session with this uid, whatever its cookie's value, and notes the change. Returns false if there is none.
   */
  deleteSession(uid: string): Promise<boolean>;
  /** The user's sessions before `before`, newest first, expired ones included; `limit` is at most 1000. */
  listSessions(subject: string, limit: number, before?: { createdAt: number; uid: string }): Promise<StoredSession[]>;
  /** Uids that begin with `prefix` (letters, digits, hyphens), without the alphabetically last `kept`; at most 20. */
  sessionsBeyond(prefix: string, kept: number): Promise<string[]>;
  /** Moves `lastSeenAt` forward, in one transaction. Skips unknown uids. */
  touchSessions(marks: readonly { uid: string; at: number }[]): Promise<void>;
  /**
   * Removes the grant and all its tokens, in one transaction. Returns false if there is no such grant. Of concurrent
   * calls one gets true.
   */
  revokeGrant(id: string): Promise<boolean>;
  /** The user's grants, newest first, expired ones included; `limit` is at most 1000. */
  listGrants(subject: string, limit: number): Promise<GrantRow[]>;
  /**
   * Removes the user's consent, grants and tokens for the client, in one transaction. Returns false if there were none.
   */
  revokeGrantsOf(subject: string, clientId: string): Promise<boolean>;
  /**
   * Removes the account's sessions, grants and tokens, except those of the session `keepUid`, in one transaction. Notes
   * a change of the account.
   */
  endAll(subject: string, keepUid?: string): Promise<void>;
  /** Removes up to `limit` rows per table that expired before `before`, and returns how many. Keeps locks short. */
  purgeExpired(before: number, limit: number): Promise<number>;
}
