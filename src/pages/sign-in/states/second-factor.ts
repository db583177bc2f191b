import { account, action, bookshelf, csrf, passkey, sentKind, unknownShop, type ViewState } from '../../kit/state.ts';
import { type SecondFactorError, secondFactorErrors } from '../second-factor.ts';

const other = (method: string) => ({ method, to: `${action}?method=${method}` });
/** What the page of a reviewed client has in every state. */
const asked = { action, csrf, client: bookshelf, account };
/** Errors that one method alone has; the others are shown with the authenticator app. */
const methodOf: Readonly<Partial<Record<SecondFactorError, string>>> = {
  'wrong-mail': sentKind,
  over: sentKind,
  passkey: 'passkey',
  locked: 'recovery-code',
  'mail-wait': sentKind,
  'mail-failed': sentKind,
};

export const secondFactorStates: readonly ViewState[] = [
  {
    name: 'second-factor',
    view: 'second-factor',
    locals: { ...asked, method: 'totp', others: [other('recovery-code')] },
  },
  {
    name: 'second-factor-recovery',
    view: 'second-factor',
    locals: { action, csrf, account: { username: 'ada' }, method: 'recovery-code', others: [other('totp')] },
  },
  {
    name: 'second-factor-passkey',
    view: 'second-factor',
    locals: {
      ...asked,
      method: 'passkey',
      passkey,
      others: [other('totp'), other(sentKind), other('recovery-code')],
    },
  },
  {
    name: 'second-factor-mail',
    view: 'second-factor',
    locals: { ...asked, method: sentKind, others: [other('recovery-code')] },
  },
  {
    name: 'second-factor-mailed',
    view: 'second-factor',
    locals: {
      ...asked,
      method: sentKind,
      mailedTo: 'ad•••@example.org',
      others: [other('recovery-code')],
    },
  },
  {
    name: 'second-factor-step-up',
    view: 'second-factor',
    locals: {
      ...asked,
      method: 'passkey',
      passkey,
      stepUp: true,
      others: [other('totp')],
    },
  },
  ...secondFactorErrors.map(
    (error): ViewState => ({
      name: `second-factor-${error}`,
      view: 'second-factor',
      locals: {
        ...asked,
        method: methodOf[error] ?? 'totp',
        others: [],
        passkey,
        mailedTo: 'ad•••@example.org',
        error,
        retryAfterSeconds: 600,
      },
    }),
  ),
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
];
