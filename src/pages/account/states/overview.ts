import { account, at, before, bookshelf, longName, signedIn, unknownShop, type ViewState } from '../../kit/state.ts';
import { lookOf } from '../kit/event-view.ts';
import type { SessionView } from '../kit/session-view.ts';

const me = { name: 'Ada', email: account.email, verified: true, createdAt: at, lastSeenAt: before(90) };
const phone = { program: 'Firefox', system: 'Android' } as const;
const laptop = { program: 'Firefox', system: 'Linux' } as const;

const sessions: readonly SessionView[] = [
  {
    kind: 'computer',
    door: 'browser',
    ...laptop,
    address: '192.168.178.20',
    place: 'private',
    createdAt: before(7200),
    lastSeenAt: before(20),
    here: true,
  },
  {
    kind: 'phone',
    door: 'browser',
    ...phone,
    address: '192.0.2.1',
    createdAt: before(90_000),
    lastSeenAt: before(4000),
    here: false,
    end: '/account/sessions/end?session=s1&from=overview',
  },
  {
    kind: 'terminal',
    door: 'tinyoauth',
    program: 'curl',
    address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
    createdAt: before(900_000),
    here: false,
    end: '/account/sessions/end?session=s2&from=overview',
  },
];

const connections = [bookshelf, unknownShop, { name: longName }].map((client, n) => ({
  ...{ client, scopes: [{ name: 'openid' }], apis: [], since: before(90_000) },
  ...(n === 0 && { lastUsedAt: before(3000) }),
  end: `/account/connections/end?client=c${n}&from=overview`,
}));

const events = [
  { ...lookOf('sign_in.succeeded'), ...laptop, at: before(7200), client: 'Bookshelf', address: '192.0.2.1' },
  { ...lookOf('sign_in.failed'), ...phone, at: before(9000), address: '198.51.100.7' },
  { ...lookOf('account.password_changed'), at: before(200_000) },
].map((event) => ({ byAdmin: false, ...event }));

const whole = { ...signedIn, account: me, events, sessions, connections, counts: { sessions: 5, connections: 3 } };

export const overviewStates: readonly ViewState[] = [
  {
    name: 'account',
    view: 'account',
    locals: { ...whole, advice: { kind: 'password-only', good: false, to: '/account/security', add: 'passkey' } },
  },
  { name: 'account-strong', view: 'account', locals: { ...whole, advice: { kind: 'strong', good: true } } },
  {
    name: 'account-codes-unsaved',
    view: 'account',
    locals: { ...whole, advice: { kind: 'codes-unsaved', good: false, to: '/account/factors/codes' } },
  },
  {
    name: 'account-codes-few',
    view: 'account',
    locals: { ...whole, advice: { kind: 'codes-few', good: false, to: '/account/security', count: 2 } },
  },
  {
    name: 'account-unverified',
    view: 'account',
    locals: {
      ...whole,
      account: { ...me, name: longName, verified: false },
      viewer: { name: longName, username: longName },
      notice: 'session-ended',
      advice: { kind: 'email-unverified', good: false, to: '/account/email' },
    },
  },
  {
    name: 'account-ready',
    view: 'account',
    locals: { ...whole, notice: 'account-ready', advice: { kind: 'strong', good: true } },
  },
  {
    name: 'account-bare',
    view: 'account',
    locals: {
      ...signedIn,
      account: { name: 'ada', verified: false, createdAt: at },
      advice: { kind: 'provider-only', good: false, to: '/account/security', add: 'app' },
      events: [],
      sessions: sessions.slice(0, 1),
      connections: [],
      counts: { sessions: 100, connections: 0 },
    },
  },
];
