/** A mail in the words of its language: what its HTML (views/mail/mail.ejs) and its plain text are made of. */

export interface MailContent {
  readonly locale: string;
  readonly dir: 'ltr' | 'rtl';
  readonly brand: string;
  readonly issuer: string;
  /** One line. */
  readonly subject: string;
  /** Mail programs show it in their list, after the subject. */
  readonly preview: string;
  readonly heading: string;
  readonly paragraphs: readonly string[];
  /** To be typed. */
  readonly code?: string | undefined;
  /** What is known about the event: a label and a value each. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly button?: MailLink | undefined;
  /** The sentence before the button's address in full. */
  readonly addressNote: string;
  /** What to do if the mail is unexpected. */
  readonly advice: { readonly heading: string; readonly paragraphs: readonly string[] };
  /** The button does what the advice says, and follows it. */
  readonly adviceFirst: boolean;
  /** Further pages that the advice names. */
  readonly links: readonly MailLink[];
  /** Why the reader gets this mail. */
  readonly reason: string;
  /** The brand's own: privacy, terms, help. */
  readonly footer: readonly MailLink[];
}

export interface MailLink {
  readonly words: string;
  readonly to: string;
}
