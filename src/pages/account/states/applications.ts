import { before, longName, signedIn, type ViewState } from '../../kit/state.ts';

const end = '/account/applications/delete?client=a1';
const redirects = ['/callback', '/other/callback'].map((path) => `https://bookshelf.example${path}`);

export const applicationsStates: readonly ViewState[] = [
  { name: 'account-applications-none', view: 'account-applications', locals: { ...signedIn, applications: [] } },
  {
    name: 'account-applications',
    view: 'account-applications',
    locals: {
      ...signedIn,
      applications: [
        {
          ...{ id: 'QmFja3NsYXNoQmFja3NsYXNo', client: { name: 'Bookshelf', unreviewed: true }, end },
          ...{ createdAt: before(90_000), disabled: false, redirectUris: redirects },
        },
        {
          ...{ id: 'YW5vdGhlcmFub3RoZXJhbm90', client: { name: longName }, end },
          ...{ createdAt: before(9_000_000), disabled: true, redirectUris: Array(7).fill(redirects[0]) },
        },
      ],
      more: '/account/applications?after=a',
    },
  },
  {
    name: 'account-notice-application-deleted',
    view: 'account-applications',
    locals: { ...signedIn, applications: [], notice: 'application-deleted' },
  },
];
