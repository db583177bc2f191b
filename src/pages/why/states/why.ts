import type { ViewState } from '../../kit/state.ts';

export const whyStates: readonly ViewState[] = [
  { name: 'why-unknown', view: 'why', locals: { reference: '3f2b8c1d-77aa' } },
  {
    name: 'why',
    view: 'why',
    locals: {
      reference: '3f2b8c1d-77aa',
      says: 'The redirect URI is not registered for this client.',
      source: 'RFC 9700, section 4.1.3',
      advice: 'Send exactly a registered address, character by character, or register this one too.',
    },
  },
  {
    name: 'why-details',
    view: 'why',
    locals: {
      reference: '3f2b8c1d-77aa',
      says: 'The redirect URI is not registered for this client.',
      source: 'RFC 9700, section 4.1.3',
      advice: 'Remove the trailing slash, or register this address too.',
      receivedMarkFrom: 34,
      details: {
        check: 'redirect_uri_unregistered',
        endpoint: 'authorize',
        status: 400,
        error: 'invalid_redirect_uri',
        at: 1_800_000_000,
        last: 1_800_000_600,
        times: 12,
        clientId: 'bookshelf',
        expected: 'https://bookshelf.example/callback, https://bookshelf.example/popup',
        received: 'https://bookshelf.example/callback/',
        nearest: 'https://bookshelf.example/callback',
      },
    },
  },
];
