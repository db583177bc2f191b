import { before, bookshelf, longName, signedIn, unknownShop, type ViewState } from '../../kit/state.ts';
import { connectionsShown } from '../connections.ts';

const reading = [{ name: 'openid' }, { name: 'profile' }, { name: 'offline_access' }];
const end = '/account/connections/end?client=c1';

export const connectionsStates: readonly ViewState[] = [
  { name: 'account-connections-none', view: 'account-connections', locals: { ...signedIn, connections: [] } },
  {
    name: 'account-connections',
    view: 'account-connections',
    locals: {
      ...signedIn,
      connections: [
        {
          ...{ client: bookshelf, scopes: reading, since: before(9_000_000), lastUsedAt: before(500), end },
          apis: [{ name: 'Calendar', scopes: [{ name: 'calendar.read', sentence: 'See when you are busy' }] }],
        },
        { client: unknownShop, scopes: [{ name: 'email' }], apis: [], since: before(200_000), end },
        { client: { name: longName, host: 'app.example' }, scopes: [], apis: [], since: before(30), end },
      ],
    },
  },
  {
    name: 'account-connections-many',
    view: 'account-connections',
    locals: {
      ...signedIn,
      connections: Array.from({ length: connectionsShown }, (_, n) => ({
        ...{ client: { ...bookshelf, name: `${longName} ${n}` }, scopes: reading, since: before(9_000_000), end },
        apis: [{ name: 'Calendar', scopes: [{ name: 'calendar.read', sentence: 'See when you are busy' }] }],
      })),
      more: '/account/connections?after=c8',
    },
  },
  {
    name: 'account-notice-connection-ended',
    view: 'account-connections',
    locals: { ...signedIn, connections: [], notice: 'connection-ended' },
  },
];
