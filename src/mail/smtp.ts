/**
 * Sends mails to an SMTP server, one connection each: mails are few, and idle connections break.
 * Credentials and links go over TLS. With credentials, a server without TLS is refused (RFC 8314, section 3), except on
 * this machine.
 */
import type { SMTPTransportOptions } from 'nodemailer';
import type { Delivery, MailTransport } from '../core/mail/mailer.ts';

export interface SmtpSettings {
  /** `smtp://` or `smtps://`, with user, password and `?tls=` as docs/mail.md says. */
  readonly url: string;
  readonly from: string;
  readonly replyTo: string | undefined;
}

/** A slower server counts as down; the mail is tried again. */
const patienceMs = 15_000;

export function createSmtp({ url, from, replyTo }: SmtpSettings): MailTransport {
  const options = smtpOptions(url);
  return {
    async deliver({ to, subject, text, html, locale }) {
      // Loaded with the first mail, so that the start does not wait for it.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport(options);
      try {
        const sent = await transport.sendMail({
          from,
          // An object is always one address; a string could be parsed as two.
          to: { name: '', address: to.normalize('NFKC') },
          ...(replyTo === undefined ? {} : { replyTo }),
          subject,
          text,
          html,
          headers: {
            'Content-Language': locale,
            // Asks for no out-of-office replies (RFC 3834, section 5).
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
  // The operator can correct a refused login or sender while the mail waits.
  const aboutUs = code === 'EAUTH' || command === 'MAIL FROM';
  const forGood = !aboutUs && responseCode !== undefined && responseCode >= 500;
  const status = responseCode === undefined ? '' : ` ${responseCode}`;
  // The server's message names the mailbox and may repeat the mail, so it is not logged.
  const words = responseCode === undefined ? `: ${message.replace(/[\p{Cc}]+/gu, ' ').slice(0, 120)}` : '';
  return { outcome: 'failed', forGood, reason: `${code ?? 'EUNKNOWN'}${status}${words}` };
}

function smtpOptions(address: string): SMTPTransportOptions {
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
    // A server with a self-signed certificate, allowed only by `?tls=unverified`.
    tls: { rejectUnauthorized: tls !== 'unverified', minVersion: 'TLSv1.2' },
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    dnsTimeout: patienceMs,
  };
}
