/** The port of the list of stolen passwords. Implemented in login/breach. */
export interface BreachedPasswords {
  /** Also returns false if the list is not available: its failure must not keep users from setting a password. */
  includes(password: string): Promise<boolean>;
}
