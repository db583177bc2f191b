import type { FactorRow } from './factors.ts';

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
  /** `last`: it is the only way to sign in to the account (core/factors/sign-in-methods, as are `providers`). */
  remove(
    subject: string,
    id: string,
    providers: readonly string[],
    now: number,
  ): Promise<'removed' | 'not-found' | 'last'>;
}
