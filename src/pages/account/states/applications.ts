import { at, longName, signedInForm, type ViewState } from '../../kit/state.ts';

export const applicationsStates: readonly ViewState[] = [
  { name: 'account-applications-none', view: 'account-applications', locals: { ...signedInForm, applications: [] } },
  {
    name: 'account-applications',
    view: 'account-applications',
    locals: {
      ...signedInForm,
      applications: [
        {
          id: 'QmFja3NsYXNoQmFja3NsYXNo',
          name: longName,
          createdAt: at,
          disabled: true,
          redirectUris: ['https://bookshelf.example/callback', 'https://bookshelf.example/other/callback'],
        },
      ],
      more: '/account/applications?after=a',
    },
  },
  {
    name: 'account-notice-application-deleted',
    view: 'account-applications',
    locals: { ...signedInForm, applications: [], notice: 'application-deleted' },
  },
];
