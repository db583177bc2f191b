import { at, signedInForm, type ViewState } from '../../kit/state.ts';
import { sessionDoors } from '../sessions.ts';

const address = '2001:db8:85a3:8d3:1319:8a2e:370:7348';

export const sessionsStates: readonly ViewState[] = [
  {
    name: 'account-sessions',
    view: 'account-sessions',
    locals: {
      ...signedInForm,
      sessions: [
        ...sessionDoors.map((door, n) => ({
          id: `s${n}`,
          door,
          address,
          createdAt: at,
          here: n === 0,
          ...(n < 2 && { program: 'Firefox', system: 'Linux', lastSeenAt: at }),
        })),
        { id: 's9', door: 'elsewhere', createdAt: at, here: false },
      ],
      others: true,
      older: '/account/sessions?before=1.a',
    },
  },
  {
    name: 'account-sessions-one',
    view: 'account-sessions',
    locals: { ...signedInForm, sessions: [{ id: 's1', door: 'browser', createdAt: at, here: true }], others: false },
  },
  ...(['session-ended', 'sessions-ended'] as const).map(
    (notice): ViewState => ({
      name: `account-notice-${notice}`,
      view: 'account-sessions',
      locals: {
        sessions: [{ id: 's1', door: 'browser', program: 'Firefox', system: 'Linux', createdAt: at, here: true }],
        ...signedInForm,
        others: false,
        notice,
      },
    }),
  ),
];
