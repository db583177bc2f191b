import { before, signedIn, type ViewState } from '../../kit/state.ts';
import { type SessionView, sessionDoors } from '../kit/session-view.ts';
import { sessionsShown } from '../sessions.ts';

const address = '2001:db8:85a3:8d3:1319:8a2e:370:7348';
const here = { kind: 'computer', door: 'browser', createdAt: before(600), here: true } as const;
const firefox = { program: 'Firefox', system: 'Linux' } as const;
const end = '/account/sessions/end?session=s1';

const many: readonly SessionView[] = [
  { ...here, ...firefox, address: '127.0.0.1', place: 'here', lastSeenAt: before(5) },
  {
    kind: 'phone',
    door: 'browser',
    program: 'Safari',
    system: 'iPhone',
    address: '192.168.178.20',
    place: 'private',
    createdAt: before(90_000),
    lastSeenAt: before(4000),
    here: false,
    end,
  },
  { kind: 'bot', door: 'identity', program: 'reading-bot', address, createdAt: before(2_000_000), here: false, end },
  ...sessionDoors
    .slice(2)
    .map((door) => ({ kind: 'terminal' as const, door, address, createdAt: before(9_000_000), here: false, end })),
  { kind: 'terminal', door: 'elsewhere', createdAt: before(40_000_000), here: false, end },
];

export const sessionsStates: readonly ViewState[] = [
  {
    name: 'account-sessions',
    view: 'account-sessions',
    locals: {
      ...signedIn,
      sessions: many,
      others: true,
      older: '/account/sessions?before=1.a',
    },
  },
  {
    name: 'account-sessions-many',
    view: 'account-sessions',
    locals: {
      ...signedIn,
      sessions: Array.from({ length: sessionsShown }, (_, n) => many[n % many.length] ?? here),
      others: true,
      older: '/account/sessions?before=1.a',
    },
  },
  { name: 'account-sessions-one', view: 'account-sessions', locals: { ...signedIn, sessions: [here], others: false } },
  ...(['session-ended', 'sessions-ended'] as const).map(
    (notice): ViewState => ({
      name: `account-notice-${notice}`,
      view: 'account-sessions',
      locals: { ...signedIn, sessions: [{ ...here, ...firefox }], others: false, notice },
    }),
  ),
];
