import { account, csrf, longName, type ViewState } from '../../kit/state.ts';

const signOut = '/oauth/logout';
const developer = { issuer: 'http://localhost:3000', noAdministrator: false, mails: true, gallery: true };
const setup = { action: '/setup', csrf, minLength: 15 };

export const welcomeStates: readonly ViewState[] = [
  { name: 'welcome', view: 'welcome', locals: { signUp: true } },
  { name: 'welcome-no-sign-up', view: 'welcome', locals: { signUp: false } },
  { name: 'welcome-signed-in', view: 'welcome', locals: { account, signOut, signUp: false } },
  {
    name: 'welcome-long',
    view: 'welcome',
    locals: { account: { name: longName, username: longName }, signOut, signUp: false },
  },
  { name: 'welcome-developer', view: 'welcome', locals: { account, signOut, signUp: true, developer } },
  {
    name: 'welcome-no-administrator',
    view: 'welcome',
    locals: { signUp: true, developer: { ...developer, noAdministrator: true, mails: false, gallery: false } },
  },
  { name: 'setup', view: 'setup', locals: { ...setup, errors: {} } },
  {
    name: 'setup-wrong',
    view: 'setup',
    locals: { ...setup, username: 'ada@example.org', errors: { username: 'address', password: 'too-similar' } },
  },
  {
    name: 'setup-password',
    view: 'setup',
    locals: { ...setup, username: 'ada', errors: { password: 'breached' } },
  },
  { name: 'setup-done', view: 'setup-done', locals: { username: 'ada', development: true, mails: true } },
  { name: 'setup-done-production', view: 'setup-done', locals: { username: 'ada', development: false, mails: false } },
];
