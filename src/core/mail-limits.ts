/** How many mails may be caused: nobody's mailbox is to be flooded through this server, and nobody is to send from it at will. */
import { digest } from '../base/secrets.ts';
import { emailKey } from './names.ts';
import type { Throttle } from './stores/throttle.ts';
import { addressNetwork } from './throttle-keys.ts';

export const mailWindowSeconds = 3600;

export type MayAsk = { readonly allowed: true } | { readonly allowed: false; readonly retryAfter: number };

export interface MailLimits {
  /** Counts a request from this IP address that may lead to a mail. */
  mayAsk(address: string): Promise<MayAsk>;
  /** Counts a mail to this mailbox, on account of this person. A refusal is nobody's business but the log's. */
  mayMail(email: string, subject: string): Promise<MayAsk>;
  /**
   * Counts a code mailed to this person, apart from the rest: it takes the right password, so strangers who ask for links in their
   * name cannot use it up and keep them out (security.md B8).
   */
  mayMailCode(subject: string): Promise<MayAsk>;
  /** None was sent after all. */
  giveBackCode(subject: string): Promise<void>;
}

const codesOf = (subject: string): string => `code-mails-of:${subject}`;

export function createMailLimits(deps: {
  throttle: Throttle;
  settings: {
    /** To one mailbox, and on account of one person, within the window. */
    readonly mailbox: number;
    /** Requests from one IP address within the window. */
    readonly address: number;
  };
}): MailLimits {
  const { throttle, settings } = deps;
  return {
    mayAsk: (address) =>
      throttle.attempt([{ key: `mails-from:${addressNetwork(address)}`, limit: settings.address }], mailWindowSeconds),
    mayMail: (email, subject) =>
      throttle.attempt(
        [
          // Whatever follows a plus is the same mailbox at most providers; at the others it is at least the same person.
          { key: `mails-to:${digest((emailKey(email) ?? email).replace(/\+[^@]*@/, '@'))}`, limit: settings.mailbox },
          { key: `mails-of:${subject}`, limit: settings.mailbox },
        ],
        mailWindowSeconds,
      ),
    mayMailCode: (subject) => throttle.attempt([{ key: codesOf(subject), limit: settings.mailbox }], mailWindowSeconds),
    giveBackCode: (subject) => throttle.giveBack([codesOf(subject)]),
  };
}
