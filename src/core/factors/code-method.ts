/**
 * The port of a login method whose proof is a code that is typed: from an authenticator app, from a mail, from a list.
 * Each is a folder of login/ and a line in login/methods.ts. The second step, the pages, `X-OTP` and the mails go
 * through that list.
 *
 *   kind, name    what it is called in storage, in `X-OTP` and in the texts of the pages; and on the command line
 *   amr           what it adds to `amr`
 *   wire          its fields in the form of the second-factor page
 *   read, verify  whether what was typed is one of its codes; then whether it is right, and is used up by that
 *   challenge     sends a code; left out where its owner has it at hand
 *   switchOn      how an account gets it: at once, or (`enrolment`) with a secret and a code that shows that a device
 *                 has it
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
  /** As the command line writes it. */
  readonly name: string;
  /** RFC 8176. */
  readonly amr: readonly Amr[];
  /** `code`: the field of its code. `send`: the value of `answer` by which a code is asked for. */
  readonly wire: { readonly code: string; readonly send?: string };
  /** Its codes are short enough to be guessed, so each counts before it is looked at. */
  readonly guessable: boolean;
  /**
   * The code in what was typed, in its one form; undefined where it is something else. No two methods read the same
   * text.
   */
  read(typed: string): string | undefined;
  open(parts: CodeMethodParts): OpenCodeMethod;
}

/** What a method has to work with. */
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
  /** As an authenticator app shows it. */
  readonly issuer: string;
  /** Ends the rows of wrong codes that are among these factors, of each kind that can be locked. */
  forgive(subject: string, rows: readonly FactorRow[]): Promise<void>;
}

/** All throw `Unavailable` where storage cannot answer. */
export interface OpenCodeMethod {
  /** Whether the account with these factors can use it at this moment. */
  isOpen(subject: string, rows: readonly FactorRow[]): boolean | Promise<boolean>;
  /** Refused after too many wrong codes in a row; left out: none ever is. */
  isLocked?(row: FactorRow): boolean;
  /** Only after the right password. */
  verify(subject: string, code: string, fields: AuditFields): Promise<Verified>;
  readonly challenge?: Challenge;
  readonly switchOn?: Switch;
  readonly enrolment?: Enrolment;
}

export type WrongCode = 'wrong' | 'used' | 'locked' | 'over';

export type Verified =
  | { readonly outcome: 'right' }
  /**
   * `used`: it was right, once. `locked`: no code of the app is looked at. `over`: no code that was mailed is good any more. `lately`:
   * one was right a moment ago, so that this may be the same form sent twice.
   */
  | { readonly outcome: 'wrong'; readonly why: WrongCode; readonly lately?: boolean };

export interface SentCode {
  /** `wait`: one was sent a moment ago, or too many were. `failed`: this server sends no mails, or there is no verified address. */
  readonly outcome: 'sent' | 'wait' | 'failed';
  /** The address with most of it left out. */
  readonly to: string;
  /** Seconds until another may be asked for. */
  readonly retryAfter: number;
}

export interface Challenge {
  /** Only after the right password. Does not wait for the mail to leave. */
  send(account: Account, fields: AuditFields): Promise<SentCode>;
  /** The code that is out, if one is, is good no more. */
  end(subject: string): Promise<void>;
}

export type SwitchOnOutcome =
  /** `recoveryCodes`: to be shown now and never again; none where the account has some left. */
  | { readonly outcome: 'added'; readonly recoveryCodes: readonly string[] }
  /** `no-address`: none that is verified. `no-mail`: this server sends none. */
  | { readonly outcome: 'on-already' | 'no-address' | 'no-mail' | 'not-found' };

interface Switch {
  /** Whether this account could have it. */
  fits(account: Account): boolean;
  on(subject: string, caller?: Caller): Promise<SwitchOnOutcome>;
}

export interface BegunEnrolment {
  readonly outcome: 'begun';
  readonly factorId: string;
  /** Base32, for those who type it. Shown now and never again. */
  readonly secret: string;
  /** What the QR code holds. */
  readonly uri: string;
}

export type ConfirmOutcome =
  /** `recoveryCodes`: to be shown now and never again; none where the account has some left. */
  | { readonly outcome: 'enrolled'; readonly recoveryCodes: readonly string[] }
  | { readonly outcome: 'wrong-code' }
  /** Unknown, confirmed before, replaced by a newer enrolment, or begun too long ago. */
  | { readonly outcome: 'gone' };

/** Nothing is asked for at a sign-in until it is confirmed. */
interface Enrolment {
  begin(
    subject: string,
    options?: { readonly name?: string },
  ): Promise<BegunEnrolment | { readonly outcome: 'not-found' | 'too-many' }>;
  /** With a current code, which shows that the device has the secret. */
  confirm(subject: string, factorId: string, code: string, caller?: Caller): Promise<ConfirmOutcome>;
}

/** What was typed for a code of digits, in one form: apps and mails show `123 456`, and a keyboard may type full-width or Arabic digits. */
export function digitsTyped(typed: string): string {
  return typed
    .normalize('NFKC')
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 15));
}
