import { nowSeconds } from '../../../base/clock.ts';
import { before, signedIn, type ViewState } from '../../kit/state.ts';
import { activityEvents, eventsShown } from '../activity.ts';
import { byDay } from '../kit/days.ts';
import { lookOf } from '../kit/event-view.ts';

const address = '2001:db8:85a3:8d3:1319:8a2e:370:7348';
/** So that each kind of row is there, most of them emphasized. */
const picked = [
  ...['sign_in.succeeded', 'device.reported', 'sign_in.failed', 'sign_in.throttled', 'account.password_changed'],
  ...activityEvents.filter((event) => /^(factor|consent|grant)\./.test(event)),
  'something.new',
];

export const activityStates: readonly ViewState[] = [
  { name: 'account-activity-none', view: 'account-activity', locals: { ...signedIn, days: [] } },
  {
    name: 'account-activity',
    view: 'account-activity',
    locals: {
      ...signedIn,
      days: byDay(
        picked.map((event, n) => ({
          ...{ ...lookOf(event), at: before(n * 15_000), byAdmin: n === 5 },
          ...(n !== 4 && { address: n === 2 ? address : '192.0.2.1' }),
          ...(n < 3 && { program: 'Firefox', system: 'Android' }),
          ...(n === 3 && { address: '192.168.178.20', place: 'private' as const }),
          ...(n > 7 && { client: 'Bookshelf' }),
        })),
        nowSeconds(),
      ),
      older: '/account/activity?before=7',
    },
  },
  {
    name: 'account-activity-many',
    view: 'account-activity',
    locals: {
      ...signedIn,
      days: byDay(
        Array.from({ length: eventsShown }, (_, n) => ({
          ...{ ...lookOf('device.reported'), at: before(n * 15_000), byAdmin: false, address },
          ...{ program: 'Firefox', system: 'Android', client: 'Bookshelf' },
        })),
        nowSeconds(),
      ),
      older: '/account/activity?before=7',
    },
  },
];
