import { account, action, bookshelf, csrf, longName, unbroken, type ViewState } from '../../kit/state.ts';

const github = { name: 'GitHub', mark: 'github' };
const newcomer = { action, csrf, client: bookshelf, provider: github, label: 'ada-l', email: account.email };

export const upstreamStates: readonly ViewState[] = [
  {
    name: 'upstream-new',
    view: 'upstream-new',
    locals: { ...newcomer, signUp: true, known: false, username: 'ada-l' },
  },
  {
    name: 'upstream-new-taken',
    view: 'upstream-new',
    locals: { ...newcomer, signUp: true, known: false, username: 'ada', error: 'taken' },
  },
  {
    name: 'upstream-new-throttled',
    view: 'upstream-new',
    locals: { ...newcomer, signUp: true, known: false, username: 'ada', problem: 'throttled', retryAfterSeconds: 600 },
  },
  { name: 'upstream-known', view: 'upstream-new', locals: { ...newcomer, signUp: false, known: true } },
  { name: 'upstream-closed', view: 'upstream-new', locals: { ...newcomer, signUp: false, known: false } },
  {
    name: 'upstream-new-long',
    view: 'upstream-new',
    locals: { ...newcomer, provider: { name: longName }, label: unbroken, signUp: true, known: false },
  },
  { name: 'onward', view: 'onward', locals: { to: `${action}/upstream/company/callback` } },
  {
    name: 'upstream-connect',
    view: 'upstream-connect',
    locals: { action, csrf, client: bookshelf, provider: github, label: 'ada-l', account },
  },
  {
    name: 'upstream-connect-long',
    view: 'upstream-connect',
    locals: { action, csrf, provider: { name: longName }, label: unbroken, account: { username: unbroken } },
  },
];
