import { at, signedIn, type ViewState } from '../../kit/state.ts';
import { activityEvents } from '../activity.ts';

const address = '2001:db8:85a3:8d3:1319:8a2e:370:7348';

export const activityStates: readonly ViewState[] = [
  { name: 'account-activity-none', view: 'account-activity', locals: { ...signedIn, events: [] } },
  {
    name: 'account-activity',
    view: 'account-activity',
    locals: {
      ...signedIn,
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
];
