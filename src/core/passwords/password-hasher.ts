/** What core needs from the login method `password`. Implemented in login/password. */

/** A hash that another system made, looked at before it is stored. */
type ForeignHashOutcome =
  | {
      readonly outcome: 'usable';
      /** What to store in its place: `verify` knows by it that another system made this one. */
      readonly stored: string;
      /** `bcrypt`, `pbkdf2`, `scrypt` or `argon2`. */
      readonly algorithm: string;
    }
  /** Why it cannot be used, in an English sentence. */
  | { readonly outcome: 'unusable'; readonly sentence: string };

/** `hash` and `verify` throw `Unavailable('busy')` when too many passwords are being hashed already. */
export interface PasswordHasher {
  /**
   * A PHC string. The password must have passed `passwordProblem`. `standsAlone`: false where it is too short for an account without
   * a second factor; then that is stored with it.
   */
  hash(password: string, options?: { readonly standsAlone: boolean }): Promise<string>;
  /**
   * Null (no such account, or none with a password) costs the same time as a hash made here and is false. A hash that another
   * system made takes the time that it takes.
   */
  verify(stored: string | null, password: string): Promise<boolean>;
  /** False where it was stored as too short to be all that is asked for. Nothing else could tell: a hash has no length. */
  standsAlone(stored: string): boolean;
  /** The string was made with other parameters than new ones are, or by another system. */
  needsRehash(stored: string): boolean;
  foreign(hash: string): ForeignHashOutcome;
}
