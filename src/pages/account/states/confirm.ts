import { longName, signedInForm, type ViewState } from '../../kit/state.ts';

const session = { asks: 'session', section: 'sessions', action: '/account/sessions/end' } as const;
const sessions = { asks: 'sessions', section: 'sessions', action: '/account/sessions/end-others' } as const;
const back = '/account/sessions';

const security = {
  passkey: { name: '', kind: 'passkey', action: '/account/passkeys/remove' },
  factor: { name: longName, kind: 'totp', action: '/account/factors/remove' },
  'last-factor': { name: '', kind: 'totp', action: '/account/factors/remove' },
  codes: { action: '/account/factors/codes' },
  identity: { name: 'Example Company', action: '/account/identities/remove' },
};

export const confirmStates: readonly ViewState[] = [
  {
    name: 'account-confirm-session',
    view: 'account-confirm',
    locals: {
      ...signedInForm,
      ...session,
      device: { door: 'browser', program: 'Firefox', system: 'Windows' },
      fields: [{ name: 'session', value: 's1' }],
      back,
    },
  },
  {
    name: 'account-confirm-program',
    view: 'account-confirm',
    locals: { ...signedInForm, ...session, device: { door: 'identity' }, fields: [], back },
  },
  {
    name: 'account-confirm-sessions',
    view: 'account-confirm',
    locals: { ...signedInForm, ...sessions, count: 4, fields: [], back },
  },
  {
    name: 'account-confirm-all-sessions',
    view: 'account-confirm',
    locals: { ...signedInForm, ...sessions, fields: [], back },
  },
  {
    name: 'account-confirm-connection',
    view: 'account-confirm',
    locals: {
      ...signedInForm,
      asks: 'connection',
      section: 'connections',
      name: 'Bookshelf',
      action: '/account/connections/end',
      fields: [{ name: 'client', value: 'c1' }],
      back: '/account',
    },
  },
  {
    name: 'account-confirm-application',
    view: 'account-confirm',
    locals: {
      ...signedInForm,
      asks: 'application',
      section: 'applications',
      name: longName,
      action: '/account/applications/delete',
      fields: [],
      back: '/account/applications',
    },
  },
  ...(['passkey', 'factor', 'last-factor', 'codes', 'identity'] as const).map(
    (asks): ViewState => ({
      name: `account-confirm-${asks}`,
      view: 'account-confirm',
      locals: { ...signedInForm, ...security[asks], asks, section: 'security', fields: [], back: '/account/security' },
    }),
  ),
];
