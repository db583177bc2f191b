/** In development without a mail page, mails are printed in the terminal, with their links. */
import type { MailTransport } from '../core/mail/mailer.ts';

export function createTerminalMail(print: (text: string) => void): MailTransport {
  return {
    async deliver({ to, subject, text }) {
      // Untrusted text is never at the start of a line, and control characters do not reach the terminal.
      const lines = `To: ${to}\nSubject: ${subject}\n\n${text.trim()}`.split('\n');
      const plain = lines.map((line) => `  | ${line.replaceAll(/[\p{C}\u2028\u2029]/gu, '?')}`.trimEnd());
      print(`A mail, shown here because SMTP_URL is not set:\n${plain.join('\n')}\n`);
      return { outcome: 'sent' };
    },
  };
}
