/**
 * The port of a login method whose proof is a typed code: from an authenticator app, a mail or a list. Each is a folder
 * of login/ and a line in login/methods.ts. The second step, the pages, `X-OTP` and the mails use that list.
 *
 *   kind, name    its name in storage, in `X-OTP` and in page texts; its name on the command line
 *   amr           what it adds to `amr`
 *   wire          its fields in the form of the second-factor page
 *   read, verify  whether the text is one of its codes; then whether the code is right, which consumes it
 *   challenge     sends a code; left out if the user already has one
 *   switchOn      adds it to an account: at once, or (`enrolment`) with a secret and a code that proves possession
 */
import type { ChangeLog } from '../changes/change-log.ts';
import type { Amr } from '../kernel/amr.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import type { MailLimits } from '../mail/mail-limits.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { FactorRow, FactorStore } from '../stores/factors.ts';
import type { RecoveryCodeFormat } from './recovery-codes.ts';

export interface CodeMethod {
  readonly kind: string;
  /** As on the command line. */
  readonly name: string;
  /** RFC 8176. */
  readonly amr: readonly Amr[];
  /** `code`: the field of the code. `send`: the value of `answer` that requests a code. */
  readonly wire: { readonly code: string; readonly send?: string };
  /** The codes are short enough to guess, so each attempt counts before it is checked. */
  readonly guessable: boolean;
  /**
   * Returns the code in its canonical form, or undefined if the text is something else. No two methods read the same
   * text.
   */
  read(typed: string): string | undefined;
  open(parts: CodeMethodParts): OpenCodeMethod;
}

/** The dependencies of a method. */
export interface CodeMethodParts {
  readonly store: FactorStore;
  readonly accounts: Pick<AccountStore, 'bySubject'>;
  readonly recoveryCodes: RecoveryCodeFormat;
  readonly mails: Pick<Mails, 'work' | 'send'>;
  readonly limits: Pick<MailLimits, 'mayMailCode' | 'giveBackCode'>;
  readonly audit: Audit;
  readonly changes: Pick<ChangeLog, 'changed'>;
  /** To derive keys from (base/secrets `deriveKey`). */
  readonly secretKey: string;
  /** As authenticator apps show it. */
  readonly issuer: string;
  /** Resets the counters of wrong codes of these factors, for each kind that can be locked. */
  forgive(subject: string, rows: readonly FactorRow[]): Promise<void>;
}

/** All throw `Unavailable` if storage is not available. */
export interface OpenCodeMethod {
  /** Tells whether the account with these factors can use the method now. */
  isOpen(subject: string, rows: readonly FactorRow[]): boolean | Promise<boolean>;
  /** Locked after too many wrong codes in a row. Left out: the method is never locked. */
  isLocked?(row: FactorRow): boolean;
  /** Call only after the right password. */
  verify(subject: string, code: string, fields: AuditFields): Promise<Verified>;
  readonly challenge?: Challenge;
  readonly switchOn?: Switch;
  readonly enrolment?: Enrolment;
}

export type WrongCode = 'wrong' | 'used' | 'locked' | 'over';

export type Verified =
  | { readonly outcome: 'right' }
  /**
   * `used`: the code was right, but used before. `locked`: the app is locked, and its codes are not checked. `over`: no
   * mailed code is valid. `lately`: a code was right a moment ago, so this may be the same form sent twice.
   */
  | { readonly outcome: 'wrong'; readonly why: WrongCode; readonly lately?: boolean };

export interface SentCode {
  /**
   * `wait`: a code was sent a moment ago, or too many were. `failed`: this server sends no mails, or the account has no
   * proved address.
   */
  readonly outcome: 'sent' | 'wait' | 'failed';
  /** The address, mostly masked. */
  readonly to: string;
  /** Seconds until another code may be requested. */
  readonly retryAfter: number;
}

export interface Challenge {
  /** Call only after the right password. Does not wait for the mail. */
  send(account: Account, fields: AuditFields): Promise<SentCode>;
  /** Ends the code that was sent, if there is one. */
  end(subject: string): Promise<void>;
}

export type SwitchOnOutcome =
  /** `recoveryCodes`: shown once; empty if the account has some left. */
  | { readonly outcome: 'added'; readonly recoveryCodes: readonly string[] }
  /** `no-address`: the account has no proved address. `no-mail`: this server sends no mails. */
  | { readonly outcome: 'on-already' | 'no-address' | 'no-mail' | 'not-found' };

interface Switch {
  /** Tells whether this account can have it. */
  fits(account: Account): boolean;
  on(subject: string, caller?: Caller): Promise<SwitchOnOutcome>;
}

export interface BegunEnrolment {
  readonly outcome: 'begun';
  readonly factorId: string;
  /** Base32, for users who type it. Shown once. */
  readonly secret: string;
  /** The content of the QR code. */
  readonly uri: string;
}

export type ConfirmOutcome =
  /** `recoveryCodes`: shown once; empty if the account has some left. */
  | { readonly outcome: 'enrolled'; readonly recoveryCodes: readonly string[] }
  | { readonly outcome: 'wrong-code' }
  /** The enrolment is unknown, confirmed, replaced or expired. */
  | { readonly outcome: 'gone' };

/** Sign-ins ask for the factor only after it is confirmed. */
interface Enrolment {
  begin(
    subject: string,
    options?: { readonly name?: string },
  ): Promise<BegunEnrolment | { readonly outcome: 'not-found' | 'too-many' }>;
  /** `code`: a current one, which proves that the device has the secret. */
  confirm(subject: string, factorId: string, code: string, caller?: Caller): Promise<ConfirmOutcome>;
}

/** Removes the spaces and dashes of a typed code (`123 456`), and reads full-width and Arabic digits. */
export function digitsTyped(typed: string): string {
  return (
    typed
      .normalize('NFKC')
      // \p{Cf}: marks that isolate a code from the text around it, and are copied with it.
      .replace(/[\s\p{Pd}\p{Cf}]/gu, '')
      .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 15))
  );
}
