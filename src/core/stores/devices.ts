/** A browser in which a person has chosen to be remembered. */
export interface DeviceRow {
  readonly id: string;
  /** SHA-256 of the value of the browser's cookie. */
  readonly browser: string;
  readonly subject: string;
  /** Seconds since the epoch, as are the others. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
}

/** Expired ones are as good as gone. */
export interface DeviceStore {
  find(browser: string, subject: string, now: number): Promise<DeviceRow | undefined>;
  /** Those of one browser, last used first. */
  ofBrowser(browser: string, now: number): Promise<DeviceRow[]>;
  /**
   * One row per browser and account: one that is there keeps its id and `createdAt`. Beyond `most` those unused for longest go.
   * False, and nothing stored, where there is no such account.
   */
  put(device: DeviceRow, most: { readonly ofAccount: number; readonly ofBrowser: number }): Promise<boolean>;
  /** Whose it was; undefined where this browser has no such row. */
  remove(browser: string, id: string): Promise<string | undefined>;
  /** All of an account's but this browser's. Returns how many went. */
  removeAll(subject: string, exceptBrowser?: string): Promise<number>;
}
