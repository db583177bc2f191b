/** Every page in every state worth looking at, hostile names included: for tests of rendering and of the pages in a browser. */
import type { ViewLocals, ViewName } from '../../src/http/views.ts';
import {
  confirmErrors,
  errorKinds,
  formProblems,
  loginErrors,
  noticeKinds,
  secondFactorErrors,
} from '../../src/http/views.ts';

export type ViewState = {
  [V in ViewName]: { readonly name: string; readonly view: V; readonly locals: ViewLocals[V] };
}[ViewName];

export const hostile = [
  '<script>alert(1)</script>',
  '"onerror="alert(1)',
  "' autofocus onfocus='alert(1)",
  '{{7*7}} #{7*7} $\u{7b}7*7}',
  '<%= 7*7 %><%- 7*7 %>',
  'safe\u202egpj.exe\u2069\u2066',
  '</title></textarea></template><svg/onload=alert(1)>',
  `A${'\u0301'.repeat(10_000)}`,
  'W'.repeat(10_000),
  '\ud800 lone \u0000 null',
] as const;

const action = '/interaction/Qw3rTy';
const csrf = 'c0ffee';
const bookshelf = { name: 'Bookshelf', uri: 'https://bookshelf.example/', host: 'bookshelf.example' };
const account = { name: 'Ada Example', username: 'ada', email: 'ada@example.org' };
const scopes = [{ name: 'openid' }, { name: 'profile' }, { name: 'email', isNew: true }, { name: 'offline_access' }];

const field = (name: string) => ({ name, type: 'string', required: true, description: 'What `it` is.' });

export const states: readonly ViewState[] = [
  { name: 'welcome', view: 'welcome', locals: { issuer: 'https://id.example.org', development: false } },
  {
    name: 'welcome-signed-in',
    view: 'welcome',
    locals: { issuer: 'http://localhost:3000', development: true, account, signOut: '/oauth/logout' },
  },
  { name: 'login-plain', view: 'login', locals: { action, csrf } },
  {
    name: 'login-client',
    view: 'login',
    locals: { action, csrf, client: bookshelf, signUp: '/sign-up', forgot: '/forgotten', cancel: action },
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
    name: 'second-factor',
    view: 'second-factor',
    locals: { action, csrf, client: bookshelf, account, method: 'totp', other: `${action}?method=recovery-code` },
  },
  {
    name: 'second-factor-recovery',
    view: 'second-factor',
    locals: { action, csrf, account: { username: 'ada' }, method: 'recovery-code', other: `${action}?method=totp` },
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
        method: error === 'locked' ? 'recovery-code' : 'totp',
        error,
        retryAfterSeconds: 600,
      },
    }),
  ),
  { name: 'sign-up', view: 'sign-up', locals: { action, csrf, minLength: 15, emailField: 'asked', errors: {} } },
  {
    name: 'sign-up-client',
    view: 'sign-up',
    locals: { action, csrf, client: bookshelf, minLength: 15, emailField: 'asked', errors: {}, signIn: action },
  },
  {
    name: 'sign-up-wrong',
    view: 'sign-up',
    locals: {
      action,
      csrf,
      minLength: 15,
      emailField: 'asked',
      username: 'ada lovelace',
      email: 'ada@',
      errors: { username: 'characters', email: 'invalid', password: 'too-common' },
    },
  },
  {
    name: 'sign-up-invited',
    view: 'sign-up',
    locals: {
      action,
      csrf,
      minLength: 15,
      emailField: 'fixed',
      email: 'ada@example.org',
      username: 'ada',
      errors: { email: 'taken' },
    },
  },
  {
    name: 'sign-up-no-mail',
    view: 'sign-up',
    locals: { action, csrf, minLength: 15, emailField: 'none', username: 'ada', errors: { username: 'taken' } },
  },
  ...formProblems.map(
    (problem): ViewState => ({
      name: `sign-up-${problem}`,
      view: 'sign-up',
      locals: { action, csrf, minLength: 15, emailField: 'asked', errors: {}, problem, retryAfterSeconds: 600 },
    }),
  ),
  { name: 'forgot', view: 'forgot', locals: { action, csrf, back: action } },
  { name: 'forgot-missing', view: 'forgot', locals: { action, csrf, error: 'missing' } },
  {
    name: 'forgot-throttled',
    view: 'forgot',
    locals: { action, csrf, name: 'ada', error: 'throttled', retryAfterSeconds: 600 },
  },
  { name: 'reset', view: 'reset', locals: { action, csrf, username: 'ada', minLength: 15 } },
  { name: 'reset-wrong', view: 'reset', locals: { action, csrf, username: 'ada', minLength: 15, error: 'too-short' } },
  {
    name: 'reset-busy',
    view: 'reset',
    locals: { action, csrf, username: 'ada', minLength: 15, problem: 'busy', retryAfterSeconds: 2 },
  },
  {
    name: 'verify-email',
    view: 'verify-email',
    locals: { action, csrf, email: 'ada@example.org', username: 'ada', askPassword: false },
  },
  ...confirmErrors.map(
    (error): ViewState => ({
      name: `verify-email-${error}`,
      view: 'verify-email',
      locals: { action, csrf, email: 'ada@example.org', username: 'ada', askPassword: true, error },
    }),
  ),
  ...noticeKinds.map(
    (kind): ViewState => ({
      name: `notice-${kind}`,
      view: 'notice',
      locals: { kind, seconds: 1800, go: { to: action, as: kind === 'reset-gone' ? 'again' : 'signIn' } },
    }),
  ),
  { name: 'dev-mails-empty', view: 'dev-mails', locals: { mails: [] } },
  {
    name: 'dev-mails',
    view: 'dev-mails',
    locals: {
      mails: [
        {
          to: 'ada@example.org',
          subject: 'A new password for Gatehouse',
          text: 'Somebody, probably you, asked to set a new password.\n\nSet a new password:\nhttp://localhost:3000/reset?token=Qw3rTy',
          link: 'http://localhost:3000/reset?token=Qw3rTy',
          at: 1_800_000_000,
        },
        { to: 'ada@example.org', subject: 'Hello', text: 'Without a link.', link: undefined, at: 1_800_000_000 },
      ],
    },
  },
  { name: 'consent', view: 'consent', locals: { action, csrf, client: bookshelf, account, scopes } },
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
          scopes: [{ name: 'calendar.read', sentence: 'See when you are busy' }, { name: 'calendar.odd' }],
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
  ...errorKinds.map(
    (kind): ViewState => ({
      name: `error-${kind}`,
      view: 'error',
      locals: { status: 400, kind, reference: 'R-7Q4K-2M' },
    }),
  ),
  {
    name: 'error-detail',
    view: 'error',
    locals: {
      status: 400,
      kind: 'redirect',
      clientName: 'Bookshelf',
      code: 'invalid_redirect_uri',
      reference: 'R-7Q4K-2M',
      detail: {
        check: 'redirect_uri is registered for this client',
        received: 'https://bookshelf.example/callback/',
        receivedMarkFrom: 34,
        expected: 'https://bookshelf.example/callback',
        advice: 'Remove the trailing slash, or register this address too.',
      },
      startAgain: '/',
    },
  },
  {
    name: 'error-description',
    view: 'error',
    locals: {
      status: 400,
      kind: 'request',
      code: 'invalid_request',
      description: 'response_type is missing',
      reference: 'R-7Q4K-2M',
    },
  },
  { name: 'setup', view: 'setup', locals: { action: '/setup', csrf, minLength: 15, errors: {} } },
  {
    name: 'setup-wrong',
    view: 'setup',
    locals: {
      action: '/setup',
      csrf,
      minLength: 15,
      username: 'ada',
      firstName: 'Ada',
      email: 'ada@',
      errors: { last_name: 'required', email: 'invalid', password: 'too-short' },
    },
  },
  { name: 'setup-done', view: 'setup-done', locals: { username: 'ada', development: true } },
  { name: 'setup-done-production', view: 'setup-done', locals: { username: 'ada', development: false } },
  { name: 'stale', view: 'stale', locals: { startAgain: '/oauth/authorize?client_id=a' } },
  { name: 'stale-client', view: 'stale', locals: { clientName: 'Bookshelf' } },
  { name: 'stale-setup', view: 'stale', locals: { setup: true } },
  { name: 'stale-unknown', view: 'stale', locals: {} },
  { name: 'not-found', view: 'not-found', locals: {} },
  {
    name: 'openapi',
    view: 'openapi',
    locals: {
      apis: [
        {
          name: 'lending',
          title: 'Lending',
          about: 'For those who lend and borrow.',
          operations: [{ id: 'postLoans', method: 'POST', path: '/loans', summary: 'Borrow a book' }],
        },
      ],
    },
  },
  {
    name: 'openapi-api',
    view: 'openapi-api',
    locals: {
      title: 'Lending',
      about: 'For those who lend and borrow.',
      bases: ['/dev/lending'],
      failure: { fields: [field('error'), field('message')], example: '{\n  "error": "unknown"\n}' },
      operations: [
        {
          id: 'postLoans',
          method: 'POST',
          path: '/loans/{reader}',
          summary: 'Borrow a book',
          description: 'For the reader, until `due`.',
          security: ['Authorization: Bearer. A token of the reader.'],
          parameters: [{ ...field('reader'), type: 'string (path)' }],
          body: {
            type: 'application/json',
            description: 'Which book, and for how long.',
            fields: [field('book'), { ...field('book.title'), required: false }, field('due')],
            example: '{\n  "book": { "title": "Persuasion" },\n  "due": "2030-01-01"\n}',
          },
          answers: [
            {
              status: 200,
              description: 'It is lent.',
              headers: [{ name: 'Location', description: 'The loan.' }],
              type: 'application/loan+json',
              fields: [field('id')],
              example: '{\n  "id": 7\n}',
            },
            { status: 404, description: 'There is no such book.', headers: [], fields: [] },
          ],
        },
      ],
      aliases: [
        {
          id: 'postBorrow',
          method: 'POST',
          path: '/borrow',
          summary: 'Borrow',
          of: '/loans',
          href: '/openapi/x#postLoans',
        },
      ],
    },
  },
  {
    name: 'playground',
    view: 'playground',
    locals: {
      issuer: 'http://localhost:3000',
      clientId: 'playground',
      redirectUri: 'http://localhost:3000/playground',
    },
  },
];

/** Every place a foreign value can reach, filled with one value. */
export const statesWith = (value: string): readonly ViewState[] => {
  const client = {
    name: value,
    uri: value,
    host: value,
    logo: value,
    policyUri: value,
    tosUri: value,
    contacts: [value, value, value, value],
    redirectHost: value,
  };
  const person = { name: value, username: value, email: value };
  const given = [{ name: value }, { name: value, sentence: value, isNew: true }];
  return [
    { name: 'welcome', view: 'welcome', locals: { issuer: value, development: true, account: person, signOut: value } },
    {
      name: 'login',
      view: 'login',
      locals: { action, csrf, client, username: value, error: 'wrong', signUp: value, forgot: value, cancel: value },
    },
    {
      name: 'second-factor',
      view: 'second-factor',
      locals: { action, csrf, client, account: person, method: 'totp', other: value, error: 'wrong' },
    },
    {
      name: 'sign-up',
      view: 'sign-up',
      locals: {
        action,
        csrf,
        client,
        minLength: 15,
        emailField: 'asked',
        username: value,
        email: value,
        errors: { username: 'taken' },
        signIn: value,
      },
    },
    { name: 'forgot', view: 'forgot', locals: { action, csrf, name: value, back: value } },
    { name: 'reset', view: 'reset', locals: { action, csrf, username: value, minLength: 15 } },
    {
      name: 'verify-email',
      view: 'verify-email',
      locals: { action, csrf, email: value, username: value, askPassword: true },
    },
    {
      name: 'dev-mails',
      view: 'dev-mails',
      locals: { mails: [{ to: value, subject: value, text: value, link: value, at: 1_800_000_000 }] },
    },
    {
      name: 'consent',
      view: 'consent',
      locals: { action, csrf, client, account: person, scopes: given, apis: [{ name: value, scopes: given }] },
    },
    {
      name: 'logout',
      view: 'logout',
      locals: { formHtml: '', formId: 'op.logoutForm', client, account: person, auto: true },
    },
    { name: 'signed-out', view: 'signed-out', locals: { client } },
    {
      name: 'error',
      view: 'error',
      locals: {
        status: 400,
        kind: 'redirect',
        clientName: value,
        code: value,
        description: value,
        reference: value,
        startAgain: value,
        detail: { check: value, received: value, receivedMarkFrom: 3, expected: value, advice: value },
      },
    },
    {
      name: 'error-plain',
      view: 'error',
      locals: { status: 400, kind: 'request', code: value, description: value, reference: value },
    },
    {
      name: 'setup',
      view: 'setup',
      locals: {
        action,
        csrf,
        minLength: 15,
        username: value,
        firstName: value,
        lastName: value,
        email: value,
        errors: {},
      },
    },
    { name: 'setup-done', view: 'setup-done', locals: { username: value, development: true } },
    { name: 'stale', view: 'stale', locals: { clientName: value, startAgain: value } },
    { name: 'stale-client', view: 'stale', locals: { clientName: value } },
  ];
};
