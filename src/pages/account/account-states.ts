/** A person's own pages. */

import {
  account,
  appSample,
  bookshelf,
  codesSample,
  csrf,
  emptyProfile,
  unbroken,
  type ViewState,
} from '../kit/state.ts';
import { formProblems } from '../kit/view-parts.ts';
import { activityEvents } from './activity.ts';
import { appCodeErrors } from './enrolment.ts';
import { passwordFormErrors } from './password.ts';
import { sessionDoors } from './sessions.ts';

const at = 1_800_000_000;
const me = { ...account, verified: true, hasPassword: true, twoFactor: true, createdAt: at, lastSeenAt: at + 90 };
const profile = {
  ...emptyProfile,
  ...{ picture: 'https://ada.example/me.jpg', phone: '+493012345678', zoneinfo: 'Europe/Berlin', languages: ['fr'] },
  address: {
    street_address: 'Hauptstraße 1\nHinterhaus',
    postal_code: '10117',
    locality: 'Berlin',
    country: 'Deutschland',
  },
};
const app = { csrf, ...appSample };
const factor = { id: 'f1', kind: 'totp', name: 'phone', createdAt: at, locked: false, needed: false } as const;
const longName = 'The Very Long Named Reading and Lending Library of Upper Example';
const reading = [{ name: 'openid' }, { name: 'profile' }, { name: 'offline_access' }];

const address = '2001:db8:85a3:8d3:1319:8a2e:370:7348';
const options = '{"challenge":"c0ffee","rp":{"name":"Gatehouse"}}';

const linked = { id: 'i1', provider: 'GitHub', label: 'ada-l', createdAt: at };
const elsewhere = {
  csrf,
  identities: [
    linked,
    { ...linked, id: 'i2', provider: 'Example Company', label: 'ada@example.org', lastUsedAt: at + 90 },
  ],
  providers: [{ name: 'Example University', to: '/account/identities/connect/university' }],
};

export const accountStates: readonly ViewState[] = [
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
      csrf,
      identities: [{ ...linked, provider: unbroken, label: unbroken }],
      providers: [{ name: unbroken, to: '/account/identities/connect/university' }],
    },
  },
  {
    name: 'account-identity',
    view: 'account-identity',
    locals: { csrf, provider: 'GitHub', label: 'ada-l', username: 'ada' },
  },
  { name: 'account', view: 'account', locals: { account: me, sessions: 3, connections: 1, applications: 0 } },
  {
    name: 'account-bare',
    view: 'account',
    locals: {
      account: {
        ...{ name: 'ada', username: 'ada', email: 'ada@example.org', createdAt: at },
        ...{ verified: false, hasPassword: false, twoFactor: false },
      },
      sessions: 100,
      connections: 100,
      applications: 100,
    },
  },
  { name: 'account-profile', view: 'account-profile', locals: { ...profile, errors: {} } },
  {
    name: 'account-profile-wrong',
    view: 'account-profile',
    locals: { ...profile, locale: '', errors: { firstName: 'too-long', lastName: 'invalid' } },
  },
  { name: 'account-profile-empty', view: 'account-profile', locals: { ...emptyProfile, errors: {} } },
  {
    name: 'account-profile-refused',
    view: 'account-profile',
    locals: {
      ...profile,
      ...{ locale: 'tlh', picture: `http://${unbroken}`, phone: '030 12345678', zoneinfo: unbroken },
      address: { ...profile.address, formatted: unbroken, region: unbroken },
      errors: {
        ...{ locale: 'not-a-locale', picture: 'not-a-picture', phone: 'not-a-phone', zoneinfo: 'not-a-zone' },
        formatted: 'too-long',
      },
    },
  },
  {
    name: 'account-email',
    view: 'account-email',
    locals: { csrf, current: 'ada@example.org', verified: true, noMail: false },
  },
  { name: 'account-email-none', view: 'account-email', locals: { csrf, verified: false, noMail: true } },
  {
    name: 'account-email-wrong',
    view: 'account-email',
    locals: {
      ...{ csrf, current: 'ada@example.org', verified: false, noMail: false },
      ...{ email: 'ada@', error: 'invalid' },
    },
  },
  {
    name: 'account-email-throttled',
    view: 'account-email',
    locals: {
      ...{ csrf, current: 'ada@example.org', verified: true, noMail: false, email: 'ada@example.net' },
      ...{ problem: 'throttled', retryAfterSeconds: 600 },
    },
  },
  {
    name: 'account-password',
    view: 'account-password',
    locals: { csrf, username: 'ada', hasPassword: true, minLength: 15 },
  },
  {
    name: 'account-password-first',
    view: 'account-password',
    locals: { csrf, username: 'ada', hasPassword: false, minLength: 15, error: 'too-common' },
  },
  ...passwordFormErrors.map(
    (current): ViewState => ({
      name: `account-password-${current}`,
      view: 'account-password',
      locals: { csrf, username: 'ada', hasPassword: true, minLength: 8, current },
    }),
  ),
  ...formProblems.map(
    (problem): ViewState => ({
      name: `account-password-${problem}`,
      view: 'account-password',
      locals: { csrf, username: 'ada', hasPassword: true, minLength: 8, problem, retryAfterSeconds: 600 },
    }),
  ),
  {
    name: 'account-factors-none',
    view: 'account-factors',
    locals: { csrf, factors: [], codesLeft: 0, twoFactor: false, emailCodes: true },
  },
  {
    name: 'account-factors',
    view: 'account-factors',
    locals: {
      csrf,
      factors: [
        factor,
        { ...factor, id: 'f2', name: '', lastUsedAt: at, locked: true },
        { ...factor, id: 'f3', kind: 'email-code', name: '' },
        { ...factor, id: 'f4', kind: 'passkey', name: longName, needed: true },
      ],
      codesLeft: 7,
      twoFactor: true,
      emailCodes: false,
    },
  },
  {
    name: 'account-factors-one',
    view: 'account-factors',
    locals: { csrf, factors: [factor], codesLeft: 1, twoFactor: true, emailCodes: true, notice: 'app-gone' },
  },
  { name: 'account-passkeys-none', view: 'account-passkeys', locals: { csrf, passkeys: [], options } },
  {
    name: 'account-passkeys',
    view: 'account-passkeys',
    locals: {
      csrf,
      options,
      passkeys: [
        { id: 'p1', name: 'laptop', synced: true, createdAt: at, lastUsedAt: at, needed: false },
        { id: 'p2', name: longName, synced: false, createdAt: at, needed: false },
      ],
      notice: 'passkey-added',
    },
  },
  {
    name: 'account-passkeys-needed',
    view: 'account-passkeys',
    locals: {
      csrf,
      passkeys: [{ id: 'p1', name: '', synced: true, createdAt: at, needed: true }],
      notice: 'passkey-last',
    },
  },
  { name: 'account-app', view: 'account-app', locals: app },
  ...appCodeErrors.map(
    (error): ViewState => ({ name: `account-app-${error}`, view: 'account-app', locals: { ...app, error } }),
  ),
  { name: 'account-codes', view: 'account-codes', locals: { csrf, codes: codesSample, notice: 'factor-added' } },
  {
    name: 'account-sessions',
    view: 'account-sessions',
    locals: {
      csrf,
      sessions: [
        ...sessionDoors.map((door, n) => ({
          ...{ id: `s${n}`, door, address, createdAt: at, here: n === 0 },
          ...(n < 2 && { program: 'Firefox', system: 'Linux', lastSeenAt: at }),
        })),
        { id: 's9', door: 'elsewhere', createdAt: at, here: false },
      ],
      others: true,
      older: '/account/sessions?before=1.a',
    },
  },
  {
    name: 'account-sessions-one',
    view: 'account-sessions',
    locals: { csrf, sessions: [{ id: 's1', door: 'browser', createdAt: at, here: true }], others: false },
  },
  { name: 'account-connections-none', view: 'account-connections', locals: { csrf, connections: [] } },
  {
    name: 'account-connections',
    view: 'account-connections',
    locals: {
      csrf,
      connections: [
        {
          ...{ id: 'c1', client: bookshelf, scopes: reading, since: at, lastUsedAt: at },
          apis: [{ name: 'Calendar', scopes: [{ name: 'calendar.read', sentence: 'See when you are busy' }] }],
        },
        { id: 'c2', client: { name: longName, host: 'app.example' }, scopes: [], apis: [], since: at },
      ],
    },
  },
  { name: 'account-applications-none', view: 'account-applications', locals: { csrf, applications: [] } },
  {
    name: 'account-applications',
    view: 'account-applications',
    locals: {
      csrf,
      applications: [
        {
          ...{ id: 'QmFja3NsYXNoQmFja3NsYXNo', name: longName, createdAt: at, disabled: true },
          redirectUris: ['https://bookshelf.example/callback', 'https://bookshelf.example/other/callback'],
        },
      ],
      more: '/account/applications?after=a',
    },
  },
  { name: 'account-activity-none', view: 'account-activity', locals: { events: [] } },
  {
    name: 'account-activity',
    view: 'account-activity',
    locals: {
      events: [
        ...activityEvents.slice(0, 12).map((event, n) => ({
          ...{
            event,
            at,
            address: n === 4 ? address : '192.0.2.1',
            byAdmin: n === 5,
          },
          ...(n < 3 && { program: 'Firefox', system: 'Android' }),
          ...(n === 3 && { address: '192.168.178.20', place: 'private' as const }),
          ...(n > 7 && { client: 'Bookshelf' }),
        })),
        { event: 'something.new', at, byAdmin: false },
      ],
      older: '/account/activity?before=7',
    },
  },
  { name: 'account-data', view: 'account-data', locals: {} },
  { name: 'account-delete', view: 'account-delete', locals: { csrf, username: 'ada', applications: 2 } },
  {
    name: 'account-delete-wrong',
    view: 'account-delete',
    locals: { csrf, username: 'ada', applications: 1, typed: 'adda', error: 'name' },
  },
  {
    name: 'account-delete-last-admin',
    view: 'account-delete',
    locals: { csrf, username: 'ada', applications: 0, typed: 'ada', error: 'last-admin' },
  },
  { name: 'account-deleted', view: 'account-deleted', locals: {} },
];
