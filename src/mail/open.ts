/** Chooses how this server sends mails: SMTP, a page or the terminal in development, or nowhere. */
import type { MailTransport } from '../core/mail/mailer.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { createSmtp, type SmtpSettings } from './smtp.ts';
import { createTerminalMail } from './terminal.ts';

interface MailWay {
  readonly goes: 'smtp' | 'page' | 'terminal' | 'nowhere';
  readonly smtp: SmtpSettings | undefined;
}

export function openMail(
  { goes, smtp }: MailWay,
  print: (text: string) => void,
): { readonly transport: MailTransport | undefined; readonly mailbox: Mailbox | undefined } {
  if (smtp) return { transport: createSmtp(smtp), mailbox: undefined };
  if (goes === 'terminal') return { transport: createTerminalMail(print), mailbox: undefined };
  const mailbox = goes === 'page' ? createMailbox() : undefined;
  return { transport: mailbox, mailbox };
}
