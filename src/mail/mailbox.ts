/** In development without a mail server, mails stay in this process and a page shows them. */
import { nowSeconds } from '../base/clock.ts';
import { randomToken } from '../base/secrets.ts';
import type { MailTransport, Message } from '../core/mail/mailer.ts';

export interface KeptMail extends Message {
  /** Counts from 1 since the start. */
  readonly number: number;
  /** Seconds since the epoch. */
  readonly at: number;
}

export interface Mailbox extends MailTransport {
  /** The key in the link that the start prints; it works once. */
  readonly key: string;
  /** Newest first. */
  list(): readonly KeptMail[];
}

const keptMax = 50;

export function createMailbox(): Mailbox {
  const mails: KeptMail[] = [];
  let number = 0;
  return {
    key: randomToken(24),
    async deliver(message) {
      number += 1;
      mails.unshift({ ...message, number, at: nowSeconds() });
      mails.length = Math.min(mails.length, keptMax);
      return { outcome: 'sent' };
    },
    list: () => [...mails],
  };
}
