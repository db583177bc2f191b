import { at, signedInForm, unbroken, type ViewState } from '../../kit/state.ts';

const linked = { id: 'i1', provider: 'GitHub', label: 'ada-l', createdAt: at };
const elsewhere = {
  ...signedInForm,
  identities: [
    linked,
    { ...linked, id: 'i2', provider: 'Example Company', label: 'ada@example.org', lastUsedAt: at + 90 },
  ],
  providers: [{ name: 'Example University', to: '/account/identities/connect/university' }],
};

export const identitiesStates: readonly ViewState[] = [
  { name: 'account-identities', view: 'account-identities', locals: elsewhere },
  { name: 'account-identities-none', view: 'account-identities', locals: { ...elsewhere, identities: [] } },
  {
    name: 'account-identities-failed',
    view: 'account-identities',
    locals: { ...elsewhere, identities: [], failed: { kind: 'denied', provider: 'GitHub' } },
  },
  {
    name: 'account-identities-long',
    view: 'account-identities',
    locals: {
      ...signedInForm,
      identities: [{ ...linked, provider: unbroken, label: unbroken }],
      providers: [{ name: unbroken, to: '/account/identities/connect/university' }],
    },
  },
  {
    name: 'account-identity',
    view: 'account-identity',
    locals: { ...signedInForm, provider: 'GitHub', label: 'ada-l', username: 'ada' },
  },
  ...(['identity-connected', 'identity-removed', 'identity-last'] as const).map(
    (notice): ViewState => ({
      name: `account-notice-${notice}`,
      view: 'account-identities',
      locals: { ...elsewhere, identities: notice === 'identity-removed' ? [] : [linked], notice },
    }),
  ),
];
