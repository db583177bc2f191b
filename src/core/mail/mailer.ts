/**
 * What the core writes to people, and what it needs from whoever words and carries it (src/mail). A letter names its kind; its
 * words are in the catalogue, `mail.<kind>.subject`, `.text` and, where there is a link, `.button`.
 */

export const letterKinds = [
  /** To an address that somebody says is theirs: the link that proves it. */
  'confirm-email',
  /** To an address that is an account's already, when somebody says of another account that it is theirs. */
  'address-known',
  'email-changed',
  'reset-password',
  'password-changed',
  'factor-added',
  'factor-removed',
  /** An account at another provider signs in here from now on, or no longer. */
  'identity-linked',
  'identity-unlinked',
  'account-deleted',
  'invitation',
  /** To somebody who has given the right password: the code for the second step. */
  'sign-in-code',
  /** To somebody who has signed in in a browser that does not remember them, or through a program from a new place. */
  'new-sign-in',
] as const;
export type LetterKind = (typeof letterKinds)[number];

export interface Letter {
  readonly kind: LetterKind;
  /**
   * An address as core/kernel/names lets it pass, from the account or, to prove it, from the form; never from what only
   * resembles it.
   */
  readonly to: string;
  /** One of the catalogue's languages; any other becomes English. */
  readonly locale: string;
  /** Whom it is about: for the log and the audit record. */
  readonly subject?: string | undefined;
  /**
   * Where its link leads: a path on this server with its query. The issuer goes in front, whatever host a request named. Left out:
   * it has none, only a code that stands in its text.
   */
  readonly path?: string | undefined;
  /** How long the link works, in seconds. */
  readonly seconds?: number | undefined;
  /** For the placeholders of its text. */
  readonly values?: Readonly<Record<string, string>> | undefined;
}

/** A letter in words. */
export interface Message {
  readonly kind: LetterKind;
  readonly to: string;
  readonly locale: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The address in it that does something, whole. */
  readonly link: string | undefined;
}

export type Delivery =
  | { readonly outcome: 'sent' }
  /** `forGood`: trying again would change nothing. `reason` is fit for a log: no credentials, no link. */
  | { readonly outcome: 'failed'; readonly forGood: boolean; readonly reason: string };

export interface MailTransport {
  /** Resolves when the mail server has taken the message or said why not. Never throws. */
  deliver(message: Message): Promise<Delivery>;
}
