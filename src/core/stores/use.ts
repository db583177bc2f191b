/** Which API surfaces are in use, by what the database holds. */
export interface SurfaceUse {
  /** Origins of the stored sessions, without `browser`. */
  readonly doors: readonly string[];
  /** A user has registered a client. */
  readonly ownedClients: boolean;
  /** A client holds a client token. */
  readonly clientTokens: boolean;
}

export interface UseStore {
  /** One statement that reads a few index entries, however large the database is. */
  read(): Promise<SurfaceUse>;
}
