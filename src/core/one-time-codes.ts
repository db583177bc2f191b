/** What core needs from the login methods `totp` and `recovery-code`. Implemented in login/totp and login/recovery-code. */

export interface TotpMethod {
  /** A fresh secret in base32, as authenticator apps take it. */
  makeSecret(): string;
  /** What the QR code of an enrolment holds. */
  uri(secret: string, issuer: string, account: string): string;
  /** The six digits in what was typed, or undefined where it is something else. */
  read(typed: string): string | undefined;
  /** The time step whose code this is, among that of `now` (seconds) and its two neighbours; undefined where it is none of them. */
  stepOf(secret: string, code: string, now: number): number | undefined;
}

export interface RecoveryCodeMethod {
  /** Fresh codes, as they are shown. Each holds 80 random bits: nobody guesses one, so nothing has to slow guessing down. */
  make(count: number): string[];
  /** The one form of what was typed; undefined where it cannot be such a code. */
  read(typed: string): string | undefined;
}
