/** What people are told when something is refused. */
import { errorKinds } from '../kit/page.ts';
import type { ViewState } from '../kit/state.ts';

export const refusalStates: readonly ViewState[] = [
  ...errorKinds.map(
    (kind): ViewState => ({
      name: `error-${kind}`,
      view: 'error',
      locals: { status: 400, kind, reference: 'R-7Q4K-2M' },
    }),
  ),
  {
    name: 'error-detail',
    view: 'error',
    locals: {
      status: 400,
      kind: 'redirect',
      clientName: 'Bookshelf',
      code: 'invalid_redirect_uri',
      reference: 'R-7Q4K-2M',
      detail: {
        check: 'redirect_uri is registered for this client',
        received: 'https://bookshelf.example/callback/',
        receivedMarkFrom: 34,
        expected: 'https://bookshelf.example/callback',
        advice: 'Remove the trailing slash, or register this address too.',
      },
      startAgain: '/',
    },
  },
  {
    name: 'error-description',
    view: 'error',
    locals: {
      status: 400,
      kind: 'request',
      code: 'invalid_request',
      description: 'response_type is missing',
      reference: 'R-7Q4K-2M',
    },
  },
];
