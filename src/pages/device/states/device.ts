import { before, bookshelf, csrf, longName, unbroken, unknownShop, type ViewState } from '../../kit/state.ts';
import { deviceProblems } from '../device.ts';

const place = { program: 'Chrome', system: 'Android', address: '203.0.113.7', at: before(60) };
const userCode = 'WDJB-MJHT';
const again = deviceProblems.filter((kind) => kind !== 'throttled' && kind !== 'sign-in-first');

export const deviceStates: readonly ViewState[] = [
  { name: 'device', view: 'device', locals: { csrf } },
  ...again.map(
    (kind): ViewState => ({
      name: `device-${kind}`,
      view: 'device',
      locals: {
        csrf: kind === 'stale' ? undefined : csrf,
        typed: kind === 'missing' ? undefined : 'wdjb mjh',
        problem: { kind },
      },
    }),
  ),
  {
    name: 'device-throttled',
    view: 'device',
    locals: { csrf, typed: 'wdjb mjht', problem: { kind: 'throttled' }, retryAfterSeconds: 540 },
  },
  {
    name: 'device-sign-in-first',
    view: 'device',
    locals: {
      csrf,
      typed: 'wdjb mjht',
      problem: { kind: 'sign-in-first' },
      retryAfterSeconds: 540,
      signIn: '/account',
    },
  },
  { name: 'device-confirm', view: 'device-confirm', locals: { csrf, userCode, client: bookshelf, place } },
  {
    name: 'device-confirm-unreviewed',
    view: 'device-confirm',
    locals: { csrf, userCode, client: unknownShop, place: { ...place, address: '192.168.4.20', where: 'private' } },
  },
  {
    name: 'device-confirm-long',
    view: 'device-confirm',
    locals: {
      csrf,
      userCode,
      client: { ...bookshelf, name: longName, logo: '/public/favicon.svg' },
      place: { program: unbroken, address: '2001:db8:85a3:8d3:1319:8a2e:370:7348', at: before(60) },
    },
  },
  {
    name: 'device-confirm-bare',
    view: 'device-confirm',
    locals: { csrf, userCode, client: { name: 'TV' }, place: { at: before(60) } },
  },
  { name: 'device-done', view: 'device-done', locals: { client: bookshelf } },
  { name: 'device-done-bare', view: 'device-done', locals: {} },
  { name: 'device-denied', view: 'device-done', locals: { denied: true, client: bookshelf } },
];
