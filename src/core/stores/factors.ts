/** What a person proves themselves with beside the password. */
export interface FactorRow {
  readonly id: string;
  readonly subject: string;
  /** Of the login method (core/factors/code-method). */
  readonly kind: string;
  /** What its person calls it; may be empty. */
  readonly name: string;
  /**
   * TOTP: the secret, sealed under SECRET_KEY. Recovery code: its SHA-256 (core/factors says of what). A kind that is
   * sent: a keyed hash of the code that is out, empty while there is none. Never usable as it is.
   */
  readonly secret: string;
  /** `pending`: being enrolled, and good for nothing yet. `used`: a recovery code that has done its work. */
  readonly state: 'pending' | 'active' | 'used';
  /** TOTP: the latest time step whose code was used; 0 for none. A kind that is sent: when the latest code was sent. */
  readonly lastStep: number;
  /** TOTP: wrong codes in a row. A kind that is sent: wrong ones since the latest was sent. */
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
  /** One more wrong code of this kind in a row. */
  fail(subject: string, kind: string): Promise<void>;
  /** The row of wrong codes of this kind has ended. */
  forgive(subject: string, kind: string): Promise<void>;
  /** Stores an active factor of a kind of which an account has one at most, and recovery codes as `activate` does. Undefined where there is no such account. */
  switchOn(
    factor: FactorRow,
    codes: readonly FactorRow[],
    now: number,
  ): Promise<{ readonly added: boolean; readonly codesStored: boolean } | undefined>;
  /**
   * Stores a code that is sent, in place of an older one. False where the account has no such factor, or the latest was
   * sent after `before`: of concurrent calls exactly one gets true.
   */
  putSentCode(subject: string, kind: string, hash: string, now: number, before: number): Promise<boolean>;
  /** Uses the code up that was sent after `after`; of concurrent calls exactly one gets true. */
  useSentCode(subject: string, kind: string, hash: string, now: number, after: number): Promise<boolean>;
  /** One more wrong code; with the `limit`-th the code that is out is void. */
  failSentCode(subject: string, kind: string, limit: number): Promise<void>;
}
