/** An account at another provider that a user may sign in with. */
export interface IdentityRow {
  readonly id: string;
  /** Subject of the account here. */
  readonly subject: string;
  /** The provider's id in this server's settings. */
  readonly provider: string;
  /** The provider's permanent id for the user. One row per provider and such id. */
  readonly providerSubject: string;
  /** The user's name there, for display only. */
  readonly label: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

export type NewIdentity = Omit<IdentityRow, 'subject' | 'lastUsedAt'>;

export interface IdentityStore {
  /** The account's identities, oldest first. */
  list(subject: string): Promise<IdentityRow[]>;
  find(provider: string, providerSubject: string): Promise<IdentityRow | undefined>;
  /**
   * Links the identity if the account still has this password hash; else returns `not-found`, which stops an attacker
   * who knew the old password. `already`: linked to this account. `taken`: linked to another.
   */
  link(
    account: { readonly subject: string; readonly passwordHash: string | null },
    identity: NewIdentity,
  ): Promise<'linked' | 'already' | 'taken' | 'not-found'>;
  /** Records a sign-in with it. Returns false if it is gone. */
  use(id: string, now: number): Promise<boolean>;
  /** `last`: it is the account's only sign-in method (core/factors/sign-in-methods, also for `providers`). */
  unlink(subject: string, id: string, providers: readonly string[]): Promise<'unlinked' | 'not-found' | 'last'>;
}
