import { action, bookshelf, csrf, unknownShop, type ViewState } from '../../kit/state.ts';
import { formProblems } from '../../kit/view-parts.ts';

export const signUpStates: readonly ViewState[] = [
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
      invited: true,
      signIn: '/account',
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
  {
    name: 'sign-up-unreviewed',
    view: 'sign-up',
    locals: { action, csrf, client: unknownShop, minLength: 15, emailField: 'asked', errors: {}, signIn: action },
  },
];
