import { signedInForm, type ViewState } from '../../kit/state.ts';
import { formProblems } from '../../kit/view-parts.ts';
import { passwordFormErrors } from '../security/password.ts';

export const passwordStates: readonly ViewState[] = [
  {
    name: 'account-password',
    view: 'account-password',
    locals: { ...signedInForm, username: 'ada', hasPassword: true, minLength: 15 },
  },
  {
    name: 'account-password-first',
    view: 'account-password',
    locals: { ...signedInForm, username: 'ada', hasPassword: false, minLength: 15, error: 'too-common' },
  },
  ...passwordFormErrors.map(
    (current): ViewState => ({
      name: `account-password-${current}`,
      view: 'account-password',
      locals: { ...signedInForm, username: 'ada', hasPassword: true, minLength: 8, current },
    }),
  ),
  ...formProblems.map(
    (problem): ViewState => ({
      name: `account-password-${problem}`,
      view: 'account-password',
      locals: { ...signedInForm, username: 'ada', hasPassword: true, minLength: 8, problem, retryAfterSeconds: 600 },
    }),
  ),
  ...(['password-alone', 'password-changed'] as const).map(
    (notice): ViewState => ({
      name: `account-notice-${notice}`,
      view: 'account-password',
      locals: { ...signedInForm, username: 'ada', hasPassword: true, minLength: 15, notice },
    }),
  ),
];
