/**
 * Names and texts that mean harm, in every place of the pages they can reach. The pages' ordinary states stand beside
 * the pages.
 */

import { inAscii } from '../../../src/base/json.ts';
import { action, csrf, type ViewState } from '../../../src/pages/kit/state.ts';

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
    owner: value,
    unreviewed: true,
  };
  const person = { name: value, username: value, email: value };
  const viewer = { name: value, username: value };
  const given = [{ name: value }, { name: value, sentence: value, isNew: true }];
  const event = { event: 'sign_out', icon: 'sign-out', at: 1, byAdmin: false };
  const session = {
    ...{ kind: 'computer' as const, door: value, program: value, address: value, createdAt: 1, here: false },
    end: value,
  };
  const connection = { client, scopes: given, apis: [{ name: value, scopes: given }], since: 1, end: value };
  return [
    {
      name: 'welcome',
      view: 'welcome',
      locals: {
        account: person,
        signOut: value,
        signUp: true,
        developer: { issuer: value, noAdministrator: true, mails: true, gallery: true },
      },
    },
    {
      name: 'login',
      view: 'login',
      locals: {
        action,
        csrf,
        client,
        username: value,
        error: 'wrong',
        signUp: value,
        forgot: value,
        choose: value,
        cancel: value,
      },
    },
    {
      name: 'login-providers',
      view: 'login',
      locals: {
        ...{ action, csrf, client, providers: [{ name: value, logo: value, to: value }] },
        failed: { kind: 'throttled', provider: value, reference: value },
        connecting: { provider: { name: value, logo: value }, label: value },
      },
    },
    ...[true, false].map(
      (signUp): ViewState => ({
        name: `upstream-new-${signUp}`,
        view: 'upstream-new',
        locals: {
          ...{
            action,
            csrf,
            client,
            provider: { name: value, logo: value },
            label: value,
            email: value,
            username: value,
          },
          ...{ signUp, known: !signUp, error: 'taken' },
        },
      }),
    ),
    {
      name: 'upstream-connect',
      view: 'upstream-connect',
      locals: { action, csrf, client, provider: { name: value, logo: value }, label: value, account: person },
    },
    {
      name: 'account-identity',
      view: 'account-identity',
      locals: { viewer, csrf, provider: value, label: value, username: value },
    },
    {
      name: 'chooser',
      view: 'chooser',
      locals: {
        ...{ action, csrf, client, cancel: value },
        accounts: [{ id: 'a', name: value, username: value, current: true, remembered: true }],
      },
    },
    {
      name: 'second-factor',
      view: 'second-factor',
      locals: {
        ...{ action, csrf, client, account: person, method: 'email-code', mailedTo: value, error: 'wrong' },
        others: [{ method: 'totp', to: value }],
      },
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
    { name: 'forgot', view: 'forgot', locals: { action, csrf, client, name: value, back: value } },
    {
      name: 'account',
      view: 'account',
      locals: {
        viewer,
        account: { name: value, email: value, verified: false, createdAt: 1, lastSeenAt: 1 },
        advice: { kind: 'password-only', good: false, to: value, add: 'passkey' },
        events: [{ ...event, event: value, client: value, program: value, address: value }],
        sessions: [session],
        connections: [connection],
        counts: { sessions: 1, connections: 1 },
      },
    },
    {
      name: 'account-profile',
      view: 'account-profile',
      locals: {
        viewer,
        ...{
          csrf,
          username: value,
          email: value,
          verified: false,
          firstName: value,
          lastName: value,
          picture: value,
          zoneinfo: value,
          phone: value,
        },
        ...{ locale: value, locales: [], languages: [] },
        address: { street_address: value, formatted: value, country: value },
        errors: { locale: 'not-a-locale', formatted: 'too-long' },
      },
    },
    {
      name: 'account-email',
      view: 'account-email',
      locals: { viewer, csrf, current: value, verified: false, email: value, notice: 'email-asked', noMail: false },
    },
    {
      name: 'account-password',
      view: 'account-password',
      locals: { viewer, csrf, username: value, hasPassword: true, minLength: 15 },
    },
    {
      name: 'account-security',
      view: 'account-security',
      locals: {
        ...{ viewer, csrf, hasPassword: true, twoFactor: true, codes: { left: 1, saved: false }, added: 'p' },
        passkeys: {
          list: [{ id: 'p', name: value, synced: true, createdAt: 1, needed: false }],
          add: 'here',
          // As src/login/passkey writes it, with a username that is no longer than one can be.
          options: inAscii({ user: { name: value.slice(0, 64) } }),
        },
        methods: [{ kind: 'totp', add: 'enrol', list: [{ id: 'f', name: value, createdAt: 1, locked: false }] }],
        identities: [{ id: 'a', provider: value, label: value, createdAt: 1, lastUsedAt: 2, needed: false }],
        providers: [{ name: value, to: value }],
        failed: { kind: 'denied', provider: value },
      },
    },
    {
      name: 'account-confirm-passkey',
      view: 'account-confirm',
      locals: {
        ...{ viewer, csrf, asks: 'passkey', section: 'security', name: value, kind: 'passkey', back: value },
        ...{ action: '/account/passkeys/remove', fields: [{ name: 'passkey', value: 'p' }] },
      },
    },
    {
      name: 'account-security-name',
      view: 'account-security-name',
      locals: {
        ...{ viewer, csrf, action: '/account/passkeys/rename', error: 'too-long' },
        ...{ field: { name: 'passkey', value: 'p' }, about: { name: value, kind: 'passkey' } },
      },
    },
    {
      name: 'account-app',
      view: 'account-app',
      locals: { viewer, csrf, secret: 'ABCD', uri: value, code: { size: 1, path: '' } },
    },
    {
      name: 'account-codes',
      view: 'account-codes',
      locals: { viewer, csrf, codes: ['abcd-efgh'], added: 'p', error: 'wrong' },
    },
    {
      name: 'account-sessions',
      view: 'account-sessions',
      locals: {
        viewer,
        sessions: [session, { ...session, door: 'browser', system: value, here: true }],
        ...{ others: true, older: value },
      },
    },
    {
      name: 'account-connections',
      view: 'account-connections',
      locals: {
        viewer,
        connections: [connection],
      },
    },
    {
      name: 'account-applications',
      view: 'account-applications',
      locals: {
        viewer,
        applications: [{ id: 'd', client, redirectUris: [value], createdAt: 1, disabled: false, end: value }],
        more: value,
      },
    },
    {
      name: 'account-confirm',
      view: 'account-confirm',
      locals: {
        ...{ viewer, csrf, asks: 'connection', section: 'connections', name: value, action: value, back: value },
        fields: [{ name: 'client', value }],
      },
    },
    {
      name: 'account-confirm-session',
      view: 'account-confirm',
      locals: {
        ...{ viewer, csrf, asks: 'session', section: 'sessions', action: value, fields: [], back: value },
        device: { door: value, program: value, system: value },
      },
    },
    {
      name: 'account-activity',
      view: 'account-activity',
      locals: {
        viewer,
        days: [
          {
            at: 0,
            ago: 2,
            rows: [
              { ...event, event: value, client: value, program: value, address: value },
              { ...event, program: value, system: value, byAdmin: true },
            ],
          },
        ],
        older: value,
      },
    },
    {
      name: 'account-delete',
      view: 'account-delete',
      locals: { viewer, csrf, username: value, applications: 0, typed: value, error: 'name' },
    },
    {
      name: 'reset',
      view: 'reset',
      locals: { action, csrf, username: value, minLength: 15, elsewhere: [{ id: 'x', provider: value, label: value }] },
    },
    {
      name: 'longer-password',
      view: 'longer-password',
      locals: { action, csrf, client, username: value, minLength: 15, error: 'too-short' },
    },
    {
      name: 'verify-email',
      view: 'verify-email',
      locals: { action, csrf, email: value, username: value, askPassword: true, signIn: value },
    },
    {
      name: 'dev-mails',
      view: 'dev-mails',
      locals: { mails: [{ number: 1, to: value, subject: value, text: value, link: value, at: 1_800_000_000 }] },
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
      name: 'error-unreviewed',
      view: 'error',
      locals: { status: 400, kind: 'unreviewed', clientName: value, code: value, reference: value },
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
        errors: {},
      },
    },
    { name: 'setup-done', view: 'setup-done', locals: { username: value, development: true, mails: true } },
    {
      name: 'mail-sent',
      view: 'mail-sent',
      locals: { about: 'address', email: value, client, change: value, go: { to: value, as: 'signIn' } },
    },
    { name: 'stale', view: 'stale', locals: { clientName: value, startAgain: value } },
    { name: 'stale-client', view: 'stale', locals: { clientName: value } },
  ];
};
