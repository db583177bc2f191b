/** What core needs from a list of passwords that were stolen elsewhere. Implemented in login/breach. */
export interface BreachedPasswords {
  /** False also where the list cannot be asked: it is a precaution, and must not keep people from having a password. */
  includes(password: string): Promise<boolean>;
}
