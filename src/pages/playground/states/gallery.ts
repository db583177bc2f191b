import type { ViewState } from '../../kit/state.ts';

export const galleryStates: readonly ViewState[] = [
  {
    name: 'gallery',
    view: 'gallery',
    locals: {
      locales: ['en', 'ar'],
      shownIn: 'en',
      views: [{ name: 'login', states: ['login-plain', 'login-wrong'] }],
    },
  },
];
