import { action, type ViewState } from '../state.ts';
import { noticeKinds } from '../views.ts';

export const sharedPageStates: readonly ViewState[] = [
  { name: 'stale', view: 'stale', locals: { startAgain: '/oauth/authorize?client_id=a' } },
  { name: 'stale-client', view: 'stale', locals: { clientName: 'Bookshelf' } },
  { name: 'stale-setup', view: 'stale', locals: { setup: true } },
  { name: 'stale-unknown', view: 'stale', locals: {} },
  ...noticeKinds.map(
    (kind): ViewState => ({
      name: `notice-${kind}`,
      view: 'notice',
      locals: {
        kind,
        seconds: 1800,
        go: { to: action, as: kind === 'reset-gone' ? 'again' : 'signIn' },
      },
    }),
  ),
];
