import { errorKinds, unreviewedReasons } from '../page.ts';
import { unknownShop, type ViewState } from '../state.ts';

export const errorStates: readonly ViewState[] = [
  { name: 'not-found', view: 'not-found', locals: {} },
  ...unreviewedReasons.map(
    (why): ViewState => ({
      name: `error-unreviewed-${why}`,
      view: 'error',
      locals: {
        status: 400,
        kind: 'unreviewed',
        why,
        clientName: unknownShop.name,
        reference: 'R-7Q4K-2M',
        code: why === 'cancelled' ? 'access_denied' : why === 'silent' ? 'login_required' : 'invalid_scope',
      },
    }),
  ),
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
