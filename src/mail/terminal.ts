/** In development where no page may show mails: they are printed where the server runs, links and all. */
import type { MailTransport } from '../core/mail/mailer.ts';

export function createTerminalMail(print: (text: string) => void): MailTransport {
  return {
    async deliver({ to, subject, text }) {
      // What a stranger typed may be in it: it is never at the start of a line, and a terminal takes no orders from it.
      const lines = `To: ${to}\nSubject: ${subject}\n\n${text.trim()}`.split('\n');
      const plain = lines.map((line) => `  | ${line.replaceAll(/[\p{C}\u2028\u2029]/gu, '?')}`.trimEnd());
      print(`A mail, which without SMTP_URL is only shown here:\n${plain.join('\n')}\n`);
      return { outcome: 'sent' };
    },
  };
}
