import { longName, sentKind, signedInForm, unbroken, type ViewState } from '../../kit/state.ts';

/** Seconds since the epoch: long ago, for every clock. */
const at = 1_750_000_000;
const options = '{"challenge":"c0ffee","rp":{"name":"Gatehouse"}}';
const laptop = {
  ...{ id: 'p1', name: 'macOS · Safari', synced: true, createdAt: at, lastUsedAt: at + 90_000, needed: false },
};
const app = { id: 'f1', name: 'Android', createdAt: at, lastUsedAt: at + 180_000, locked: false };
const linked = { id: 'i1', provider: 'GitHub', label: 'ada-l', createdAt: at, needed: false };
const university = { name: 'Example University', to: '/account/identities/connect/university' };

const bare = {
  ...signedInForm,
  hasPassword: true,
  twoFactor: false,
  passkeys: { list: [], add: 'here', options },
  methods: [
    { kind: 'totp', add: 'enrol', list: [] },
    { kind: sentKind, add: 'switch', list: [] },
  ],
  identities: [],
  providers: [],
} as const;
const strong = {
  ...bare,
  twoFactor: true,
  passkeys: { list: [laptop], add: 'here', options },
  methods: [
    { kind: 'totp', add: 'enrol', list: [app] },
    { kind: sentKind, add: 'switch', list: [] },
  ],
  codes: { left: 10, saved: true },
  identities: [linked],
  providers: [university],
} as const;

export const securityStates: readonly ViewState[] = [
  { name: 'account-security-bare', view: 'account-security', locals: bare },
  {
    name: 'account-security-stale',
    view: 'account-security',
    locals: { ...bare, passkeys: { list: [], add: 'sign-in' }, providers: [university] },
  },
  { name: 'account-security', view: 'account-security', locals: strong },
  {
    name: 'account-security-added',
    view: 'account-security',
    locals: { ...strong, added: 'p1', notice: 'passkey-added' },
  },
  {
    name: 'account-security-first',
    view: 'account-security',
    locals: { ...strong, added: 'p1', notice: 'passkey-added', codes: { left: 10, saved: false, kept: true } },
  },
  {
    name: 'account-security-unsaved',
    view: 'account-security',
    locals: { ...strong, added: 'f1', codes: { left: 10, saved: false } },
  },
  {
    name: 'account-security-many',
    view: 'account-security',
    locals: {
      ...strong,
      hasPassword: false,
      passkeys: {
        add: 'full',
        list: [
          laptop,
          { ...laptop, id: 'p2', name: '', synced: false, needed: true },
          { ...laptop, id: 'p3', name: longName },
          { ...laptop, id: 'p4', name: unbroken },
        ],
      },
      methods: [
        {
          kind: 'totp',
          add: 'enrol',
          list: [
            { ...app, id: 'f2', name: '', locked: true },
            { ...app, id: 'f3', name: unbroken },
          ],
        },
        { kind: sentKind, list: [{ ...app, id: 'f4', name: '' }] },
      ],
      codes: { left: 1, saved: true },
      identities: [
        { ...linked, needed: true },
        { ...linked, id: 'i2', provider: unbroken, label: unbroken },
      ],
      providers: [university, { name: unbroken, to: '/account/identities/connect/other' }],
    },
  },
  {
    name: 'account-security-failed',
    view: 'account-security',
    locals: { ...bare, providers: [university], failed: { kind: 'denied', provider: 'Example University' } },
  },
  {
    name: 'account-security-off',
    view: 'account-security',
    locals: { ...bare, passkeys: undefined, methods: [{ kind: 'totp', add: 'enrol', list: [] }] },
  },
  {
    name: 'account-identity',
    view: 'account-identity',
    locals: { ...signedInForm, provider: 'GitHub', label: 'ada-l', username: 'ada' },
  },
  ...(
    [
      'factor-added',
      'factor-removed',
      'factor-renamed',
      'factor-too-many',
      'app-gone',
      'codes-saved',
      'passkey-added',
      'passkey-renamed',
      'passkey-refused',
      'passkey-taken',
      'passkey-too-many',
      'passkey-name',
      'passkey-last',
      `${sentKind}-on`,
      `${sentKind}-off`,
      'identity-connected',
      'identity-removed',
      'identity-last',
    ] as const
  ).map(
    (notice): ViewState => ({
      name: `account-notice-${notice}`,
      view: 'account-security',
      locals: { ...strong, notice },
    }),
  ),
];
