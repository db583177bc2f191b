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
  /**
   * In one transaction, over the very password that whoever asks has looked at. `already`: it was this account's. `taken`: it is somebody
   * else's. `not-found`: there is no such account, or it has another password by now, which keeps out whoever knew the old one.
   */
  link(
    account: { readonly subject: string; readonly passwordHash: string | null },
    identity: NewIdentity,
  ): Promise<'linked' | 'already' | 'taken' | 'not-found'>;
  /** It was signed in with. False: it has gone. */
  use(id: string, now: number): Promise<boolean>;
  /** `last`: it is the only way to sign in to the account (core/factors/sign-in-methods, as are `providers`). */
  unlink(subject: string, id: string, providers: readonly string[]): Promise<'unlinked' | 'not-found' | 'last'>;
}
