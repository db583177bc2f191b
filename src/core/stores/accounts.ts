import type { IdentityRow, NewIdentity } from './identities.ts';

/** OpenID Connect Core, section 5.1.1. */
export type AddressMember = 'formatted' | 'street_address' | 'locality' | 'region' | 'postal_code' | 'country';
export type Address = Readonly<Partial<Record<AddressMember, string>>>;

export interface Attributes {
  /** Canonical BCP 47 tag: the language of pages, where there is a catalogue for it. Null: the browser's language. */
  readonly locale: string | null;
  /** An https URL, at most 2048 characters. This server never fetches it. */
  readonly picture: string | null;
  /** A name from the IANA time zone database. */
  readonly zoneinfo: string | null;
  /** E.164: `+` and 7 to 15 digits. */
  readonly phone: string | null;
  /** Set by an operator only: this server sends no codes to phones. */
  readonly phoneVerified: boolean;
  readonly address: Address | null;
}

export interface Account extends Attributes {
  /** Ascending, never reused. */
  readonly id: number;
  /** The public subject (`sub`): random, never changes, never reused. */
  readonly subject: string;
  /** As the user typed it. Compared by `usernameKey`, which is NFKC and case folded. */
  readonly username: string;
  readonly usernameKey: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string | null;
  readonly emailKey: string | null;
  /** The user has proved that the e-mail address is theirs. */
  readonly verified: boolean;
  readonly twoFactor: boolean;
  readonly admin: boolean;
  /** A hash from core/passwords/password-hasher; null: the account has no password. */
  readonly passwordHash: string | null;
  readonly disabledAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastSeenAt: number | null;
}

export type NewAccount = Omit<Account, 'id' | 'updatedAt' | 'lastSeenAt' | 'disabledAt' | keyof Attributes> &
  Partial<Attributes>;
/** An account from another system. */
export type ImportedAccount = NewAccount & { readonly disabledAt: number | null };
export type AccountPatch = Partial<Omit<Account, 'id' | 'subject' | 'createdAt' | 'updatedAt'>>;

export type InsertedOrTaken =
  | { readonly outcome: 'created' }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' };

/** `from` is null if the account has no password yet. */
export interface PasswordChange {
  readonly from: string | null;
  readonly to: string;
}

/** `stop`: write nothing, and return this to the caller. */
export type AccountEdit<Stop> = { readonly patch: AccountPatch } | { readonly stop: Stop };

export type EditedAccount<Stop> =
  | { readonly outcome: 'changed'; readonly before: Account; readonly account: Account }
  | { readonly outcome: 'not-found' | 'last-admin' }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }
  | { readonly outcome: 'stopped'; readonly stop: Stop };

export type RemovedAccount = 'removed' | 'not-found' | 'last-admin';

export interface AccountStore {
  /**
   * One account per `usernameKey` and per non-null `emailKey`, also under concurrent calls. Links `identity` in the
   * same transaction. If another account has that identity, stores nothing and returns `taken` with the field
   * `username`.
   */
  insert(
    account: NewAccount,
    identity?: NewIdentity,
  ): Promise<{ outcome: 'created'; account: Account } | { outcome: 'taken'; field: 'username' | 'email' }>;
  /** Inserts the account and takes the link, both or neither. `gone`: there is no such link, so nothing was stored. */
  insertInvited(
    account: NewAccount,
    linkKey: string,
  ): Promise<
    { outcome: 'created'; account: Account } | { outcome: 'taken'; field: 'username' | 'email' } | { outcome: 'gone' }
  >;
  /**
   * Inserts the accounts whose names are free, at most 100, in one transaction. Returns one outcome per account, in
   * order. `dryRun`: returns the same outcomes and stores nothing.
   */
  insertAll(
    accounts: readonly ImportedAccount[],
    options?: { readonly dryRun?: boolean },
  ): Promise<readonly InsertedOrTaken[]>;
  bySubject(subject: string): Promise<Account | undefined>;
  byId(id: number): Promise<Account | undefined>;
  byUsernameKey(key: string): Promise<Account | undefined>;
  /** Ignores addresses that are not verified. */
  byVerifiedEmailKey(key: string): Promise<Account | undefined>;
  /**
   * Notes the change (ChangeStore) in the same transaction. A patch with `disabledAt` also raises the version of each
   * client that the account owns, and notes it.
   */
  update(
    subject: string,
    patch: AccountPatch,
    now: number,
  ): Promise<Account | undefined | { outcome: 'taken'; field: 'username' | 'email' }>;
  /**
   * Applies the patch that `decide` computes from the locked row, so concurrent edits do not lose each other's changes.
   * `decide` must be pure: it may run twice. Notes the change as `update` does. With `demotes`, returns `last-admin`
   * instead of demoting the last enabled administrator, also under concurrent calls.
   */
  edit<Stop = never>(
    subject: string,
    now: number,
    decide: (account: Account) => AccountEdit<Stop>,
    options?: { readonly demotes?: boolean },
  ): Promise<EditedAccount<Stop>>;
  /** Replaces the hash if it is still `hash.from`; otherwise returns undefined. Notes the change as `update` does. */
  replacePasswordHash(subject: string, hash: PasswordChange, now: number): Promise<Account | undefined>;
  /**
   * As `replacePasswordHash`, and removes all identities except `keepIdentities` in the same transaction, so that none
   * can be linked under the old password after the removal. May leave no other sign-in method.
   */
  resetPasswordHash(
    subject: string,
    hash: PasswordChange,
    keepIdentities: readonly string[],
    now: number,
  ): Promise<{ readonly unlinked: readonly Pick<IdentityRow, 'id' | 'provider'>[] } | undefined>;
  /**
   * Takes the e-mail address from the account that has it unverified, and notes the change. Returns undefined if there
   * is no such account or it is an administrator's. If the address is also the username, the account gets `name`:
   * `renamed`.
   */
  releaseEmail(
    key: string,
    name: Pick<Account, 'username' | 'usernameKey'>,
    now: number,
  ): Promise<{ readonly subject: string; readonly renamed: boolean } | undefined>;
  /** Moves `lastSeenAt` forward, in one transaction. Notes no change, because nothing depends on it. */
  touch(marks: readonly { subject: string; at: number }[]): Promise<void>;
  /**
   * Removes the account, everything stored for it, and the clients that it owns with all their grants, in one
   * transaction. Returns `last-admin` instead of removing the last enabled administrator, also under concurrent calls.
   */
  delete(subject: string): Promise<RemovedAccount>;
  count(): Promise<number>;
  /** Accounts with an id greater than `after`, ascending; `limit` is at most 1000. */
  list(after: number, limit: number): Promise<Account[]>;
}
