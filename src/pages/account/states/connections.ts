import { at, bookshelf, longName, signedInForm, type ViewState } from '../../kit/state.ts';

const reading = [{ name: 'openid' }, { name: 'profile' }, { name: 'offline_access' }];

export const connectionsStates: readonly ViewState[] = [
  { name: 'account-connections-none', view: 'account-connections', locals: { ...signedInForm, connections: [] } },
  {
    name: 'account-connections',
    view: 'account-connections',
    locals: {
      ...signedInForm,
      connections: [
        {
          id: 'c1',
          client: bookshelf,
          scopes: reading,
          since: at,
          lastUsedAt: at,
          apis: [{ name: 'Calendar', scopes: [{ name: 'calendar.read', sentence: 'See when you are busy' }] }],
        },
        { id: 'c2', client: { name: longName, host: 'app.example' }, scopes: [], apis: [], since: at },
      ],
    },
  },
  {
    name: 'account-notice-connection-ended',
    view: 'account-connections',
    locals: { ...signedInForm, connections: [], notice: 'connection-ended' },
  },
];
