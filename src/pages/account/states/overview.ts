import { account, at, signedIn, type ViewState } from '../../kit/state.ts';

const me = { ...account, verified: true, hasPassword: true, twoFactor: true, createdAt: at, lastSeenAt: at + 90 };

export const overviewStates: readonly ViewState[] = [
  {
    name: 'account',
    view: 'account',
    locals: { ...signedIn, account: me, sessions: 3, connections: 1, applications: 0 },
  },
  {
    name: 'account-bare',
    view: 'account',
    locals: {
      ...signedIn,
      account: {
        name: 'ada',
        username: 'ada',
        email: 'ada@example.org',
        createdAt: at,
        verified: false,
        hasPassword: false,
        twoFactor: false,
      },
      sessions: 100,
      connections: 100,
      applications: 100,
    },
  },
];
