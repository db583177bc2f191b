import { action, bookshelf, csrf, passkey, unbroken, unknownShop, type ViewState } from '../../kit/state.ts';
import { upstreamFailures } from '../../kit/view-parts.ts';
import { loginErrors, signInReasons } from '../login.ts';

const at = (id: string) => `${action}/upstream/${id}`;
const github = { name: 'GitHub', mark: 'github', to: at('github') };
const google = { name: 'Google', mark: 'google', to: at('google') };
const microsoft = { name: 'Microsoft', mark: 'microsoft', to: at('microsoft') };
const company = { name: 'Example Company', to: at('company') };
const providers = [company, github];
/** The most that a page without a scroll bar has room for on a small phone. */
const full = { action, csrf, client: bookshelf, forgot: '/forgotten', passkey, signUp: '/sign-up', cancel: action };

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
  {
    name: 'login-missing-password',
    view: 'login',
    locals: { action, csrf, error: 'missing', username: 'ada', forgot: '/forgotten' },
  },
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
  { name: 'login-three-providers', view: 'login', locals: { ...full, providers: [google, microsoft, github] } },
  {
    name: 'login-many-providers',
    view: 'login',
    locals: {
      ...full,
      providers: [
        ...[google, microsoft, github, company],
        { name: 'Own picture', logo: '/public/favicon.svg', to: at('own') },
        ...['Apple', 'GitLab', 'Keycloak', 'LinkedIn', 'Okta'].map((name) => {
          const mark = name.toLowerCase();
          return { name, mark, to: at(mark) };
        }),
        { name: unbroken, to: at('long') },
      ],
    },
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
    locals: { action, csrf, client: bookshelf, connecting: { provider: github, label: 'ada-l' }, cancel: action },
  },
  {
    name: 'login-unreviewed',
    view: 'login',
    locals: { action, csrf, client: unknownShop, signUp: '/sign-up', forgot: '/forgotten', passkey, cancel: action },
  },
];
