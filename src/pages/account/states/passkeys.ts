import { at, longName, signedInForm, type ViewState } from '../../kit/state.ts';

const options = '{"challenge":"c0ffee","rp":{"name":"Gatehouse"}}';

export const passkeysStates: readonly ViewState[] = [
  { name: 'account-passkeys-none', view: 'account-passkeys', locals: { ...signedInForm, passkeys: [], options } },
  {
    name: 'account-passkeys',
    view: 'account-passkeys',
    locals: {
      ...signedInForm,
      options,
      passkeys: [
        { id: 'p1', name: 'laptop', synced: true, createdAt: at, lastUsedAt: at, needed: false },
        { id: 'p2', name: longName, synced: false, createdAt: at, needed: false },
      ],
      notice: 'passkey-added',
    },
  },
  {
    name: 'account-passkeys-needed',
    view: 'account-passkeys',
    locals: {
      ...signedInForm,
      passkeys: [{ id: 'p1', name: '', synced: true, createdAt: at, needed: true }],
      notice: 'passkey-last',
    },
  },
  ...(
    [
      'passkey-added',
      'passkey-renamed',
      'passkey-refused',
      'passkey-taken',
      'passkey-too-many',
      'passkey-name',
      'passkey-last',
    ] as const
  ).map(
    (notice): ViewState => ({
      name: `account-notice-${notice}`,
      view: 'account-passkeys',
      locals: {
        ...signedInForm,
        passkeys: [{ id: 'p1', name: 'laptop', synced: true, createdAt: at, needed: true }],
        notice,
        ...(notice !== 'passkey-too-many' && { options }),
      },
    }),
  ),
];
