import { at, codesSample, longName, sentKind, signedInForm, type ViewState } from '../../kit/state.ts';

const factor = { id: 'f1', kind: 'totp', name: 'phone', createdAt: at, locked: false, needed: false } as const;

export const factorsStates: readonly ViewState[] = [
  {
    name: 'account-factors-none',
    view: 'account-factors',
    locals: { ...signedInForm, factors: [], codesLeft: 0, twoFactor: false, switches: [sentKind] },
  },
  {
    name: 'account-factors',
    view: 'account-factors',
    locals: {
      ...signedInForm,
      factors: [
        factor,
        { ...factor, id: 'f2', name: '', lastUsedAt: at, locked: true },
        { ...factor, id: 'f3', kind: sentKind, name: '' },
        { ...factor, id: 'f4', kind: 'passkey', name: longName, needed: true },
      ],
      codesLeft: 7,
      twoFactor: true,
      switches: [],
    },
  },
  {
    name: 'account-factors-one',
    view: 'account-factors',
    locals: {
      ...signedInForm,
      factors: [factor],
      codesLeft: 1,
      twoFactor: true,
      switches: [sentKind],
      notice: 'app-gone',
    },
  },
  {
    name: 'account-codes',
    view: 'account-codes',
    locals: { ...signedInForm, codes: codesSample, notice: 'factor-added' },
  },
  ...(
    ['factor-added', 'factor-removed', 'factor-too-many', 'app-gone', `${sentKind}-on`, `${sentKind}-off`] as const
  ).map(
    (notice): ViewState => ({
      name: `account-notice-${notice}`,
      view: 'account-factors',
      locals: {
        ...signedInForm,
        factors: [factor],
        codesLeft: 10,
        twoFactor: true,
        switches: notice === `${sentKind}-on` ? [] : [sentKind],
        notice,
      },
    }),
  ),
];
