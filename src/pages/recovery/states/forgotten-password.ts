import { action, csrf, type ViewState } from '../../kit/state.ts';

const elsewhere = [
  { id: 'a', provider: 'Example University', label: 'ada@uni.example' },
  { id: 'b', provider: 'Example Company', label: 'ada.lovelace' },
];

export const forgottenPasswordStates: readonly ViewState[] = [
  { name: 'forgot', view: 'forgot', locals: { action, csrf, back: action } },
  {
    name: 'forgot-client',
    view: 'forgot',
    locals: {
      action,
      csrf,
      back: action,
      client: { name: 'Bookshelf', logo: '/public/favicon.svg', accent: '#ffb000' },
    },
  },
  { name: 'forgot-missing', view: 'forgot', locals: { action, csrf, error: 'missing' } },
  {
    name: 'forgot-throttled',
    view: 'forgot',
    locals: { action, csrf, name: 'ada', error: 'throttled', retryAfterSeconds: 600 },
  },
  { name: 'reset', view: 'reset', locals: { action, csrf, username: 'ada', minLength: 15, elsewhere: [] } },
  {
    name: 'reset-elsewhere',
    view: 'reset',
    locals: { action, csrf, username: 'ada', minLength: 15, elsewhere },
  },
  {
    name: 'reset-wrong',
    view: 'reset',
    locals: { action, csrf, username: 'ada', minLength: 15, elsewhere: [], error: 'too-short' },
  },
  {
    name: 'reset-busy',
    view: 'reset',
    locals: { action, csrf, username: 'ada', minLength: 15, elsewhere: [], problem: 'busy', retryAfterSeconds: 2 },
  },
];
