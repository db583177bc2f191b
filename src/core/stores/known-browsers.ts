/** A browser in which a person has signed in. */
export interface KnownBrowserRow {
  readonly id: string;
  /** SHA-256 of the value of the browser's cookie. */
  readonly browser: string;
  readonly subject: string;
  /** Its person has chosen to be remembered there; otherwise the account is not to be named to whoever uses the browser. */
  readonly shown: boolean;
  /** Seconds since the epoch, as are the others. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
}

/** Expired ones are as good as gone. */
export interface KnownBrowserStore {
  find(browser: string, subject: string, now: number): Promise<KnownBrowserRow | undefined>;
  /** Those of one browser that are shown, last used first. */
  ofBrowser(browser: string, now: number): Promise<KnownBrowserRow[]>;
  /** All of an account's, last used first. */
  ofAccount(subject: string, now: number): Promise<KnownBrowserRow[]>;
  /**
   * One row per browser and account: one that is there keeps its id and `createdAt`. Beyond `most` those unused for longest go; it
   * holds for those that are shown and for the rest apart, so that neither displaces the other. `former`: what the same browser was
   * known by until now; its rows go over to the new value, in the same commit. False, and nothing stored, where there is no such account.
   */
  put(
    knownBrowser: KnownBrowserRow,
    most: { readonly ofAccount: number; readonly ofBrowser: number },
    former?: string,
  ): Promise<boolean>;
  /** Whose it was; undefined where this browser has no such row. */
  remove(browser: string, id: string): Promise<string | undefined>;
  /** All of an account's but this browser's. Returns how many went. */
  removeAll(subject: string, exceptBrowser?: string): Promise<number>;
}
