import type { ViewState } from '../../kit/state.ts';

export const devMailsStates: readonly ViewState[] = [
  { name: 'dev-mails-locked', view: 'dev-mails', locals: { mails: undefined } },
  { name: 'dev-mails-empty', view: 'dev-mails', locals: { mails: [] } },
  {
    name: 'dev-mails',
    view: 'dev-mails',
    locals: {
      mails: [
        {
          number: 2,
          to: 'ada@example.org',
          subject: 'A new password for Gatehouse',
          text: 'A new password was requested.\n\nSet a new password:\nhttp://localhost:3000/reset?token=Qw3rTy',
          link: 'http://localhost:3000/reset?token=Qw3rTy',
          at: 1_800_000_000,
        },
        {
          number: 1,
          to: 'ada@example.org',
          subject: 'Hello',
          text: 'Without a link.',
          link: undefined,
          at: 1_800_000_000,
        },
      ],
    },
  },
];
