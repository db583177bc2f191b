import { flag, mailbox, seconds, smtpUrl, wholeNumber } from '../kinds.ts';
import { DAY, optional, setting } from '../setting.ts';

export const mail = {
  SMTP_URL: optional(smtpUrl, 'no mails; in development `/dev/mails` shows them', {
    secret: true,
    sentence:
      'The server that sends mails. Without it, the pages offer nothing that needs a mail (forgotten passwords, confirmed addresses).',
    example: 'smtps://user:password@mail.example.com',
  }),
  MAIL_FROM: optional(mailbox, '`BRAND_NAME <no-reply@…>` at the host of `ISSUER`', {
    sentence: 'The sender of mails.',
    example: 'Example Accounts <accounts@example.com>',
  }),
  MAIL_REPLY_TO: optional(mailbox, 'none', {
    sentence: 'The address for replies to mails.',
    example: 'help@example.com',
  }),
  MAIL_LIMIT: setting(wholeNumber(1, 1000), 5, {
    sentence: 'How many links users can have sent to one mailbox, and to one account, within an hour.',
    example: '10',
  }),
  MAIL_ADDRESS_LIMIT: setting(wholeNumber(1, 100_000), 30, {
    sentence: 'How many mails one IP address may request within an hour.',
    example: '100',
  }),
  RESET_LINK_TTL: setting(seconds(60, DAY), 1800, {
    sentence: 'How long a link to set a new password works.',
    example: '900',
  }),
  EMAIL_LINK_TTL: setting(seconds(60, 7 * DAY), DAY, {
    sentence: 'How long a link to confirm an e-mail address works.',
    example: '3600',
  }),
  NEW_DEVICE_MAIL: setting(flag, true, {
    sentence:
      'Sends users a mail about a sign-in in a browser that does not remember them, or through a program at a new address.',
    example: 'false',
  }),
  INVITATION_TTL: setting(seconds(60, 90 * DAY), 7 * DAY, {
    sentence: 'How long an invitation works.',
    example: '86400',
  }),
} as const;
