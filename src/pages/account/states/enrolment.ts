import { appSample, signedInForm, type ViewState } from '../../kit/state.ts';
import { appCodeErrors } from '../security/enrolment.ts';

const app = { ...signedInForm, ...appSample };

export const enrolmentStates: readonly ViewState[] = [
  { name: 'account-app', view: 'account-app', locals: app },
  ...appCodeErrors.map(
    (error): ViewState => ({ name: `account-app-${error}`, view: 'account-app', locals: { ...app, error } }),
  ),
];
