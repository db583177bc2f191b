import { account, bookshelf, unbroken, type ViewState } from '../../kit/state.ts';

export const enginePagesStates: readonly ViewState[] = [
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
  {
    name: 'signed-out-long',
    view: 'signed-out',
    locals: { client: { name: unbroken, uri: 'https://bookshelf.example/' } },
  },
];
