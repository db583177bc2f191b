import type { FactorRow } from './factors.ts';

/** A user's public-key credential (WebAuthn Level 3). Nothing in it is secret. */
export interface PasskeyRow {
  readonly id: string;
  readonly subject: string;
  /** The authenticator's credential id, base64url. Unique. */
  readonly credentialId: string;
  /** The user handle: authenticators know the account by it. Random, base64url. */
  readonly handle: string;
  readonly name: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  /** The authenticator's signature counter; 0 if it keeps none. */
  readonly counter: number;
  /** How a browser reaches the authenticator, as the authenticator reported. */
  readonly transports: readonly string[];
  /** Backed up, not bound to one device. */
  readonly synced: boolean;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

type InsertedPasskey =
  | { readonly outcome: 'added'; readonly codesStored: boolean }
  /** `taken`: the credential is registered already. */
  | { readonly outcome: 'taken' | 'too-many' | 'not-found' };

/** A call that changes `Account.twoFactor` writes it and notes the account's change in the same transaction. */
export interface PasskeyStore {
  /** The account's passkeys, oldest first. */
  list(subject: string): Promise<PasskeyRow[]>;
  /** Finds a passkey by its credential id. */
  find(credentialId: string): Promise<PasskeyRow | undefined>;
  /**
   * At most `limit` per account, also under concurrent calls. Stores the recovery codes if the account has none left.
   */
  insert(passkey: PasskeyRow, codes: readonly FactorRow[], limit: number, now: number): Promise<InsertedPasskey>;
  /** Returns false if the account has no such passkey. */
  rename(subject: string, id: string, name: string): Promise<boolean>;
  /**
   * Records a sign-in. Returns false if the passkey is gone or the counter does not rise (0 may stay 0). Of concurrent
   * calls with one counter above 0 exactly one gets true.
   */
  use(id: string, counter: number, now: number): Promise<boolean>;
  /** `last`: it is the account's only sign-in method (core/factors/sign-in-methods, also for `providers`). */
  remove(
    subject: string,
    id: string,
    providers: readonly string[],
    now: number,
  ): Promise<'removed' | 'not-found' | 'last'>;
}
