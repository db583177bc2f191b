/** A second factor of an account, or one of its recovery codes. */
export interface FactorRow {
  readonly id: string;
  readonly subject: string;
  /** The login method's kind (core/factors/code-method). */
  readonly kind: string;
  /** The user's name for it; may be empty. */
  readonly name: string;
  /**
   * TOTP: the secret, sealed under SECRET_KEY. Recovery code: its SHA-256 (see core/factors). A sent code: its keyed
   * hash, empty while no code is valid. Never usable as stored.
   */
  readonly secret: string;
  /** `pending`: being enrolled, not usable yet. `used`: a recovery code after its use. */
  readonly state: 'pending' | 'active' | 'used';
  /** TOTP: the time step of the last used code; 0 for none. A sent code: when the latest was sent. */
  readonly lastStep: number;
  /** TOTP: wrong codes in a row. A sent code: wrong codes since the latest was sent. */
  readonly failures: number;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** Recovery code: false until the user has shown that they saved the codes. Other kinds: true. */
  readonly saved: boolean;
}

/** A call that changes `Account.twoFactor` writes it and notes the account's change in the same transaction. */
export interface FactorStore {
  /** The account's factors, oldest first. */
  list(subject: string): Promise<FactorRow[]>;
  /**
   * Stores a pending factor instead of the account's pending ones of its kind. Returns false if there is no account.
   */
  begin(factor: FactorRow): Promise<boolean>;
  /**
   * Activates a pending factor and marks the code of `step` as used. Stores the recovery codes if the account has none
   * left. Returns undefined, and writes nothing, if the factor is not pending. Of concurrent calls exactly one
   * succeeds.
   */
  activate(change: {
    readonly subject: string;
    readonly id: string;
    readonly step: number;
    readonly now: number;
    readonly codes: readonly FactorRow[];
  }): Promise<{ readonly codesStored: boolean } | undefined>;
  /** Replaces all recovery codes, used ones too. Returns false if the account has no other factor. */
  replaceCodes(subject: string, codes: readonly FactorRow[]): Promise<boolean>;
  /**
   * Removes a factor, never a recovery code. If it was the last factor, passkeys included, the recovery codes go too.
   * Returns false if the account has no such factor.
   */
  remove(subject: string, id: string, now: number): Promise<boolean>;
  /** Removes all factors and passkeys, even if no sign-in method remains. Returns false if there were none. */
  removeAll(subject: string, now: number): Promise<boolean>;
  /** Uses a time step. Returns false if it or a later one was used. Of concurrent calls with one step one gets true. */
  advance(id: string, step: number, now: number): Promise<boolean>;
  /** Uses a recovery code. Of concurrent calls exactly one gets true. */
  useCode(subject: string, hash: string, now: number): Promise<boolean>;
  /**
   * Marks the account's recovery codes as saved if `hash` is one that still works. Returns false, and writes nothing,
   * if it is not.
   */
  markCodesSaved(subject: string, hash: string): Promise<boolean>;
  /** Renames an active factor, never a recovery code. Returns false if the account has no such factor. */
  rename(subject: string, id: string, name: string): Promise<boolean>;
  /** Counts one more wrong code of this kind. */
  fail(subject: string, kind: string): Promise<void>;
  /** Resets the count of wrong codes of this kind. */
  forgive(subject: string, kind: string): Promise<void>;
  /**
   * Stores an active factor of a kind that an account has once at most, and recovery codes as `activate` does. Returns
   * undefined if there is no such account.
   */
  switchOn(
    factor: FactorRow,
    codes: readonly FactorRow[],
    now: number,
  ): Promise<{ readonly added: boolean; readonly codesStored: boolean } | undefined>;
  /**
   * Stores a sent code instead of the previous one. Returns false if the account has no such factor or the previous
   * code was sent after `before`. Of concurrent calls exactly one gets true.
   */
  putSentCode(subject: string, kind: string, hash: string, now: number, before: number): Promise<boolean>;
  /** Uses the code if it was sent after `after`. Of concurrent calls exactly one gets true. */
  useSentCode(subject: string, kind: string, hash: string, now: number, after: number): Promise<boolean>;
  /** Counts one more wrong code. The `limit`-th voids the sent code. */
  failSentCode(subject: string, kind: string, limit: number): Promise<void>;
}
