import { codesSample, longName, signedInForm, type ViewState } from '../../kit/state.ts';
import { savedCodeErrors } from '../security/codes.ts';

const codes = { ...signedInForm, codes: codesSample };
const field = { name: 'passkey', value: 'p1' };
const confirm = { ...signedInForm, action: '/account/passkeys/remove', field };

export const factorsStates: readonly ViewState[] = [
  { name: 'account-codes', view: 'account-codes', locals: { ...codes, notice: 'factor-added', added: 'f1' } },
  { name: 'account-codes-later', view: 'account-codes', locals: { ...signedInForm, codes: [] } },
  ...savedCodeErrors.map(
    (error): ViewState => ({ name: `account-codes-${error}`, view: 'account-codes', locals: { ...codes, error } }),
  ),
  {
    name: 'account-security-name',
    view: 'account-security-name',
    locals: { ...confirm, action: '/account/passkeys/rename', about: { name: 'Windows · Chrome', kind: 'passkey' } },
  },
  {
    name: 'account-security-name-wrong',
    view: 'account-security-name',
    locals: {
      ...{ ...confirm, action: '/account/passkeys/rename', error: 'too-long' },
      about: { name: longName, kind: 'passkey' },
    },
  },
];
