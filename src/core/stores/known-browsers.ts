/** A browser in which a user has signed in. */
export interface KnownBrowserRow {
  readonly id: string;
  /** SHA-256 of the value of the browser's cookie. */
  readonly browser: string;
  readonly subject: string;
  /** The user chose to be remembered. Otherwise the account is not shown to other users of the browser. */
  readonly shown: boolean;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
}

/** Reads ignore expired rows. */
export interface KnownBrowserStore {
  find(browser: string, subject: string, now: number): Promise<KnownBrowserRow | undefined>;
  /** The shown rows of one browser, last used first. */
  ofBrowser(browser: string, now: number): Promise<KnownBrowserRow[]>;
  /** All rows of the account, last used first. */
  ofAccount(subject: string, now: number): Promise<KnownBrowserRow[]>;
  /**
   * One row per browser and account; an existing row keeps its id and `createdAt`. Removes the least recently used rows
   * beyond `most`, counting shown rows and others apart, so that neither displaces the other. `former`: the browser's
   * previous value, whose rows move to the new one in the same commit. Returns false if there is no such account.
   */
  put(
    knownBrowser: KnownBrowserRow,
    most: { readonly ofAccount: number; readonly ofBrowser: number },
    former?: string,
  ): Promise<boolean>;
  /** Returns the row's subject. Undefined if this browser has no such row. */
  remove(browser: string, id: string): Promise<string | undefined>;
  /** Removes all rows of the account except this browser's. Returns how many. */
  removeAll(subject: string, exceptBrowser?: string): Promise<number>;
}
