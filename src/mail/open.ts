/** How this server's mails leave: by SMTP where one is configured, in development to a page, otherwise not at all. */
import type { MailTransport } from '../core/mailer.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { createSmtp, type SmtpSettings } from './smtp.ts';

export function openMail(
  smtp: SmtpSettings | undefined,
  development: boolean,
): { readonly transport: MailTransport | undefined; readonly mailbox: Mailbox | undefined } {
  if (smtp) return { transport: createSmtp(smtp), mailbox: undefined };
  const mailbox = development ? createMailbox() : undefined;
  return { transport: mailbox, mailbox };
}
