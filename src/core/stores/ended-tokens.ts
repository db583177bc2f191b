/** A revoked JWT of a client's own, which has no grant. Kept until the JWT would have expired. */
export interface EndedToken {
  readonly clientId: string;
  /** The `jti` (RFC 7519, section 4.1.7): printable ASCII without blanks. */
  readonly jti: string;
  /** When the token expires, in seconds since the epoch. */
  readonly until: number;
}

export interface EndedTokenStore {
  /**
   * Notes a `token` change in the same transaction; its id is the three members, joined by blanks. Repeating a token
   * changes nothing. `full`: the client has about `most` rows already, so nothing was written.
   */
  put(token: EndedToken, most: number): Promise<'kept' | 'full'>;
  /** All rows that have not expired at `now`. */
  list(now: number): Promise<EndedToken[]>;
}
