import { signedInForm, type ViewState } from '../../kit/state.ts';

export const emailStates: readonly ViewState[] = [
  {
    name: 'account-email',
    view: 'account-email',
    locals: { ...signedInForm, current: 'ada@example.org', verified: true, noMail: false },
  },
  { name: 'account-email-none', view: 'account-email', locals: { ...signedInForm, verified: false, noMail: true } },
  {
    name: 'account-email-wrong',
    view: 'account-email',
    locals: {
      ...signedInForm,
      current: 'ada@example.org',
      verified: false,
      noMail: false,
      email: 'ada@',
      error: 'invalid',
    },
  },
  {
    name: 'account-email-throttled',
    view: 'account-email',
    locals: {
      ...signedInForm,
      current: 'ada@example.org',
      verified: true,
      noMail: false,
      email: 'ada@example.net',
      problem: 'throttled',
      retryAfterSeconds: 600,
    },
  },
  {
    name: 'account-notice-email-asked',
    view: 'account-email',
    locals: { ...signedInForm, verified: true, noMail: false, email: 'ada@example.net', notice: 'email-asked' },
  },
];
