import { signedInForm, type ViewState } from '../../kit/state.ts';

export const deletionStates: readonly ViewState[] = [
  { name: 'account-delete', view: 'account-delete', locals: { ...signedInForm, username: 'ada', applications: 2 } },
  {
    name: 'account-delete-wrong',
    view: 'account-delete',
    locals: { ...signedInForm, username: 'ada', applications: 1, typed: 'adda', error: 'name' },
  },
  {
    name: 'account-delete-last-admin',
    view: 'account-delete',
    locals: { ...signedInForm, username: 'ada', applications: 0, typed: 'ada', error: 'last-admin' },
  },
  { name: 'account-deleted', view: 'account-deleted', locals: {} },
];
