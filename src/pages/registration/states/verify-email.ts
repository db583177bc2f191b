import { action, csrf, type ViewState } from '../../kit/state.ts';
import { confirmErrors } from '../verify-email.ts';

export const verifyEmailStates: readonly ViewState[] = [
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
];
