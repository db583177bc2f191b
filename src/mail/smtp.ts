/**
 * Carries mails to an SMTP server, one connection each: they are few, and an idle connection is one more thing that breaks.
 * Credentials and links go over TLS: with credentials a server that does not offer it is refused, not talked to in the clear
 * (RFC 8314, section 3), except on this machine itself.
 */
import type { SMTPTransportOptions } from 'nodemailer';
import type { Delivery, MailTransport } from '../core/mail/mailer.ts';

export interface SmtpSettings {
  /** `smtp://` or `smtps://`, with user, password and `?tls=` as docs/mail.md says. */
  readonly url: string;
  readonly from: string;
  readonly replyTo: string | undefined;
}

/** A server that takes longer is slow enough to count as down; the mail is tried again. */
const patienceMs = 15_000;

export function createSmtp({ url, from, replyTo }: SmtpSettings): MailTransport {
  const options = smtpOptions(url);
  return {
    async deliver({ to, subject, text, html, locale }) {
      // Loaded with the first mail: a start does not wait for it.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport(options);
      try {
        const sent = await transport.sendMail({
          from,
          // As an object it is one address, whatever it looks like; in a list's syntax it could be two.
          to: { name: '', address: to.normalize('NFKC') },
          ...(replyTo === undefined ? {} : { replyTo }),
          subject,
          text,
          html,
          headers: {
            'Content-Language': locale,
            // No out-of-office notes back (RFC 3834, section 5).
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
          },
          disableFileAccess: true,
          disableUrlAccess: true,
        });
        return sent.rejected.length > 0
          ? { outcome: 'failed', forGood: true, reason: 'the server refused the address' }
          : { outcome: 'sent' };
      } catch (error) {
        return failure(error);
      } finally {
        transport.close();
      }
    },
  };
}

function failure(error: unknown): Delivery {
  const { code, responseCode, command, message } = error as Error & {
    code?: string;
    responseCode?: number;
    command?: string;
  };
  // A refusal of ours (the login, the sender) is the operator's to mend, which they may do while the mail waits.
  const aboutUs = code === 'EAUTH' || command === 'MAIL FROM';
  const forGood = !aboutUs && responseCode !== undefined && responseCode >= 500;
  const status = responseCode === undefined ? '' : ` ${responseCode}`;
  // The server's own words name the mailbox, and may repeat what it was sent: they are cut off.
  const words = responseCode === undefined ? `: ${message.replace(/[\p{Cc}]+/gu, ' ').slice(0, 120)}` : '';
  return { outcome: 'failed', forGood, reason: `${code ?? 'EUNKNOWN'}${status}${words}` };
}

/** Exported for its test. */
export function smtpOptions(address: string): SMTPTransportOptions {
  const url = new URL(address);
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const here = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
  const tls = url.searchParams.get('tls');
  const user = decodeURIComponent(url.username);
  return {
    host,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: !secure && (tls === 'required' || (tls === null && user !== '' && !here)),
    // A server of one's own with a certificate that nobody has signed. Asked for by name only.
    tls: { rejectUnauthorized: tls !== 'unverified', minVersion: 'TLSv1.2' },
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    dnsTimeout: patienceMs,
  };
}
