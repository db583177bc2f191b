/** Signing in, allowing, signing out, and what a person meets around them. */

import { account, action, bookshelf, csrf, scopes, unbroken, type ViewState } from '../kit/state.ts';
import { upstreamFailures } from '../kit/view-parts.ts';
import { loginErrors, signInReasons } from './login.ts';
import { type SecondFactorError, type SecondFactorMethod, secondFactorErrors } from './second-factor.ts';

/** What the browser is asked for a passkey. */
const passkey = JSON.stringify({ challenge: 'Y2hhbGxlbmdl', rpId: 'localhost', userVerification: 'preferred' });
const other = (method: SecondFactorMethod) => ({ method, to: `${action}?method=${method}` });
/** Errors that one method alone has; the others are shown with the authenticator app. */
const methodOf: Readonly<Partial<Record<SecondFactorError, SecondFactorMethod>>> = {
  'wrong-mail': 'email-code',
  passkey: 'passkey',
  locked: 'recovery-code',
  'mail-wait': 'email-code',
  'mail-failed': 'email-code',
};

const providers = [
  { name: 'Example Company', to: `${action}/upstream/company` },
  { name: 'GitHub', to: `${action}/upstream/github` },
];
const newcomer = { action, csrf, client: bookshelf, provider: 'GitHub', label: 'ada-l', email: account.email };

export const signInStates: readonly ViewState[] = [
  { name: 'welcome', view: 'welcome', locals: { issuer: 'https://id.example.org', development: false } },
  {
    name: 'welcome-signed-in',
    view: 'welcome',
    locals: { issuer: 'http://localhost:3000', development: true, account, signOut: '/oauth/logout' },
  },
  {
    name: 'longer-password',
    view: 'longer-password',
    locals: { action, csrf, client: bookshelf, username: 'ada', minLength: 15 },
  },
  {
    name: 'longer-password-wrong',
    view: 'longer-password',
    locals: { action, csrf, username: 'ada', minLength: 15, error: 'too-short' },
  },
  { name: 'login-plain', view: 'login', locals: { action, csrf } },
  {
    name: 'login-client',
    view: 'login',
    locals: { action, csrf, client: bookshelf, signUp: '/sign-up', forgot: '/forgotten', passkey, cancel: action },
  },
  {
    name: 'login-branded',
    view: 'login',
    locals: {
      ...{ action, csrf, cancel: action },
      client: { ...bookshelf, logo: '/public/favicon.svg', accent: '#ffb000', background: ['#2b1a4d', '#7a1f3d'] },
    },
  },
  ...loginErrors.map(
    (error): ViewState => ({
      name: `login-${error}`,
      view: 'login',
      locals: {
        action,
        csrf,
        client: bookshelf,
        error,
        username: error === 'missing' ? '' : 'ada',
        retryAfterSeconds: 600,
        cancel: action,
      },
    }),
  ),
  ...signInReasons.map(
    (again): ViewState => ({
      name: `login-again-${again}`,
      view: 'login',
      locals: {
        ...{ action, csrf, cancel: action, username: 'ada', keep: true, again },
        ...(again !== 'account' && { client: bookshelf }),
      },
    }),
  ),
  {
    name: 'login-known',
    view: 'login',
    locals: {
      ...{ action, csrf, client: bookshelf, cancel: action, signUp: '/sign-up' },
      username: 'ada',
      keep: true,
      choose: `${action}/accounts`,
    },
  },
  {
    name: 'chooser',
    view: 'chooser',
    locals: {
      ...{ action: `${action}/accounts`, csrf, client: bookshelf, cancel: action },
      accounts: [
        { id: 'a', ...account, current: true, remembered: true },
        { id: 'b', name: 'Grace Example', username: 'grace@example.org', current: false, remembered: true },
        { id: 'c', username: 'an-administrator-with-quite-a-long-username', current: false, remembered: true },
      ],
    },
  },
  {
    name: 'chooser-current',
    view: 'chooser',
    locals: {
      ...{ action: `${action}/accounts`, csrf },
      accounts: [{ id: 'current', ...account, current: true, remembered: false }],
    },
  },
  {
    name: 'login-providers',
    view: 'login',
    locals: { action, csrf, client: bookshelf, providers, passkey, signUp: '/sign-up', cancel: action },
  },
  {
    name: 'login-long',
    view: 'login',
    locals: {
      ...{ action, csrf, passkey, cancel: action, username: unbroken, forgot: '/forgotten' },
      client: { name: unbroken, host: `${unbroken}.example` },
      providers: [{ name: unbroken, to: `${action}/upstream/company` }],
    },
  },
  ...upstreamFailures.map(
    (kind): ViewState => ({
      name: `login-upstream-${kind}`,
      view: 'login',
      locals: {
        ...{ action, csrf, client: bookshelf, providers, cancel: action },
        failed: { kind, provider: 'GitHub', reference: '0f8b6c2e-41d7', retryAfterSeconds: 600 },
      },
    }),
  ),
  {
    name: 'login-connecting',
    view: 'login',
    locals: { action, csrf, client: bookshelf, connecting: { provider: 'GitHub', label: 'ada-l' }, cancel: action },
  },
  {
    name: 'upstream-new',
    view: 'upstream-new',
    locals: { ...newcomer, signUp: true, known: false, username: 'ada-l' },
  },
  {
    name: 'upstream-new-taken',
    view: 'upstream-new',
    locals: { ...newcomer, signUp: true, known: false, username: 'ada', error: 'taken' },
  },
  {
    name: 'upstream-new-throttled',
    view: 'upstream-new',
    locals: { ...newcomer, signUp: true, known: false, username: 'ada', problem: 'throttled', retryAfterSeconds: 600 },
  },
  { name: 'upstream-known', view: 'upstream-new', locals: { ...newcomer, signUp: false, known: true } },
  { name: 'upstream-closed', view: 'upstream-new', locals: { ...newcomer, signUp: false, known: false } },
  { name: 'onward', view: 'onward', locals: { to: `${action}/upstream/company/callback` } },
  {
    name: 'upstream-connect',
    view: 'upstream-connect',
    locals: { action, csrf, client: bookshelf, provider: 'GitHub', label: 'ada-l', account },
  },
  {
    name: 'second-factor',
    view: 'second-factor',
    locals: { action, csrf, client: bookshelf, account, method: 'totp', others: [other('recovery-code')] },
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
      ...{ action, csrf, client: bookshelf, account, method: 'passkey', passkey },
      others: [other('totp'), other('email-code'), other('recovery-code')],
    },
  },
  {
    name: 'second-factor-mail',
    view: 'second-factor',
    locals: { action, csrf, client: bookshelf, account, method: 'email-code', others: [other('recovery-code')] },
  },
  {
    name: 'second-factor-mailed',
    view: 'second-factor',
    locals: {
      ...{ action, csrf, client: bookshelf, account, method: 'email-code', mailedTo: 'ad•••@example.org' },
      others: [other('recovery-code')],
    },
  },
  {
    name: 'second-factor-step-up',
    view: 'second-factor',
    locals: {
      ...{ action, csrf, client: bookshelf, account, method: 'passkey', passkey, stepUp: true },
      others: [other('totp')],
    },
  },
  ...secondFactorErrors.map(
    (error): ViewState => ({
      name: `second-factor-${error}`,
      view: 'second-factor',
      locals: {
        action,
        csrf,
        client: bookshelf,
        account,
        method: methodOf[error] ?? 'totp',
        others: [],
        passkey,
        mailedTo: 'ad•••@example.org',
        error,
        retryAfterSeconds: 600,
      },
    }),
  ),
  { name: 'consent', view: 'consent', locals: { action, csrf, client: bookshelf, account, scopes } },
  {
    name: 'consent-unproven',
    view: 'consent',
    locals: {
      action,
      csrf,
      eachTime: 'unproven',
      client: { ...bookshelf, redirectHost: '127.0.0.1:8080' },
      account,
      scopes,
    },
  },
  {
    name: 'consent-each-time',
    view: 'consent',
    locals: { action, csrf, eachTime: 'policy', client: bookshelf, account, scopes },
  },
  {
    name: 'consent-full',
    view: 'consent',
    locals: {
      action,
      csrf,
      client: {
        ...bookshelf,
        name: 'The Very Long Named Reading and Lending Library of Upper Example',
        logo: '/public/favicon.svg',
        policyUri: 'https://bookshelf.example/privacy',
        tosUri: 'https://bookshelf.example/terms',
        contacts: ['help@bookshelf.example'],
        redirectHost: 'app.bookshelf.example',
      },
      account: { username: 'ada' },
      scopes,
      apis: [
        {
          name: 'Calendar',
          scopes: [
            { name: 'calendar.read', sentence: 'See when you are busy' },
            { name: 'calendar.odd' },
            { name: 'calendar.write', sentence: 'Add appointments', field: 'optional calendar.write', isNew: true },
          ],
        },
      ],
    },
  },
  {
    name: 'consent-right-to-left',
    view: 'consent',
    locals: {
      action,
      csrf,
      client: { name: 'مكتبة الكتب', host: 'مكتبة.example' },
      account: { name: 'ليلى', username: 'layla' },
      scopes,
    },
  },
  {
    name: 'logout',
    view: 'logout',
    locals: {
      formHtml: '<form id="op.logoutForm" method="post" action="#"></form>',
      formId: 'op.logoutForm',
      client: bookshelf,
      account,
      auto: false,
    },
  },
  {
    name: 'logout-bare',
    view: 'logout',
    locals: {
      formHtml: '<form id="op.logoutForm" method="post" action="#"></form>',
      formId: 'op.logoutForm',
      auto: false,
    },
  },
  { name: 'signed-out', view: 'signed-out', locals: {} },
  { name: 'signed-out-stayed', view: 'signed-out', locals: { stayed: true, client: bookshelf } },
  { name: 'signed-out-client', view: 'signed-out', locals: { client: bookshelf } },
  {
    name: 'signed-out-long',
    view: 'signed-out',
    locals: { client: { name: unbroken, uri: 'https://bookshelf.example/' } },
  },
  { name: 'stale', view: 'stale', locals: { startAgain: '/oauth/authorize?client_id=a' } },
  { name: 'stale-client', view: 'stale', locals: { clientName: 'Bookshelf' } },
  { name: 'stale-setup', view: 'stale', locals: { setup: true } },
  { name: 'stale-unknown', view: 'stale', locals: {} },
  { name: 'language', view: 'language', locals: { csrf, back: '/', locales: ['en', 'ar', 'de'] } },
  { name: 'not-found', view: 'not-found', locals: {} },
];
