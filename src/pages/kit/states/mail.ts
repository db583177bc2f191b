/** What a deployment's own view of mails is tried with at start: every part, and as few as possible. */
import { mailColours } from '../mail/mail-colours.ts';
import type { MailLocals } from '../mail/mail-view.ts';

const least: MailLocals = {
  locale: 'en',
  dir: 'ltr',
  brand: 'Gatehouse',
  issuer: 'https://id.example.com',
  subject: 'Your account was deleted',
  preview: 'Everything that belonged to it is gone.',
  heading: 'Your account was deleted',
  paragraphs: ['It cannot be restored.'],
  code: undefined,
  facts: [],
  button: undefined,
  addressNote: 'Copy this address into your browser:',
  advice: { heading: 'If this was not you', paragraphs: ['Tell us at once.'] },
  adviceFirst: true,
  links: [],
  reason: 'You get this e-mail because it is about your account.',
  footer: [],
  logo: undefined,
  colours: mailColours(),
};

export const mailStates: Readonly<Record<string, MailLocals>> = {
  'mail-least': least,
  'mail-most': {
    ...least,
    locale: 'ar',
    dir: 'rtl',
    code: '4920 7316',
    facts: [{ name: 'Account', value: 'ada' }],
    button: { words: 'Set a new password', to: 'https://id.example.com/forgot' },
    adviceFirst: false,
    links: [{ words: 'Check your passkeys', to: 'https://id.example.com/account/security' }],
    footer: [{ words: 'Privacy', to: 'https://example.com/privacy' }],
    logo: { light: 'https://id.example.com/brand/logo.png', dark: 'https://id.example.com/brand/logo-dark.png' },
  },
};
