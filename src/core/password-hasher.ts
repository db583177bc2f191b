/** What core needs from the login method `password`. Implemented in login/password. */

/** All three throw `Unavailable('busy')` when too many passwords are being hashed already. */
export interface PasswordHasher {
  /** A PHC string. The password must have passed `passwordProblem`. */
  hash(password: string): Promise<string>;
  /** Null (no such account, or none with a password) costs the same time and is false. */
  verify(phc: string | null, password: string): Promise<boolean>;
  /** The string was made with other parameters than new ones are. */
  needsRehash(phc: string): boolean;
}
