/**
 * Every storage port of the core and what it promises. `storage/` implements them; the conformance and race suites under
 * `test/storage/` hold each implementation to each promise.
 *
 * For all of them: a database that cannot answer (down, hung past the statement timeout, out of connections, disk full)
 * throws `Unavailable`; nothing else is thrown for a reason outside the program. A returned promise of a write means that
 * the write is durable. Times are seconds since the epoch unless a name says otherwise. Text may hold any Unicode string,
 * U+0000 and lone surrogates included, only inside JSON payloads; keys and names are plain text without U+0000.
 */

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

// ---- people ---------------------------------------------------------------------------------------------------------

export interface Account {
  /** Numeric id, ascending, never reused. */
  readonly id: number;
  /** The public subject (`sub`): random, never changes, never reused. */
  readonly subject: string;
  /** As given. Compared by `usernameKey` (core/accounts makes it: NFKC, case folded). */
  readonly username: string;
  readonly usernameKey: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string | null;
  readonly emailKey: string | null;
  /** The e-mail address has been proved to be this person's. */
  readonly verified: boolean;
  readonly twoFactor: boolean;
  readonly admin: boolean;
  /** As core/password-hasher makes and knows it, or null for an account that has no password. */
  readonly passwordHash: string | null;
  readonly disabledAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastSeenAt: number | null;
  /** The language they chose (a tag of the catalogue's); null: the browser's. */
  readonly locale: string | null;
}

export type NewAccount = Omit<Account, 'id' | 'updatedAt' | 'lastSeenAt' | 'disabledAt' | 'locale'>;
/** An account of another system. */
export type ImportedAccount = NewAccount & { readonly disabledAt: number | null };
export type AccountPatch = Partial<Omit<Account, 'id' | 'subject' | 'createdAt' | 'updatedAt'>>;

export type InsertedOrTaken =
  | { readonly outcome: 'created' }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' };

export interface AccountStore {
  /**
   * One account per `usernameKey` and per non-null `emailKey`, also under concurrent calls. `identity` is linked to it in the same
   * transaction; where that is somebody's already nothing is stored, and the answer is that the username is taken.
   */
  insert(
    account: NewAccount,
    identity?: NewIdentity,
  ): Promise<{ outcome: 'created'; account: Account } | { outcome: 'taken'; field: 'username' | 'email' }>;
  /**
   * Inserts, in one transaction, those of at most 100 accounts whose names are free, and says of the others what is taken; the
   * answers are in the order of the accounts. `dryRun`: answers the same and keeps nothing.
   */
  insertAll(
    accounts: readonly ImportedAccount[],
    options?: { readonly dryRun?: boolean },
  ): Promise<readonly InsertedOrTaken[]>;
  bySubject(subject: string): Promise<Account | undefined>;
  byId(id: number): Promise<Account | undefined>;
  byUsernameKey(key: string): Promise<Account | undefined>;
  /** Only verified addresses find anybody. */
  byVerifiedEmailKey(key: string): Promise<Account | undefined>;
  /** Notes the change (see ChangeStore) in the same transaction, as does `delete`. */
  update(
    subject: string,
    patch: AccountPatch,
    now: number,
  ): Promise<Account | undefined | { outcome: 'taken'; field: 'username' | 'email' }>;
  /** Puts a hash in the place of one, and of no other that has come there meanwhile: then it is undefined. Noted as `update` is. */
  replacePasswordHash(
    subject: string,
    hash: { readonly from: string; readonly to: string },
    now: number,
  ): Promise<Account | undefined>;
  /**
   * Takes the address from the account that has it without having proved it, and notes its change; false where there is none, or
   * the address is its username too.
   */
  releaseEmail(key: string, now: number): Promise<boolean>;
  /** Moves `lastSeenAt` forward, all in one transaction, and notes no change: nothing is decided by it. */
  touch(marks: readonly { subject: string; at: number }[]): Promise<void>;
  /** Removes the account, its factors, passkeys, identities, devices, sessions, grants, tokens, consents and links in one transaction. */
  delete(subject: string): Promise<boolean>;
  count(): Promise<number>;
  /** By id, ascending, `limit` at most 1000, those with an id greater than `after`. */
  list(after: number, limit: number): Promise<Account[]>;
}

/** What a person proves themselves with beside the password. */
export interface FactorRow {
  readonly id: string;
  readonly subject: string;
  readonly kind: 'totp' | 'recovery-code' | 'email-code';
  /** What its person calls it; may be empty. */
  readonly name: string;
  /**
   * TOTP: the secret, sealed under SECRET_KEY. Recovery code: its SHA-256 (core/factors says of what). E-mail code: a keyed hash of
   * the code that is out, empty while there is none. Never usable as it is.
   */
  readonly secret: string;
  /** `pending`: being enrolled, and good for nothing yet. `used`: a recovery code that has done its work. */
  readonly state: 'pending' | 'active' | 'used';
  /** TOTP: the latest time step whose code was used; 0 for none. E-mail code: when the latest one was sent. */
  readonly lastStep: number;
  /** TOTP: wrong codes in a row. E-mail code: wrong ones since the latest was sent. */
  readonly failures: number;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

/** What changes `Account.twoFactor` writes it, and notes the account's change, in the same transaction. */
export interface FactorStore {
  /** Of one account, the oldest first. */
  list(subject: string): Promise<FactorRow[]>;
  /** Stores a pending factor in place of the account's other pending ones of its kind. False where there is no such account. */
  begin(factor: FactorRow): Promise<boolean>;
  /**
   * Makes a pending factor active, its code of `step` used. The recovery codes are stored where the account has none left.
   * Undefined, and nothing written, where it is not pending (any more); of concurrent calls exactly one gets an answer.
   */
  activate(change: {
    readonly subject: string;
    readonly id: string;
    readonly step: number;
    readonly now: number;
    readonly codes: readonly FactorRow[];
  }): Promise<{ readonly codesStored: boolean } | undefined>;
  /** In place of all the account's recovery codes, used ones too. False where it has no other factor. */
  replaceCodes(subject: string, codes: readonly FactorRow[]): Promise<boolean>;
  /** Never a recovery code; with the last other factor, passkeys counted, all of those go. False where the account has no such factor. */
  remove(subject: string, id: string, now: number): Promise<boolean>;
  /** Passkeys too, whatever is left to sign in with. False where there was nothing. */
  removeAll(subject: string, now: number): Promise<boolean>;
  /** Moves the factor's step forward: false where that step or a later one has been used. Of concurrent calls with one step exactly one gets true. */
  advance(id: string, step: number, now: number): Promise<boolean>;
  /** Uses a recovery code up; of concurrent calls exactly one gets true. */
  useCode(subject: string, hash: string, now: number): Promise<boolean>;
  /** One more wrong code of an app in a row. */
  fail(subject: string): Promise<void>;
  /** The row of wrong codes of an app has ended. */
  forgive(subject: string): Promise<void>;
  /** Stores an active factor of a kind of which an account has one at most, and recovery codes as `activate` does. Undefined where there is no such account. */
  switchOn(
    factor: FactorRow,
    codes: readonly FactorRow[],
    now: number,
  ): Promise<{ readonly added: boolean; readonly codesStored: boolean } | undefined>;
  /** A code goes out by e-mail, in place of an older one. False where there is no such factor, or the latest was sent after `before`: of concurrent calls exactly one gets true. */
  putEmailCode(subject: string, hash: string, now: number, before: number): Promise<boolean>;
  /** Uses the code up that was sent after `after`; of concurrent calls exactly one gets true. */
  useEmailCode(subject: string, hash: string, now: number, after: number): Promise<boolean>;
  /** One more wrong code; with the `limit`-th the code that is out is void. */
  failEmailCode(subject: string, limit: number): Promise<void>;
}

/** A public-key credential of the person's (WebAuthn level 3). Nothing in it is secret. */
export interface PasskeyRow {
  readonly id: string;
  readonly subject: string;
  /** The authenticator's name for it, base64url. One row per credential id. */
  readonly credentialId: string;
  /** By which authenticators know the account: random, base64url. */
  readonly handle: string;
  readonly name: string;
  /** In COSE, base64url. */
  readonly publicKey: string;
  /** The authenticator's own count of signatures; 0 where it keeps none. */
  readonly counter: number;
  /** How a browser reaches the authenticator, as that said. */
  readonly transports: readonly string[];
  /** Not bound to one device. */
  readonly synced: boolean;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

export type InsertedPasskey =
  | { readonly outcome: 'added'; readonly codesStored: boolean }
  /** `taken`: the credential is somebody's already. */
  | { readonly outcome: 'taken' | 'too-many' | 'not-found' };

/** What changes `Account.twoFactor` writes it, and notes the account's change, in the same transaction. */
export interface PasskeyStore {
  /** Of one account, the oldest first. */
  list(subject: string): Promise<PasskeyRow[]>;
  /** By its credential id. */
  find(credentialId: string): Promise<PasskeyRow | undefined>;
  /** No more than `limit` of one account, also under concurrent calls. Recovery codes are stored where the account has none left. */
  insert(passkey: PasskeyRow, codes: readonly FactorRow[], limit: number, now: number): Promise<InsertedPasskey>;
  /** False where the account has no such passkey. */
  rename(subject: string, id: string, name: string): Promise<boolean>;
  /** False where it is gone, or where its counter would not go forward (0 stays 0); of concurrent calls with one counter other than 0 exactly one gets true. */
  use(id: string, counter: number, now: number): Promise<boolean>;
  /** `last`: without it nobody could sign in to the account, which has no password. */
  remove(subject: string, id: string, now: number): Promise<'removed' | 'not-found' | 'last'>;
}

/** An account at another provider, with which somebody may sign in here. */
export interface IdentityRow {
  readonly id: string;
  /** Whose it is here. */
  readonly subject: string;
  /** The provider's id in this server's settings. */
  readonly provider: string;
  /** The provider's own, lasting name for the person. One row per provider and such name. */
  readonly providerSubject: string;
  /** What the person is called there, for lists. Decides nothing. */
  readonly label: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

export type NewIdentity = Omit<IdentityRow, 'subject' | 'lastUsedAt'>;

export interface IdentityStore {
  /** Of one account, the oldest first. */
  list(subject: string): Promise<IdentityRow[]>;
  find(provider: string, providerSubject: string): Promise<IdentityRow | undefined>;
  /** `linked` also where it was this account's already. `taken`: it is somebody else's. */
  link(subject: string, identity: NewIdentity): Promise<'linked' | 'taken' | 'not-found'>;
  /** It was signed in with. */
  use(id: string, now: number): Promise<void>;
  /** `last`: the account has neither a password nor a passkey, so that its person might be left without a way in. */
  unlink(subject: string, id: string): Promise<'unlinked' | 'not-found' | 'last'>;
}

/** A browser in which a person has chosen to be remembered. */
export interface DeviceRow {
  readonly id: string;
  /** SHA-256 of the value of the browser's cookie. */
  readonly browser: string;
  readonly subject: string;
  /** Seconds since the epoch, as are the others. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
}

/** Expired ones are as good as gone. */
export interface DeviceStore {
  find(browser: string, subject: string, now: number): Promise<DeviceRow | undefined>;
  /** Those of one browser, last used first. */
  ofBrowser(browser: string, now: number): Promise<DeviceRow[]>;
  /**
   * One row per browser and account: one that is there keeps its id and `createdAt`. Beyond `most` those unused for longest go.
   * False, and nothing stored, where there is no such account.
   */
  put(device: DeviceRow, most: { readonly ofAccount: number; readonly ofBrowser: number }): Promise<boolean>;
  /** Whose it was; undefined where this browser has no such row. */
  remove(browser: string, id: string): Promise<string | undefined>;
  /** All of an account's but this browser's. Returns how many went. */
  removeAll(subject: string, exceptBrowser?: string): Promise<number>;
}

// ---- clients and APIs -----------------------------------------------------------------------------------------------

export interface ClientSecret {
  /** SHA-256 of the secret, base64url. Secrets are made here with 256 random bits, so a slow hash would protect nothing more. */
  readonly hash: string;
  readonly createdAt: number;
  /** After this it is refused; null: no end. */
  readonly expiresAt: number | null;
}

/** What a program without a person presents to open a session of its own (core/client-sessions). */
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
  /** The newest first; at most two. */
  readonly secrets: readonly ClientSecret[];
  /** The newest first; at most twenty. */
  readonly tokens: readonly ClientToken[];
  /** Subject of the account it belongs to, or null for one made by an admin. */
  readonly owner: string | null;
  /** Where it was made: decides nothing, tells an admin. */
  readonly origin: 'register' | 'admin' | 'cli' | 'person' | 'built-in';
  readonly disabledAt: number | null;
  /** Rises by one with each change of this client; 1 at creation. */
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ClientStore {
  /** False where the id is taken. Notes the change (see ChangeStore) in the same transaction, as do update and delete. */
  insert(client: ClientRecord): Promise<boolean>;
  find(id: string): Promise<ClientRecord | undefined>;
  /** Replaces metadata, secrets, tokens, owner and disabledAt if the stored version is still `client.version - 1`. */
  update(client: ClientRecord): Promise<boolean>;
  /** Removes the client with all its grants, tokens, sessions and consents in one transaction. */
  delete(id: string): Promise<boolean>;
  /** By id, ascending, those greater than `after` ('' for the first page), `limit` at most 1000. */
  list(after: string, limit: number): Promise<ClientRecord[]>;
  /** The same of those that are this person's. */
  listOwned(owner: string, after: string, limit: number): Promise<ClientRecord[]>;
  count(): Promise<number>;
}

export interface ApiRecord {
  /** The audience: an absolute URI without a fragment (RFC 8707, section 2). */
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly { readonly name: string; readonly sentence: string }[];
  readonly tokenFormat: 'jwt' | 'opaque';
  /** Access-token lifetime in seconds, 1 to 86400; null: the server's setting. */
  readonly tokenLifetime: number | null;
  /** Ids of clients that may introspect this API's opaque tokens. */
  readonly introspectors: readonly string[];
}

export interface ApiStore {
  /** Inserts or replaces; notes the change. */
  put(api: ApiRecord): Promise<void>;
  list(): Promise<ApiRecord[]>;
  remove(identifier: string): Promise<boolean>;
}

// ---- changes that every process must see ----------------------------------------------------------------------------

/**
 * What `id` is: of a client its id, of an account its subject, of an ended session its uid, a space, and the subject or client
 * whose it was; of a reload the generation of the shared cache that it filled.
 */
export type ChangeKind = 'client' | 'api' | 'key' | 'reload' | 'account' | 'session';

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

// ---- what the engine keeps ------------------------------------------------------------------------------------------

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
 * What one request writes: all of it or nothing. Nothing is written, and the outcome is `spent`, where a session that is
 * not new is gone, or a token names a grant that is neither stored nor in `grants`: whoever revoked them came first.
 * A revocation that comes at the very moment of the commit leaves at most a token whose grant or session is gone, and that
 * is not usable: a reader refuses a token that names a grant or a session which its bundle lacks.
 */
export interface Unit {
  /** A single-use token that this request uses up. The unit is committed only if nobody has used it before. */
  readonly consume?: {
    readonly key: string;
    readonly at: number;
    readonly successor?: { readonly key: string; readonly sealed: string };
  };
  /** Inserts or replaces by key, never `consume.key`; a replaced row keeps `consumedAt` and its successor. */
  readonly tokens?: readonly TokenRow[];
  readonly grants?: readonly GrantRow[];
  /** A session under another key but the same uid replaces the older row: the old cookie value is dead. */
  readonly sessions?: readonly SessionPut[];
}

export type CommitOutcome =
  /** `overtaken`: all but the unit's session, which another request has changed meanwhile; read it again and put the change on top. */
  | { readonly outcome: 'committed'; readonly overtaken?: true }
  /** Used before (by `token`'s state), or, where `token` is undefined, it or something else the unit needs is gone. Nothing was written. */
  | { readonly outcome: 'spent'; readonly token: StoredToken | undefined };

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
  /** A grant and its account, in one round trip. */
  readGrant(id: string): Promise<{ grant: GrantRow; account: Account | undefined } | undefined>;
  /** Inserts; false where the key is there and has not expired at `now`. For replay detection: exactly one of concurrent calls gets true. */
  insertOnce(row: TokenRow, now: number): Promise<boolean>;
  deleteToken(key: string): Promise<void>;
  /** By uid: the session ends whatever its cookie's value is by now. Notes the change; false where there is none. */
  deleteSession(uid: string): Promise<boolean>;
  /** A person's sessions, the newest first, those before `before` (of an earlier page), `limit` at most 1000; expired ones may be among them. */
  listSessions(subject: string, limit: number, before?: { createdAt: number; uid: string }): Promise<StoredSession[]>;
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

// ---- consent, keys, audit, links, leases ----------------------------------------------------------------------------

/** What a person has once allowed an application, kept apart from the grants of single sessions. */
export interface ConsentRow {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** API identifier -> scopes. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly updatedAt: number;
}

export interface StoredConsent extends ConsentRow {
  /** `updatedAt` of the first put. */
  readonly createdAt: number;
  /** When the client was last given a token; null: not since this is written down. */
  readonly lastUsedAt: number | null;
}

export interface ConsentStore {
  find(subject: string, clientId: string): Promise<StoredConsent | undefined>;
  put(consent: ConsentRow): Promise<void>;
  remove(subject: string, clientId: string): Promise<boolean>;
  list(subject: string): Promise<StoredConsent[]>;
  /** Moves `lastUsedAt` forward, all in one transaction. Consents that are not there are passed over. */
  touch(marks: readonly { subject: string; clientId: string; at: number }[]): Promise<void>;
}

export type KeyStatus = 'next' | 'current' | 'previous';

export interface KeyRow {
  /** The `kid`. */
  readonly id: string;
  readonly algorithm: 'ES256' | 'RS256';
  readonly status: KeyStatus;
  /** The private JWK as JSON, sealed under SECRET_KEY. */
  readonly sealed: string;
  readonly createdAt: number;
  /** When it began to sign; null while it is next. */
  readonly currentAt: number | null;
  /** When it stopped signing; null until then. */
  readonly previousAt: number | null;
}

export interface KeyStore {
  list(): Promise<KeyRow[]>;
  /** Writes all rows and removes all ids in one transaction, noting the change, only if the stored set of (id, status) equals `seen`. */
  replace(
    seen: readonly { id: string; status: KeyStatus }[],
    puts: readonly KeyRow[],
    removes: readonly string[],
  ): Promise<boolean>;
}

export interface AuditEvent {
  /** Milliseconds. */
  readonly atMs: number;
  /** For example `sign_in.succeeded`; the closed list is in core/audit. */
  readonly event: string;
  readonly subject: string | null;
  readonly clientId: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly detail: JsonObject;
}

export interface StoredAuditEvent extends AuditEvent {
  /** Ascending in the order in which they were written. */
  readonly id: number;
}

export interface AuditStore {
  /** All of them in one transaction. */
  append(events: readonly AuditEvent[]): Promise<void>;
  /** Newest first, those with an id less than `before`, `limit` at most 1000. */
  list(filter: { subject?: string; event?: string; before?: number }, limit: number): Promise<StoredAuditEvent[]>;
}

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
  removeAll(purpose: string): Promise<void>;
}

export interface LeaseStore {
  /** Takes or extends the named lease until `until`; false while somebody else holds it. Times are milliseconds. */
  acquire(name: string, holder: string, untilMs: number, nowMs: number): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
}

/** All of SQL storage. */
export interface Stores {
  readonly accounts: AccountStore;
  readonly factors: FactorStore;
  readonly passkeys: PasskeyStore;
  readonly identities: IdentityStore;
  readonly devices: DeviceStore;
  readonly clients: ClientStore;
  readonly apis: ApiStore;
  readonly changes: ChangeStore;
  readonly engine: EngineStore;
  readonly consents: ConsentStore;
  readonly keys: KeyStore;
  readonly audit: AuditStore;
  readonly links: LinkStore;
  readonly leases: LeaseStore;
  /** Resolves when the database answers; throws `Unavailable` otherwise. */
  ping(): Promise<void>;
  /** Round trips to the database since the start: statements sent by themselves, transactions counted as one per statement. */
  roundTrips(): number;
  close(): Promise<void>;
}

// ---- what may live in Redis or in the process -----------------------------------------------------------------------

/** A cache shared by processes. Down, slow or poisoned is a miss, never an error. */
export interface ClientCache {
  /** What the cache knows about itself; undefined where it cannot be reached. */
  state(): Promise<{ generation: number; appliedSeq: number } | undefined>;
  get(generation: number, id: string): Promise<ClientRecord | undefined>;
  /** Never replaces an entry of a higher version. */
  put(generation: number, client: ClientRecord): Promise<void>;
  remove(generation: number, ids: readonly string[]): Promise<void>;
  /** Changes up to `seq` have been removed from the cache. Never goes back. */
  markApplied(seq: number): Promise<void>;
  /** Makes `generation` the current one. Never goes back. */
  raiseGeneration(generation: number, appliedSeq: number): Promise<void>;
}

/** Tells the other processes to look at the change log sooner than they would by themselves. A lost message costs at most a second. */
export interface ChangeChannel {
  publish(): void;
  subscribe(listener: () => void): () => void;
}

export interface ThrottleKey {
  readonly key: string;
  /** Attempts allowed within the window. */
  readonly limit: number;
}

export interface Throttle {
  /**
   * Counts one attempt on every key, before it is made, and says whether all keys are still within their limits. Of any
   * number of concurrent calls no more than `limit` per key are allowed in a window. A refused attempt is not counted.
   */
  attempt(
    keys: readonly ThrottleKey[],
    windowSeconds: number,
  ): Promise<{ allowed: true } | { allowed: false; retryAfter: number }>;
  /** Gives one attempt back on each key: the attempt succeeded. */
  giveBack(keys: readonly string[]): Promise<void>;
  /** Forgets the key. */
  clear(key: string): Promise<void>;
}
