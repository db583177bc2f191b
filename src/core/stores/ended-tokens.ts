/** JWTs that were ended before their time and hang on no grant: a client's own. Kept until they would have expired. */
export interface EndedToken {
  readonly clientId: string;
  /** RFC 7519, section 4.1.7. Printable ASCII without blanks. */
  readonly jti: string;
  /** Seconds since the epoch: from then on no one takes the token anyway. */
  readonly until: number;
}

export interface EndedTokenStore {
  /**
   * Notes the change `token` in the same transaction, with the three members as its id, one blank between them. The
   * same token again changes nothing. `full`: the client has `most` of them already, give or take concurrent calls, and
   * nothing is written.
   */
  put(token: EndedToken, most: number): Promise<'kept' | 'full'>;
  /** All that are kept and not over at `now`. */
  list(now: number): Promise<EndedToken[]>;
}
