import type { ViewState } from '../../kit/state.ts';

export const playgroundStates: readonly ViewState[] = [
  {
    name: 'playground',
    view: 'playground',
    locals: {
      issuer: 'http://localhost:3000',
      clientId: 'playground',
      redirectUri: 'http://localhost:3000/playground',
    },
  },
];
