/** Accounts and passwords: sign-up, forgotten password, confirmed address, the first administrator. */

import { action, bookshelf, csrf, type ViewState } from '../kit/state.ts';
import { formProblems } from '../kit/view-parts.ts';
import { noticeKinds } from '../kit/views.ts';
import { confirmErrors } from './verify-email.ts';

const elsewhere = [
  { id: 'a', provider: 'Example University', label: 'ada@uni.example' },
  { id: 'b', provider: 'Example Company', label: 'ada.lovelace' },
];

export const accountMakingStates: readonly ViewState[] = [
  { name: 'sign-up', view: 'sign-up', locals: { action, csrf, minLength: 15, emailField: 'asked', errors: {} } },
  {
    name: 'sign-up-client',
    view: 'sign-up',
    locals: { action, csrf, client: bookshelf, minLength: 15, emailField: 'asked', errors: {}, signIn: action },
  },
  {
    name: 'sign-up-wrong',
    view: 'sign-up',
    locals: {
      action,
      csrf,
      minLength: 15,
      emailField: 'asked',
      username: 'ada lovelace',
      email: 'ada@',
      errors: { username: 'characters', email: 'invalid', password: 'too-common' },
    },
  },
  {
    name: 'sign-up-invited',
    view: 'sign-up',
    locals: {
      action,
      csrf,
      minLength: 15,
      emailField: 'fixed',
      email: 'ada@example.org',
      username: 'ada',
      errors: { email: 'taken' },
    },
  },
  {
    name: 'sign-up-no-mail',
    view: 'sign-up',
    locals: { action, csrf, minLength: 15, emailField: 'none', username: 'ada', errors: { username: 'taken' } },
  },
  ...formProblems.map(
    (problem): ViewState => ({
      name: `sign-up-${problem}`,
      view: 'sign-up',
      locals: { action, csrf, minLength: 15, emailField: 'asked', errors: {}, problem, retryAfterSeconds: 600 },
    }),
  ),
  { name: 'forgot', view: 'forgot', locals: { action, csrf, back: action } },
  {
    name: 'forgot-client',
    view: 'forgot',
    locals: {
      action,
      csrf,
      back: action,
      client: { name: 'Bookshelf', logo: '/public/favicon.svg', accent: '#ffb000' },
    },
  },
  { name: 'forgot-missing', view: 'forgot', locals: { action, csrf, error: 'missing' } },
  {
    name: 'forgot-throttled',
    view: 'forgot',
    locals: { action, csrf, name: 'ada', error: 'throttled', retryAfterSeconds: 600 },
  },
  { name: 'reset', view: 'reset', locals: { action, csrf, username: 'ada', minLength: 15, elsewhere: [] } },
  {
    name: 'reset-elsewhere',
    view: 'reset',
    locals: { action, csrf, username: 'ada', minLength: 15, elsewhere },
  },
  {
    name: 'reset-wrong',
    view: 'reset',
    locals: { action, csrf, username: 'ada', minLength: 15, elsewhere: [], error: 'too-short' },
  },
  {
    name: 'reset-busy',
    view: 'reset',
    locals: { action, csrf, username: 'ada', minLength: 15, elsewhere: [], problem: 'busy', retryAfterSeconds: 2 },
  },
  {
    name: 'verify-email',
    view: 'verify-email',
    locals: { action, csrf, email: 'ada@example.org', username: 'ada', askPassword: false, signIn: action },
  },
  ...confirmErrors.map(
    (error): ViewState => ({
      name: `verify-email-${error}`,
      view: 'verify-email',
      locals: { action, csrf, email: 'ada@example.org', username: 'ada', askPassword: true, signIn: action, error },
    }),
  ),
  ...noticeKinds.map(
    (kind): ViewState => ({
      name: `notice-${kind}`,
      view: 'notice',
      locals: {
        kind,
        seconds: 1800,
        go: { to: action, as: kind === 'reset-gone' ? 'again' : kind.startsWith('signed-up') ? 'account' : 'signIn' },
      },
    }),
  ),
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
