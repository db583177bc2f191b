/** What a person sees of applications that other people have registered, before an operator has looked at them and after. */
import { unreviewedReasons } from '../kit/page.ts';
import { account, action, bookshelf, csrf, scopes, unbroken, type ViewState } from '../kit/state.ts';

const passkey = JSON.stringify({ challenge: 'Y2hhbGxlbmdl', rpId: 'localhost', userVerification: 'preferred' });
const unknownShop = { name: 'Google Drive', uri: 'https://drive.example/', host: 'drive.example', unreviewed: true };

export const unreviewedStates: readonly ViewState[] = [
  {
    name: 'login-unreviewed',
    view: 'login',
    locals: { action, csrf, client: unknownShop, signUp: '/sign-up', forgot: '/forgotten', passkey, cancel: action },
  },
  {
    name: 'second-factor-unreviewed',
    view: 'second-factor',
    locals: {
      action,
      csrf,
      client: unknownShop,
      account,
      method: 'totp',
      others: [{ method: 'recovery-code', to: action }],
    },
  },
  {
    name: 'chooser-unreviewed',
    view: 'chooser',
    locals: {
      action,
      csrf,
      client: unknownShop,
      accounts: [{ ...account, id: '1', current: false, remembered: true }],
    },
  },
  {
    name: 'consent-owned',
    view: 'consent',
    locals: {
      ...{ action, csrf, account, scopes },
      client: { ...unknownShop, redirectHost: 'drive.example', owner: 'mallory' },
    },
  },
  {
    name: 'consent-reviewed',
    view: 'consent',
    locals: {
      ...{ action, csrf, account, scopes },
      client: { ...bookshelf, redirectHost: 'bookshelf.example', owner: 'grace' },
    },
  },
  {
    name: 'consent-unreviewed',
    view: 'consent',
    locals: { action, csrf, account, scopes, client: { ...unknownShop, name: unbroken } },
  },
  {
    name: 'sign-up-unreviewed',
    view: 'sign-up',
    locals: { action, csrf, client: unknownShop, minLength: 15, emailField: 'asked', errors: {}, signIn: action },
  },
  ...unreviewedReasons.map(
    (why): ViewState => ({
      name: `error-unreviewed-${why}`,
      view: 'error',
      locals: {
        ...{ status: 400, kind: 'unreviewed', why, clientName: unknownShop.name, reference: 'R-7Q4K-2M' },
        code: why === 'cancelled' ? 'access_denied' : why === 'silent' ? 'login_required' : 'invalid_scope',
      },
    }),
  ),
];
