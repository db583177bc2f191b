/**
 * The mails that the core sends, and the port that delivers them (src/mail). The texts are in the catalogue, by kind:
 * `mail.<kind>.subject`, `.preview`, `.heading`, `.text`, `.advice` and, with a link, `.button`.
 */

export const letterKinds = [
  /** To an address that a user claims: the link that proves it. */
  'confirm-email',
  /** To the owner of a proved address, when another account claims it. */
  'address-known',
  'email-changed',
  'reset-password',
  'password-changed',
  'factor-added',
  'factor-removed',
  /** An upstream identity was linked or unlinked. */
  'identity-linked',
  'identity-unlinked',
  'account-deleted',
  'invitation',
  /** After the right password: the code for the second step. */
  'sign-in-code',
  /** After a sign-in from an unknown browser, or through a program from a new network. */
  'new-sign-in',
  /** After an old refresh token ended the access of an application. */
  'access-ended',
] as const;
export type LetterKind = (typeof letterKinds)[number];

export interface Letter {
  readonly kind: LetterKind;
  /**
   * A checked address (core/kernel/names) of the account or, to prove it, of the form. Never another spelling of
   * either.
   */
  readonly to: string;
  /** A language of the catalogue. Any other becomes English. */
  readonly locale: string;
  /** The account, for the log and the audit record. */
  readonly subject?: string | undefined;
  /**
   * Path and query of the link on this server. The link begins with the issuer, whatever host the request named. Left
   * out: the mail has no link.
   */
  readonly path?: string | undefined;
  /** Lifetime of the link, in seconds. */
  readonly seconds?: number | undefined;
  /** Values of the placeholders in its text. */
  readonly values?: Readonly<Record<string, string>> | undefined;
  readonly facts?: LetterFacts | undefined;
}

/** What is known about the event that a mail reports. */
export interface LetterFacts {
  readonly username: string;
  /** Seconds since the epoch. */
  readonly at: number;
  /** The account's time zone (IANA), as stored. Undefined: UTC. */
  readonly zone?: string | undefined;
  /** Kind of the second factor that was added or removed, or `all`. */
  readonly factor?: string | undefined;
  /** The caller's, unless an administrator acted. */
  readonly program?: string | undefined;
  readonly system?: string | undefined;
  readonly address?: string | undefined;
  readonly byAdmin?: boolean | undefined;
}

/** A rendered mail. */
export interface Message {
  readonly kind: LetterKind;
  readonly to: string;
  readonly locale: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The whole URL of its link. */
  readonly link: string | undefined;
}

export type Delivery =
  | { readonly outcome: 'sent' }
  /** `forGood`: a retry would fail, too. `reason` is safe to log: it contains no credentials and no link. */
  | { readonly outcome: 'failed'; readonly forGood: boolean; readonly reason: string };

export interface MailTransport {
  /** Resolves when the mail server has accepted or refused the message. Never throws. */
  deliver(message: Message): Promise<Delivery>;
}
