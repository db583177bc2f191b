/** A session in a browser, and its account. */
import type { Account } from '../../core/stores/accounts.ts';

export interface BrowserSession {
  readonly account: Account;
  readonly uid: string;
  /** Time of the last full sign-in, in seconds since the epoch. A step-up does not change it. */
  readonly signedInAt: number;
  /** The methods of that sign-in and of later step-ups. */
  readonly amr: readonly string[];
}
