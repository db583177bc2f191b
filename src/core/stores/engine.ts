import type { Account } from './accounts.ts';
import type { AuditEvent } from './audit.ts';

/** Codes, tokens, interactions and other single records of the engine: whatever a caller presents by value. */
export interface TokenRow {
  /** SHA-256 of the value that the holder presents (base64url). The payload never holds that value. */
  readonly key: string;
  /** The engine's model name: AuthorizationCode, RefreshToken, AccessToken, ClientCredentials, Interaction … */
  readonly kind: string;
  /** JSON text. */
  readonly payload: string;
  readonly grantId: string | null;
  readonly clientId: string | null;
  readonly subject: string | null;
  readonly sessionUid: string | null;
  /** Null: no end of its own. */
  readonly expiresAt: number | null;
}

export interface StoredToken extends TokenRow {
  readonly consumedAt: number | null;
  /** Key of the refresh token that took this one's place. */
  readonly successorKey: string | null;
  /** The successor's value, sealed under a key derived from this token's own value. */
  readonly successorSealed: string | null;
  /** The successor has itself been used. */
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

/** A grant to be written. */
export interface GrantPut extends GrantRow {
  /**
   * What must be there still, so that a grant that has been taken back at the same moment does not come back. `grant`: the grant itself,
   * as it was before. `consent`: what its person has once allowed the client, of which it is made. Left out: they allow it now.
   */
  readonly rests?: 'grant' | 'consent' | undefined;
}

/** Where a session comes from: shown to its person, and decides nothing but whose end is whose. */
export interface SessionOrigin {
  /** `browser`, or the name of the API surface. */
  readonly door: string;
  /** The client whose own session it is, where there is no person. */
  readonly clientId: string | null;
  /** IP address and user agent of the latest sign-in or refresh. */
  readonly address: string | null;
  readonly userAgent: string | null;
}

export interface SessionRow {
  /** SHA-256 of the cookie's value; of an API session, of a value that only this server can derive. */
  readonly key: string;
  /** Survives the rotation of the cookie's value. One row per uid. */
  readonly uid: string;
  readonly subject: string | null;
  /** JSON text. */
  readonly payload: string;
  /** Client id -> grant id, for reading a session together with the grant of the client that asks. */
  readonly grants: Readonly<Record<string, string>>;
  readonly expiresAt: number;
  readonly origin: SessionOrigin;
}

/** A session to be written. */
export interface SessionPut extends SessionRow {
  /**
   * The payload that this one was made from; null for a session that nobody has stored before. A session is written only over
   * the very payload it was made from: a request that began before a sign-out does not bring the session back, and of two tabs
   * that change it at once neither undoes the other's change.
   */
  readonly before: string | null;
}

export interface StoredSession extends SessionRow {
  /** When the row was first made: the start of the absolute lifetime. Kept by later puts of the same uid. */
  readonly createdAt: number;
  readonly lastSeenAt: number | null;
}

/** A token and whatever must hold for it to be good, read by one statement. */
export interface TokenBundle {
  readonly token: StoredToken;
  readonly grant: GrantRow | undefined;
  readonly account: Account | undefined;
  /** Of `token.sessionUid`. */
  readonly session: StoredSession | undefined;
}

export interface SessionBundle {
  readonly session: StoredSession;
  readonly account: Account | undefined;
  /** The session's grant for the client that was asked for. */
  readonly grant: GrantRow | undefined;
}

/**
 * What one request writes: all of it or nothing. Nothing is written, and the outcome is `spent`, where `account` is another by
 * now, a session that is not new is gone, so is what a grant rests on, or a token names a grant that is neither stored nor in `grants`: whoever changed or
 * revoked them came first.
 * A revocation that comes at the very moment of the commit leaves at most a token whose grant or session is gone, and that
 * is not usable: a reader refuses a token that names a grant or a session which its bundle lacks.
 */
export interface Unit {
  /**
   * An account that must still be as this request found it: there, not disabled, and with this password hash. Whoever changes it
   * waits for the commit, and so finds what it has written: of a new password and a sign-in with the old one either comes first.
   */
  readonly account?: { readonly subject: string; readonly passwordHash: string | null };
  /** A single-use token that this request uses up. The unit is committed only if nobody has used it before. */
  readonly consume?: {
    readonly key: string;
    readonly at: number;
    readonly successor?: { readonly key: string; readonly sealed: string };
  };
  /** Inserts or replaces by key, never `consume.key`; a replaced row keeps `consumedAt` and its successor. */
  readonly tokens?: readonly TokenRow[];
  readonly grants?: readonly GrantPut[];
  /** A session under another key but the same uid replaces the older row: the old cookie value is dead. */
  readonly sessions?: readonly SessionPut[];
  /** Records of what it does: there if it is, and only then (core/kernel/audit `carried`). */
  readonly audit?: readonly AuditEvent[];
}

export type CommitOutcome =
  /** `overtaken`: all but the unit's session, which another request has changed meanwhile; read it again and put the change on top. */
  | { readonly outcome: 'committed'; readonly overtaken?: true }
  /** Used before (by `token`'s state), or, where `token` is undefined, it or something else the unit needs is gone. Nothing was written. */
  | { readonly outcome: 'spent'; readonly token: StoredToken | undefined };

export interface GrantBundle {
  readonly grant: GrantRow;
  readonly account: Account | undefined;
  readonly session: StoredSession | undefined;
}

export interface EngineStore {
  /**
   * Commits one unit atomically and durably. Units of concurrent requests may be merged into one statement or transaction;
   * one unit's failure never fails another's. Of any number of concurrent units that consume the same key exactly one is
   * committed.
   */
  commit(unit: Unit): Promise<CommitOutcome>;
  /** Expired rows may be returned: the reader judges. One round trip. */
  readToken(key: string): Promise<TokenBundle | undefined>;
  /** One round trip. */
  readSession(key: string, clientId: string | undefined): Promise<SessionBundle | undefined>;
  readSessionByUid(uid: string): Promise<SessionBundle | undefined>;
  /** A grant and its account, and a session by its uid, in one round trip. */
  readGrant(id: string, sessionUid?: string): Promise<GrantBundle | undefined>;
  /** Inserts; false where the key is there and has not expired at `now`. For replay detection: exactly one of concurrent calls gets true. */
  insertOnce(row: TokenRow, now: number): Promise<boolean>;
  deleteToken(key: string): Promise<void>;
  /** By uid: the session ends whatever its cookie's value is by now. Notes the change; false where there is none. */
  deleteSession(uid: string): Promise<boolean>;
  /** A person's sessions, the newest first, those before `before` (of an earlier page), `limit` at most 1000; expired ones may be among them. */
  listSessions(subject: string, limit: number, before?: { createdAt: number; uid: string }): Promise<StoredSession[]>;
  /** Uids that begin with `prefix` (letters, digits and hyphens), but for the `kept` last ones in alphabetical order; at most 20. */
  sessionsBeyond(prefix: string, kept: number): Promise<string[]>;
  /** Moves `lastSeenAt` forward, all in one transaction. Unknown uids are passed over. */
  touchSessions(marks: readonly { uid: string; at: number }[]): Promise<void>;
  /** Removes the grant and every token under it in one transaction. */
  revokeGrant(id: string): Promise<void>;
  /** Of one person, the newest first, `limit` at most 1000; expired ones may be among them. */
  listGrants(subject: string, limit: number): Promise<GrantRow[]>;
  /** Removes what a person has allowed a client: consent, grants and tokens, in one transaction. False where there was nothing. */
  revokeGrantsOf(subject: string, clientId: string): Promise<boolean>;
  /** Removes the account's sessions, grants and tokens in one transaction and notes the account's change, except the session `keepUid` and what hangs on it. */
  endAll(subject: string, keepUid?: string): Promise<void>;
  /** Removes at most `limit` rows (of each table) that expired before `before`; returns how many went. Never blocks the hot path for long. */
  purgeExpired(before: number, limit: number): Promise<number>;
}
