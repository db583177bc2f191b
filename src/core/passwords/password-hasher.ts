/** The port of the login method `password`. Implemented in login/password. */

/** The check of a hash from another system, before it is stored. */
type ForeignHashOutcome =
  | {
      readonly outcome: 'usable';
      /** The value to store. `verify` recognizes in it that another system made the hash. */
      readonly stored: string;
      /** `bcrypt`, `pbkdf2`, `scrypt` or `argon2`. */
      readonly algorithm: string;
    }
  /** `sentence`: why the hash cannot be used, in English. */
  | { readonly outcome: 'unusable'; readonly sentence: string };

/** `hash` and `verify` throw `Unavailable('busy')` if too many passwords are being hashed. */
export interface PasswordHasher {
  /**
   * Returns a PHC string. The password must have passed `passwordProblem`. `standsAlone` is false if it is too short
   * for an account without a second factor; the string records this.
   */
  hash(password: string, options?: { readonly standsAlone: boolean }): Promise<string>;
  /**
   * For null (no such account, or no password), takes the time of a hash made here and returns false. A hash from
   * another system takes its own time.
   */
  verify(stored: string | null, password: string): Promise<boolean>;
  /** Returns false if the string records that the password is too short without a second factor. */
  standsAlone(stored: string): boolean;
  /** The hash has other parameters than new ones, or comes from another system. */
  needsRehash(stored: string): boolean;
  foreign(hash: string): ForeignHashOutcome;
}
