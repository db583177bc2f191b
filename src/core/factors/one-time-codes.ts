/** What core needs from the login methods `totp`, `recovery-code` and `email-code`. Each is implemented in its folder under login/. */

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

export interface EmailCodeMethod {
  /** A fresh code: eight digits, so that it is told from an app's by its length. */
  make(): string;
  /** The eight digits in what was typed, or undefined where it is something else. */
  read(typed: string): string | undefined;
}

/** What was typed for a code of digits, in one form: apps and mails show `123 456`, and a keyboard may type full-width or Arabic digits. */
export function digitsTyped(typed: string): string {
  return typed
    .normalize('NFKC')
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 15));
}
