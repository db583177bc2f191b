import { action, bookshelf, csrf, type ViewState } from '../../kit/state.ts';

export const longerPasswordStates: readonly ViewState[] = [
  {
    name: 'longer-password',
    view: 'longer-password',
    locals: { action, csrf, client: bookshelf, username: 'ada', minLength: 15 },
  },
  {
    name: 'longer-password-wrong',
    view: 'longer-password',
    locals: { action, csrf, username: 'ada', minLength: 15, error: 'too-short' },
  },
];
