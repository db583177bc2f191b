import { account, action, bookshelf, csrf, unknownShop, type ViewState } from '../../kit/state.ts';

export const chooserStates: readonly ViewState[] = [
  {
    name: 'chooser',
    view: 'chooser',
    locals: {
      action: `${action}/accounts`,
      csrf,
      client: bookshelf,
      cancel: action,
      accounts: [
        { id: 'a', ...account, current: true, remembered: true },
        { id: 'b', name: 'Grace Example', username: 'grace@example.org', current: false, remembered: true },
        { id: 'c', username: 'an-administrator-with-quite-a-long-username', current: false, remembered: true },
      ],
    },
  },
  {
    name: 'chooser-current',
    view: 'chooser',
    locals: {
      action: `${action}/accounts`,
      csrf,
      accounts: [{ id: 'current', ...account, current: true, remembered: false }],
    },
  },
  {
    name: 'chooser-unreviewed',
    view: 'chooser',
    locals: {
      action,
      csrf,
      client: unknownShop,
      accounts: [{ ...account, id: '1', current: false, remembered: true }],
    },
  },
];
