import { flag, mailbox, seconds, smtpUrl, wholeNumber } from '../kinds.ts';
import { DAY, optional, setting } from '../setting.ts';

export const mail = {
  SMTP_URL: optional(smtpUrl, 'no mails; in development they are shown at `/dev/mails`', {
    secret: true,
    sentence:
      'The server that sends mails; without one nothing that needs a mail is offered (forgotten passwords, confirmed addresses).',
    example: 'smtps://user:password@mail.example.com',
  }),
  MAIL_FROM: optional(mailbox, '`BRAND_NAME <no-reply@…>` at the host of `ISSUER`', {
    sentence: 'Whom mails are from.',
    example: 'Example Accounts <accounts@example.com>',
  }),
  MAIL_REPLY_TO: optional(mailbox, 'none', {
    sentence: 'Where answers to mails go.',
    example: 'help@example.com',
  }),
  MAIL_LIMIT: setting(wholeNumber(1, 1000), 5, {
    sentence: 'How many links one mailbox, and one account, is sent within an hour at the request of people.',
    example: '10',
  }),
  MAIL_ADDRESS_LIMIT: setting(wholeNumber(1, 100_000), 30, {
    sentence: 'How many mails may be asked for from one IP address within an hour.',
    example: '100',
  }),
  RESET_LINK_TTL: setting(seconds(60, DAY), 1800, {
    sentence: 'How long a link for setting a new password works.',
    example: '900',
  }),
  EMAIL_LINK_TTL: setting(seconds(60, 7 * DAY), DAY, {
    sentence: 'How long a link that proves an e-mail address works.',
    example: '3600',
  }),
  NEW_DEVICE_MAIL: setting(flag, true, {
    sentence:
      'Mails people when somebody signs in to their account in a browser that does not remember them, or through a program from a new place.',
    example: 'false',
  }),
  INVITATION_TTL: setting(seconds(60, 90 * DAY), 7 * DAY, {
    sentence: 'How long an invitation works.',
    example: '86400',
  }),
} as const;
