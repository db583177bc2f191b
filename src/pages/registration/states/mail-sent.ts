import { action, csrf, unbroken, type ViewState } from '../../kit/state.ts';

const address = {
  about: 'address',
  email: 'ada@example.org',
  resend: { action: '/sign-up/again', csrf },
  change: '/account/email',
  go: { to: '/account', as: 'account' },
} as const;

export const mailSentStates: readonly ViewState[] = [
  { name: 'mail-sent', view: 'mail-sent', locals: address },
  { name: 'mail-sent-again', view: 'mail-sent', locals: { ...address, again: true } },
  { name: 'mail-sent-long', view: 'mail-sent', locals: { ...address, email: `${unbroken}@example.org` } },
  {
    name: 'mail-sent-throttled',
    view: 'mail-sent',
    locals: { ...address, problem: 'throttled', retryAfterSeconds: 2400 },
  },
  {
    name: 'mail-sent-elsewhere',
    view: 'mail-sent',
    locals: { about: 'address', change: address.change, go: address.go },
  },
  {
    name: 'mail-sent-password',
    view: 'mail-sent',
    locals: { about: 'password', seconds: 1800, change: '/forgot', go: { to: action, as: 'signIn' } },
  },
];
