/** The browser's session, and whose it is. */
import type { Account } from '../../core/stores/accounts.ts';

export interface BrowserSession {
  readonly account: Account;
  readonly uid: string;
  /** When the person last signed in as a whole; no step-up moves it. Seconds since the epoch. */
  readonly signedInAt: number;
  /** How they did, and what they have proved since. */
  readonly amr: readonly string[];
}
