/** Mails through a real SMTP server: how they travel, what is in them, and what happens when they cannot. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { SMTPServerOptions } from 'smtp-server';
import { sampleLetter } from '../../dev/gallery/mails.ts';
import type { Message } from '../../src/core/mail/mailer.ts';
import { createWording } from '../../src/mail/letters.ts';
import { createSmtp } from '../../src/mail/smtp.ts';
import { openMailLook } from '../../src/pages/kit/mail/mail-look.ts';
import { freePort } from '../support/free-port.ts';
import { type SmtpServer, startSmtp } from '../support/mail.ts';

const message: Message = {
  kind: 'reset-password',
  to: 'ada@example.org',
  locale: 'en',
  subject: 'A new password',
  text: 'Open this link: https://id.example.com/reset?token=secret',
  html: '<p>Open this link</p>',
  link: 'https://id.example.com/reset?token=secret',
};

let open: SmtpServer[] = [];
afterEach(async () => {
  for (const server of open) await server.close();
  open = [];
});

async function smtp(options: SMTPServerOptions = {}): Promise<SmtpServer> {
  const server = await startSmtp(options);
  open.push(server);
  return server;
}

const carrier = (url: string) => createSmtp({ url, from: 'Example <no-reply@id.example.com>', replyTo: undefined });

/** Only this name and password. */
const login: SMTPServerOptions = {
  authOptional: false,
  onAuth({ username, password }, _session, done) {
    if (username === 'robot@id' && password === 'p@ss/word') done(null, { user: username });
    else done(new Error('no'));
  },
};
const credentials = `${encodeURIComponent('robot@id')}:${encodeURIComponent('p@ss/word')}`;

describe('how a mail travels', () => {
  test('to a server on this machine, with everything a mail needs', async () => {
    const server = await smtp({ hideSTARTTLS: true });
    expect(await carrier(`smtp://127.0.0.1:${server.port}`).deliver(message)).toEqual({ outcome: 'sent' });
    const [mail] = server.received;
    expect(mail).toMatchObject({ from: 'no-reply@id.example.com', to: ['ada@example.org'], secure: false });
    expect(Object.fromEntries(mail?.headers ?? [])).toMatchObject({
      from: 'Example <no-reply@id.example.com>',
      to: 'ada@example.org',
      subject: 'A new password',
      'content-language': 'en',
      'auto-submitted': 'auto-generated',
    });
    expect(mail?.readable).toContain('https://id.example.com/reset?token=secret');
    expect(mail?.readable).toContain('text/html');
  });

  test('the longest of all, in Arabic: plain text first, then HTML, in lines and in a size that every server takes', async () => {
    const server = await smtp({ hideSTARTTLS: true });
    const letter = sampleLetter('access-ended-long', 'ar');
    if (!letter) throw new Error('no sample');
    const config = { issuer: 'https://id.example.com', brand: { name: 'Example' } };
    const word = createWording({ ...config, brandName: 'Example', look: async () => openMailLook(config) });
    expect(await carrier(`smtp://127.0.0.1:${server.port}`).deliver(await word(letter))).toEqual({ outcome: 'sent' });
    const source = server.received[0]?.source ?? '';
    expect(server.received[0]?.headers.get('content-type')).toMatch(/^multipart\/alternative;/);
    expect(server.received[0]?.headers.get('content-language')).toBe('ar');
    expect(source.match(/^Content-Type: text\/\w+; charset=utf-8/gm)).toEqual([
      'Content-Type: text/plain; charset=utf-8',
      'Content-Type: text/html; charset=utf-8',
    ]);
    // RFC 5322, section 2.1.1; and what Gmail shows of a mail.
    expect(Math.max(...source.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
    expect(source.length).toBeLessThan(102_000);
  });

  test('over STARTTLS, signed in', async () => {
    const server = await smtp(login);
    const url = `smtp://${credentials}@127.0.0.1:${server.port}?tls=unverified`;
    expect(await carrier(url).deliver(message)).toEqual({ outcome: 'sent' });
    expect(server.received[0]).toMatchObject({ secure: true, user: 'robot@id' });
  });

  test('over TLS from the beginning, signed in by the other usual method', async () => {
    const server = await smtp({ ...login, secure: true, authMethods: ['LOGIN'] });
    const url = `smtps://${credentials}@127.0.0.1:${server.port}?tls=unverified`;
    expect(await carrier(url).deliver(message)).toEqual({ outcome: 'sent' });
    expect(server.received[0]).toMatchObject({ secure: true, user: 'robot@id' });
  });

  test('a certificate that no authority has signed is refused, and the mail is not sent', async () => {
    for (const [secure, scheme] of [
      [true, 'smtps'],
      [false, 'smtp'],
    ] as const) {
      const server = await smtp({ secure });
      const outcome = await carrier(`${scheme}://127.0.0.1:${server.port}`).deliver(message);
      expect(outcome).toMatchObject({ outcome: 'failed', forGood: false });
      expect(server.received).toHaveLength(0);
    }
  });

  test.each([
    ['where TLS is required', '127.0.0.1', '?tls=required'],
    // It is this machine, and not written so that this could be told.
    ['with a password for another machine', '0.0.0.0', ''],
  ])('%s, a server without TLS gets neither the password nor the mail', async (_, host, tls) => {
    let asked = false;
    const server = await smtp({
      hideSTARTTLS: true,
      allowInsecureAuth: true,
      onAuth(_auth, _session, done) {
        asked = true;
        done(null, { user: 'anybody' });
      },
    });
    const outcome = await carrier(`smtp://${credentials}@${host}:${server.port}${tls}`).deliver(message);
    expect(outcome).toMatchObject({ outcome: 'failed', forGood: false });
    expect([asked, server.received.length]).toEqual([false, 0]);
  });
});

describe('what a mail server may answer', () => {
  test('a wrong password may be mended while the mail waits, and is in no reason', async () => {
    const server = await smtp(login);
    const url = `smtp://${encodeURIComponent('robot@id')}:hunter2hunter2@127.0.0.1:${server.port}?tls=unverified`;
    const outcome = await carrier(url).deliver(message);
    expect(outcome).toMatchObject({ outcome: 'failed', forGood: false });
    expect(JSON.stringify(outcome)).toContain('EAUTH 535');
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  });

  test.each([
    [550, true],
    [450, false],
  ])('an address that is refused with %d: for good is %p', async (responseCode, forGood) => {
    const server = await smtp({
      hideSTARTTLS: true,
      onRcptTo: (_address, _session, done) =>
        done(Object.assign(new Error('not here, ada@example.org'), { responseCode })),
    });
    const outcome = await carrier(`smtp://127.0.0.1:${server.port}`).deliver(message);
    expect(outcome).toMatchObject({ outcome: 'failed', forGood });
    // Whose address it is stands in the account, not in every log.
    expect(JSON.stringify(outcome)).not.toContain('ada@example.org');
  });

  test('a server that is not there', async () => {
    const outcome = await carrier(`smtp://127.0.0.1:${await freePort()}`).deliver(message);
    expect(outcome).toMatchObject({ outcome: 'failed', forGood: false });
  });
});

describe('no value writes headers of ours', () => {
  const evil = '\r\nBcc: thief@evil.example\r\n\r\nHello';

  test('a line break in a subject is none', async () => {
    const server = await smtp({ hideSTARTTLS: true });
    await carrier(`smtp://127.0.0.1:${server.port}`).deliver({ ...message, subject: `Hello${evil}` });
    const [mail] = server.received;
    expect(mail?.to).toEqual(['ada@example.org']);
    expect([...(mail?.headers.keys() ?? [])]).not.toContain('bcc');
    expect(mail?.source).not.toMatch(/^Bcc:/im);
  });

  test.each([
    `ada@example.org${evil}`,
    'ada@example.org, thief@evil.example',
    'ada@example.org>, <thief@evil.example',
    'Ada <thief@evil.example>',
  ])('an address is one address: %j', async (to) => {
    const server = await smtp({ hideSTARTTLS: true });
    await carrier(`smtp://127.0.0.1:${server.port}`).deliver({ ...message, to });
    expect(server.received.flatMap((mail) => mail.to)).not.toContain('thief@evil.example');
    for (const { source } of server.received) expect(source).not.toMatch(/^Bcc:/im);
  });
});
