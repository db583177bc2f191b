/** What the database shows of the use of the API surfaces. */
export interface SurfaceUse {
  /** By which doors, other than browsers', there are sessions. */
  readonly doors: readonly string[];
  /** A person has registered a client. */
  readonly ownedClients: boolean;
  /** A client holds a client token. */
  readonly clientTokens: boolean;
}

export interface UseStore {
  /** One statement that looks up a few index entries, however much there is. */
  read(): Promise<SurfaceUse>;
}
