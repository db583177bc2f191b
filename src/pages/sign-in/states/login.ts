import { action, bookshelf, csrf, passkey, unbroken, unknownShop, type ViewState } from '../../kit/state.ts';
import { upstreamFailures } from '../../kit/view-parts.ts';
import { loginErrors, signInReasons } from '../login.ts';

const providers = [
  { name: 'Example Company', to: `${action}/upstream/company` },
  { name: 'GitHub', to: `${action}/upstream/github` },
];

export const loginStates: readonly ViewState[] = [
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
      action,
      csrf,
      cancel: action,
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
        action,
        csrf,
        cancel: action,
        username: 'ada',
        keep: true,
        again,
        ...(again !== 'account' && { client: bookshelf }),
      },
    }),
  ),
  {
    name: 'login-known',
    view: 'login',
    locals: {
      action,
      csrf,
      client: bookshelf,
      cancel: action,
      signUp: '/sign-up',
      username: 'ada',
      keep: true,
      choose: `${action}/accounts`,
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
      action,
      csrf,
      passkey,
      cancel: action,
      username: unbroken,
      forgot: '/forgotten',
      client: { name: unbroken, host: `${unbroken}.example` },
      providers: [{ name: unbroken, to: `${action}/upstream/company` }],
    },
  },
  ...upstreamFailures.map(
    (kind): ViewState => ({
      name: `login-upstream-${kind}`,
      view: 'login',
      locals: {
        action,
        csrf,
        client: bookshelf,
        providers,
        cancel: action,
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
    name: 'login-unreviewed',
    view: 'login',
    locals: { action, csrf, client: unknownShop, signUp: '/sign-up', forgot: '/forgotten', passkey, cancel: action },
  },
];
