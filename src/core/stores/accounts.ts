import type { IdentityRow, NewIdentity } from './identities.ts';

/** OpenID Connect Core, section 5.1.1. */
export type AddressMember = 'formatted' | 'street_address' | 'locality' | 'region' | 'postal_code' | 'country';
export type Address = Readonly<Partial<Record<AddressMember, string>>>;

export interface Attributes {
  /** BCP 47, in its canonical form. Pages are in this language if there is a catalogue for it. Null: the browser's. */
  readonly locale: string | null;
  /** An https URL, 2048 characters at most. This server never asks for it. */
  readonly picture: string | null;
  /** A name of the IANA time zone database. */
  readonly zoneinfo: string | null;
  /** E.164, `+` and 7 to 15 digits. */
  readonly phone: string | null;
  /** Only an operator says so: this server calls no one. */
  readonly phoneVerified: boolean;
  readonly address: Address | null;
}

export interface Account extends Attributes {
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
  /** As core/passwords/password-hasher makes and knows it, or null for an account that has no password. */
  readonly passwordHash: string | null;
  readonly disabledAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastSeenAt: number | null;
}

export type NewAccount = Omit<Account, 'id' | 'updatedAt' | 'lastSeenAt' | 'disabledAt' | keyof Attributes> &
  Partial<Attributes>;
/** An account of another system. */
export type ImportedAccount = NewAccount & { readonly disabledAt: number | null };
export type AccountPatch = Partial<Omit<Account, 'id' | 'subject' | 'createdAt' | 'updatedAt'>>;

export type InsertedOrTaken =
  | { readonly outcome: 'created' }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' };

/** `from`: null where there is no password yet. */
export interface PasswordChange {
  readonly from: string | null;
  readonly to: string;
}

/** `stop`: nothing is to be written, and this is the answer. */
export type AccountEdit<Stop> = { readonly patch: AccountPatch } | { readonly stop: Stop };

export type EditedAccount<Stop> =
  | { readonly outcome: 'changed'; readonly before: Account; readonly account: Account }
  | { readonly outcome: 'not-found' | 'last-admin' }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }
  | { readonly outcome: 'stopped'; readonly stop: Stop };

export type RemovedAccount = 'removed' | 'not-found' | 'last-admin';

export interface AccountStore {
  /**
   * One account per `usernameKey` and per non-null `emailKey`, also under concurrent calls. `identity` is linked to it in the same
   * transaction; where that is somebody's already nothing is stored, and the answer is that the username is taken.
   */
  insert(
    account: NewAccount,
    identity?: NewIdentity,
  ): Promise<{ outcome: 'created'; account: Account } | { outcome: 'taken'; field: 'username' | 'email' }>;
  /** As `insert`, and takes the link of this key, both or neither. `gone`: the link is not there (any more); nothing is stored. */
  insertInvited(
    account: NewAccount,
    linkKey: string,
  ): Promise<
    { outcome: 'created'; account: Account } | { outcome: 'taken'; field: 'username' | 'email' } | { outcome: 'gone' }
  >;
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
  /**
   * Notes the change (see ChangeStore) in the same transaction, as does `delete`. A patch with `disabledAt` changes the clients
   * that the account owns as well: each rises by a version and is noted.
   */
  update(
    subject: string,
    patch: AccountPatch,
    now: number,
  ): Promise<Account | undefined | { outcome: 'taken'; field: 'username' | 'email' }>;
  /**
   * What `decide` makes of the account as it is, while no other can change it: of two edits at once neither loses what
   * the other wrote. `decide` only computes, and may be called again. Noted as `update` is.
   * `last-admin`: the patch takes the mark of an administrator, and no other is left who is not disabled, also under
   * concurrent calls. Needs `demotes`.
   */
  edit<Stop = never>(
    subject: string,
    now: number,
    decide: (account: Account) => AccountEdit<Stop>,
    options?: { readonly demotes?: boolean },
  ): Promise<EditedAccount<Stop>>;
  /** Puts a hash in the place of one, and of no other that has come there meanwhile: then it is undefined. Noted as `update` is. */
  replacePasswordHash(subject: string, hash: PasswordChange, now: number): Promise<Account | undefined>;
  /**
   * The same, and in the same transaction all of the account's identities but these go, whatever is left to sign in with: so that
   * none can be linked, under the old password, after the others have gone. `unlinked`: those that went.
   */
  resetPasswordHash(
    subject: string,
    hash: PasswordChange,
    keepIdentities: readonly string[],
    now: number,
  ): Promise<{ readonly unlinked: readonly Pick<IdentityRow, 'id' | 'provider'>[] } | undefined>;
  /**
   * Takes the address from the account that has it without having proved it, and notes its change; undefined where there is none, or
   * it is an administrator's.
   * An account whose username it is too is called by `name` from then on: `renamed`.
   */
  releaseEmail(
    key: string,
    name: Pick<Account, 'username' | 'usernameKey'>,
    now: number,
  ): Promise<{ readonly subject: string; readonly renamed: boolean } | undefined>;
  /** Moves `lastSeenAt` forward, all in one transaction, and notes no change: nothing is decided by it. */
  touch(marks: readonly { subject: string; at: number }[]): Promise<void>;
  /**
   * Removes the account, its factors, passkeys, identities, devices, memberships, sessions, grants, tokens, consents and links, and the
   * clients that it owns with all that others have given them, in one transaction.
   * `last-admin`: it is an administrator's, and no other administrator is left who is not disabled, also under concurrent calls.
   */
  delete(subject: string): Promise<RemovedAccount>;
  count(): Promise<number>;
  /** By id, ascending, `limit` at most 1000, those with an id greater than `after`. */
  list(after: number, limit: number): Promise<Account[]>;
}
