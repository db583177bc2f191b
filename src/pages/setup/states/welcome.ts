import { account, csrf, type ViewState } from '../../kit/state.ts';

export const welcomeStates: readonly ViewState[] = [
  { name: 'welcome', view: 'welcome', locals: { issuer: 'https://id.example.org', development: false } },
  {
    name: 'welcome-signed-in',
    view: 'welcome',
    locals: { issuer: 'http://localhost:3000', development: true, account, signOut: '/oauth/logout' },
  },
  { name: 'setup', view: 'setup', locals: { action: '/setup', csrf, minLength: 15, errors: {} } },
  {
    name: 'setup-wrong',
    view: 'setup',
    locals: {
      action: '/setup',
      csrf,
      minLength: 15,
      username: 'ada',
      firstName: 'Ada',
      email: 'ada@',
      errors: { last_name: 'required', email: 'invalid', password: 'breached' },
    },
  },
  { name: 'setup-done', view: 'setup-done', locals: { username: 'ada', development: true } },
  { name: 'setup-done-production', view: 'setup-done', locals: { username: 'ada', development: false } },
];
